//! The client library against the real server: what it says became of its spans is true.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use glasshouse_client::Tracer;

const DEADLINE: Duration = Duration::from_secs(90);

/// A server that is killed when it is dropped.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(folder: &Path, address: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_glasshouse"));
        command.args(["serve", "--http", address, "--otlp-grpc", "off", "--otlp-http", "off", "--flight-sql", "off"]);
        command.arg("--data-dir").arg(folder).stdout(Stdio::null()).stderr(Stdio::null());
        Self { process: command.spawn().unwrap(), address: address.to_owned() }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A tracer, as soon as the server is there.
    fn tracer(&self) -> Tracer {
        let begun = Instant::now();
        loop {
            match Tracer::builder(&self.url()).service("tests").connect_checked() {
                Ok(tracer) => return tracer,
                Err(error) => assert!(begun.elapsed() < DEADLINE, "{error}"),
            }
        }
    }

    fn query(&self, sql: &str) -> String {
        let arguments = ["query", sql, "--format", "csv", "--endpoint", &self.url()];
        let output = Command::new(env!("CARGO_BIN_EXE_glasshouse")).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Server {
    /// As `kill -9` does.
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[test]
fn spans_are_accounted_for_while_the_server_is_killed() {
    const THREADS: u64 = 4;
    const SPANS: u64 = 25_000;
    let folder = tempfile::tempdir().unwrap();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let server = Server::start(folder.path(), &address);
    let tracer = server.tracer();
    let send = || {
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for i in 0..SPANS {
                        let span = tracer.span("parent").with_attribute("i", i as i64).start();
                        let _current = span.enter();
                        tracer.span("child").start().end();
                    }
                });
            }
        });
    };
    send();
    let begun = Instant::now();
    while tracer.statistics().spans.sent == 0 {
        assert!(begun.elapsed() < DEADLINE, "{tracer:?}");
        thread::yield_now();
    }
    drop(server);
    send();
    let server = Server::start(folder.path(), &address);
    tracer.shutdown(DEADLINE).unwrap();
    let statistics = tracer.statistics().spans;
    assert_eq!(statistics.recorded, 2 * 2 * THREADS * SPANS);
    assert_eq!(statistics.sent + statistics.dropped, statistics.recorded, "{statistics:?}");
    // What was sent but not acknowledged when the server was killed may be there twice, as rows.
    let counts = server.query(
        "SELECT count(DISTINCT span_id) AS spans, count(DISTINCT CASE WHEN thread_id IS NULL THEN span_id END) AS lost
         FROM spans WHERE service_name = 'tests'",
    );
    assert_eq!(counts.trim(), format!("spans,lost\n{},0", statistics.sent));
    let pairs = server.query(
        "SELECT count(*) > 0 AS some, sum(CASE WHEN p.name <> 'parent' OR p.start_time > c.start_time
         OR p.end_time < c.end_time OR p.thread_id <> c.thread_id THEN 1 ELSE 0 END) AS strays FROM spans c JOIN spans p ON p.trace_id = c.trace_id AND p.span_id = c.parent_span_id WHERE c.name = 'child'",
    );
    assert_eq!(pairs.trim(), "some,strays\ntrue,0");
}

#[test]
fn a_span_that_runs_is_there_before_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let server = Server::start(folder.path(), &address);
    drop(server.tracer());
    let tracer = Tracer::builder(&server.url()).report_open_spans(Duration::from_millis(1)).connect().unwrap();
    let span = tracer.span("long").with_attribute("job", 7).start();
    let rows =
        || server.query("SELECT end_time IS NULL AS runs, attributes['job'] AS job FROM spans WHERE name = 'long'");
    let begun = Instant::now();
    while rows().trim() != "runs,job\ntrue,7" {
        assert!(begun.elapsed() < DEADLINE, "{}", rows());
    }
    drop(span);
    tracer.shutdown(DEADLINE).unwrap();
    let ended = "SELECT count(DISTINCT span_id) AS spans, count(end_time) AS ended FROM spans WHERE name = 'long'";
    assert_eq!(server.query(ended).trim(), "spans,ended\n1,1");
}
