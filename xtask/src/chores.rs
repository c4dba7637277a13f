//! Chores that run until they are done or stopped.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::command::{cargo, command, exists, root, run as run_command, target_dir};
use crate::setup;

/// Builds everything and starts the server with the demo shop.
pub fn run(arguments: &[String]) -> Result<()> {
    setup::web_app()?;
    let binary = build_release()?;
    let data = root().join("glasshouse-data");
    let mut server = command(&binary, ".").arg("serve").arg("--data-dir").arg(&data).args(arguments).spawn()?;
    let endpoints = wait_until_ready(&mut server, &data)?;
    let address = |name: &str| endpoints[name].as_str().unwrap_or("off").to_owned();
    println!(
        "\n  Glasshouse is running\n\n    web app     http://{}\n    OTLP        grpc://{}  http://{}\n    Flight SQL  grpc://{}\n    data        {}\n\n  The demo shop sends traffic. Ctrl-C stops both; the data stays.\n",
        address("http"),
        address("otlp_grpc"),
        address("otlp_http"),
        address("flight_sql"),
        data.display(),
    );
    let mut demo = command(&binary, ".")
        .args(["demo", "--endpoint", &format!("http://{}", address("http"))])
        .spawn()
        .context("cannot start the demo shop")?;
    // Ctrl-C reaches the whole group: both end by themselves, the server after it has flushed.
    let ended = server.wait();
    demo.kill().ok();
    demo.wait().ok();
    if !ended?.success() {
        bail!("the server ended with an error");
    }
    Ok(())
}

/// `glasshouse bench` of the release binary.
pub fn bench(arguments: &[String]) -> Result<()> {
    let binary = build_release()?;
    run_command(command(binary, ".").arg("bench").args(arguments))
}

/// Many rounds of the lake's crash test, optimised as it ships.
pub fn crash_test(arguments: &[String]) -> Result<()> {
    let rounds = arguments.first().map_or("100", String::as_str);
    run_command(
        cargo(&["test", "--release", "-p", "glasshouse-lake", "--test", "crash", "--", "--nocapture"])
            .env("GLASSHOUSE_CRASH_ROUNDS", rounds),
    )
}

/// The given fuzz targets, or else all, each for a while.
pub fn fuzz(arguments: &[String]) -> Result<()> {
    let seconds = arguments.first().map_or("600", String::as_str);
    if !exists("cargo-fuzz") {
        run_command(&mut cargo(&["install", "cargo-fuzz", "--locked"]))?;
    }
    // Coverage instrumentation is a nightly flag; the stable compiler takes it this way. Unsafe code is denied here,
    // so the address sanitizer would only slow the search down.
    let cargo_fuzz = |arguments: &[&str]| {
        let mut fuzz = command("cargo-fuzz", "fuzz");
        fuzz.arg("fuzz").args(arguments).env("RUSTC_BOOTSTRAP", "1");
        fuzz.env("CARGO_TARGET_DIR", target_dir().join("fuzz"));
        fuzz
    };
    let listed = cargo_fuzz(&["list"]).output().context("cannot list fuzz targets")?;
    let targets = String::from_utf8(listed.stdout)?;
    let chosen = arguments.get(1..).unwrap_or_default();
    if let Some(unknown) = chosen.iter().find(|name| !targets.lines().any(|target| target == name.as_str())) {
        bail!("there is no fuzz target {unknown}; there are:\n{targets}");
    }
    for target in targets.lines().filter(|target| chosen.is_empty() || chosen.iter().any(|name| name == target)) {
        let corpus = format!("corpus/{target}");
        std::fs::create_dir_all(root().join("fuzz").join(&corpus)).with_context(|| format!("cannot make {corpus}"))?;
        let seeds = format!("seeds/{target}");
        let limit = format!("-max_total_time={seconds}");
        let run = ["run", "--sanitizer", "none", target, &corpus, &seeds, "--", &limit, "-max_len=4096"];
        run_command(&mut cargo_fuzz(&run))?;
    }
    Ok(())
}

fn build_release() -> Result<PathBuf> {
    run_command(&mut cargo(&["build", "--release", "-p", "glasshouse"]))?;
    Ok(target_dir().join("release/glasshouse"))
}

/// Waits for the server to say where it listens; an error when it ends before.
pub fn wait_until_ready(server: &mut Child, data: &Path) -> Result<Value> {
    let deadline = Instant::now() + Duration::from_mins(1);
    let pid = server.id();
    loop {
        if let Some(status) = server.try_wait()? {
            bail!("the server ended before it was ready: {status}");
        }
        let written = std::fs::read(data.join("endpoints.json")).ok();
        if let Some(endpoints) = written.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok())
            && endpoints["pid"] == pid
        {
            return Ok(endpoints);
        }
        if Instant::now() > deadline {
            server.kill().ok();
            bail!("the server was not ready within a minute");
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// A server of the debug binary on free ports; killed when dropped.
pub struct TestServer {
    child: Child,
    endpoints: Value,
}

impl TestServer {
    /// Starts it on an empty folder.
    pub fn start(binary: &Path, data: &Path) -> Result<Self> {
        if data.exists() {
            std::fs::remove_dir_all(data).with_context(|| format!("cannot empty {}", data.display()))?;
        }
        let any = "127.0.0.1:0";
        let mut child = Command::new(binary)
            .args(["serve", "--http", any, "--otlp-grpc", any, "--otlp-http", any, "--flight-sql", any, "--data-dir"])
            .arg(data)
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let endpoints = wait_until_ready(&mut child, data)?;
        Ok(Self { child, endpoints })
    }

    /// An address it listens on: `http`, `otlp_grpc`, `otlp_http`, `flight_sql`.
    pub fn address(&self, name: &str) -> Result<&str> {
        self.endpoints[name].as_str().with_context(|| format!("endpoints.json has no {name}"))
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
