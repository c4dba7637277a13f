//! Programs that end without a word to their tracer: what they recorded arrives.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "it/server.rs"]
mod server;

use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{env, thread};

use glasshouse_client::{Level, Statistics, Tracer};
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
    forks();
    // One whose server does not answer ends all the same.
    let server = Server::new(|_| Answer::status(503));
    let begun = Instant::now();
    // What was lost is told once: by who shut the tracer down, or else at the end.
    for (way, told) in [("return", true), ("shutdown", false)] {
        let mut program = Command::new(env::current_exe().unwrap());
        let ended = program.arg(way).env(URL, server.url()).output().unwrap();
        assert!(ended.status.success(), "{way}");
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(said.contains("records were not sent within"), told, "{way}: {said}");
    }
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

/// A child of a program whose threads record says that it cannot send by their tracer, and sends by its own.
#[cfg(unix)]
fn forks() {
    use std::os::unix::process::CommandExt as _;

    let server = Server::new(|_| Answer::ok());
    let url = server.url();
    let tracer = Tracer::connect(&url).unwrap();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let busy = || {
            while !is_over.load(Ordering::Relaxed) {
                tracer.span("of the parent").start().end();
                tracer.metric("of.the.parent").counter().add(1);
                assert_eq!(tracer.statistics().logs.recorded, 0);
            }
        };
        scope.spawn(busy);
        scope.spawn(busy);
        for _ in 0..20 {
            let (tracer, url) = (tracer.clone(), url.clone());
            let child = move || {
                tracer.span("lost").start().end();
                thread::scope(|scope| scope.spawn(|| tracer.span("lost too").start().end()).join()).unwrap();
                tracer.metric("lost").counter().add(1);
                assert!(tracer.flush(Duration::from_secs(5)).unwrap_err().to_string().contains("fork"));
                assert!(tracer.shutdown(Duration::from_secs(5)).is_err() && tracer.last_problem().is_some());
                assert_eq!(tracer.statistics(), Statistics::default());
                let own = Tracer::connect(&url).unwrap();
                own.span("of a child").start().end();
                own.shutdown(Duration::from_secs(30)).unwrap();
                Ok(())
            };
            let mut program = Command::new("true");
            // SAFETY: what this does is what a program does after fork without exec; nothing else runs in the child.
            #[expect(unsafe_code, reason = "the only way to fork that the standard library has")]
            unsafe {
                program.pre_exec(child)
            };
            assert!(program.status().unwrap().success());
        }
        is_over.store(true, Ordering::Relaxed);
    });
    tracer.shutdown(Duration::from_secs(30)).unwrap();
    let counts = tracer.statistics().spans;
    let spans = server.spans();
    let named = |name: &str| spans.iter().filter(|span| span.name == name).count() as u64;
    assert_eq!((named("of a child"), named("lost"), named("lost too")), (20, 0, 0));
    assert_eq!((named("of the parent"), counts.sent + counts.dropped), (counts.sent, counts.recorded));
    println!("forked: each sent its own");
}

#[cfg(not(unix))]
fn forks() {}

/// Records, and ends this program.
fn end(url: &str, way: &str) {
    let tracer = TRACER.get_or_init(|| Tracer::connect(url).unwrap());
    for _ in 0..SPANS {
        tracer.span("work").start().end();
    }
    tracer.log(Level::Info, "about to end").emit();
    match way {
        "exit" => std::process::exit(3),
        "shutdown" => drop(tracer.shutdown(Duration::from_millis(100)).unwrap_err()),
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
