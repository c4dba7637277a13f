//! Programs that end without a word to their tracer: what they recorded arrives.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "it/server.rs"]
mod server;

use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use std::{env, thread};

use glasshouse_client::{Level, Tracer};
use server::{Answer, Server};

const SPANS: usize = 2000;
const URL: &str = "GLASSHOUSE_TEST_URL";

/// Is never dropped.
static TRACER: OnceLock<Tracer> = OnceLock::new();

fn main() {
    if let Ok(url) = env::var(URL) {
        return end(&url, &env::args().nth(1).unwrap());
    }
    // How the program ends, what its status is then, and how many spans arrive.
    let ways = [
        ("return", Some(0), SPANS),
        ("exit", Some(3), SPANS),
        ("panic", Some(101), SPANS + 1),
        ("panic of another thread", Some(0), SPANS + 1),
    ];
    for (way, status, spans) in ways {
        let server = Server::new(|_| Answer::ok());
        let mut program = Command::new(env::current_exe().unwrap());
        let ended = program.arg(way).env(URL, server.url()).stderr(Stdio::null()).status().unwrap();
        assert_eq!(ended.code(), status, "{way}");
        assert_eq!((server.spans().len(), server.logs().len()), (spans, 1), "{way}");
        println!("ended by {way}: all arrived");
    }
    // One whose server does not answer ends all the same.
    let server = Server::new(|_| Answer::status(503));
    let begun = Instant::now();
    let mut program = Command::new(env::current_exe().unwrap());
    assert!(program.arg("return").env(URL, server.url()).status().unwrap().success());
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

/// Records, and ends this program.
fn end(url: &str, way: &str) {
    let tracer = TRACER.get_or_init(|| Tracer::connect(url).unwrap());
    for _ in 0..SPANS {
        tracer.span("work").start().end();
    }
    tracer.log(Level::Info, "about to end").emit();
    match way {
        "exit" => std::process::exit(3),
        "panic" => {
            let _span = tracer.span("falls").start();
            panic!("for a test");
        }
        "panic of another thread" => {
            let falls = || {
                let _span = tracer.span("falls").start();
                panic!("for a test");
            };
            thread::scope(|scope| scope.spawn(falls).join()).unwrap_err();
        }
        _ => {}
    }
}
