//! `cargo xtask test` and `check`: every step runs, even after one failed, and a summary closes.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::chores::TestServer;
use crate::command::{cargo, command, run, target_dir};
use crate::{layers, links, setup};

type Step = (&'static str, fn() -> Result<()>);

const CHECKS: &[Step] = &[
    ("format", || run(&mut cargo(&["fmt", "--all", "--check"]))),
    ("layers", layers::check),
    ("documentation links", links::check),
    ("clippy", || {
        run(cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
            .env("CARGO_TERM_COLOR", "always"))
    }),
];

const TESTS: &[Step] = &[
    ("web: install", || setup::npm("web")),
    ("web: types, layers, lints", || run(command("npm", "web").args(["run", "check"]))),
    ("web: unit tests", || run(command("npm", "web").args(["run", "test"]))),
    ("web: build", || run(command("npm", "web").args(["run", "build"]))),
    // Builds the binary too, for the steps below: a build of it alone would compile DataFusion with other features again.
    ("rust: tests", || run(&mut cargo(&["test", "--workspace", "--no-fail-fast"]))),
    ("real clients", real_clients),
    ("browser", browser),
];

/// The fast part.
pub fn check() -> Result<()> {
    run_all(&[CHECKS])
}

/// Everything.
pub fn test() -> Result<()> {
    run_all(&[CHECKS, TESTS])
}

/// OpenTelemetry SDKs, ADBC and DuckDB against the real binary.
fn real_clients() -> Result<()> {
    let python = setup::python()?;
    setup::npm("tests/clients/node")?;
    run(command(python, ".")
        .args(["-m", "pytest", "-q", "tests/clients"])
        .env("TRACE_PROCESSOR", setup::trace_processor()?)
        .env("GLASSHOUSE_BIN", target_dir().join("debug/glasshouse")))
}

/// The pages in Chromium, over what the Python SDK and the demo sent to servers that began empty.
fn browser() -> Result<()> {
    let chromium = setup::chromium()?;
    let python = setup::python()?;
    let binary = target_dir().join("debug/glasshouse");
    let server = TestServer::start(&binary, &target_dir().join("browser-test-data"))?;
    let shop = TestServer::start(&binary, &target_dir().join("browser-test-shop"))?;
    let shop_url = format!("http://{}", shop.address("http")?);
    run(command(&binary, ".").args(["demo", "--traces-per-second", "400", "--for", "8s", "--endpoint", &shop_url]))?;
    run(command(python, ".")
        .arg("tests/clients/send_checkout.py")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", server.address("otlp_grpc")?)))?;
    run(command("npm", "web")
        .args(["run", "e2e"])
        .env("CHROMIUM", chromium)
        .env("DEMO_URL", shop_url)
        .env("BASE_URL", format!("http://{}", server.address("http")?)))
}

fn run_all(groups: &[&[Step]]) -> Result<()> {
    let mut outcomes: Vec<(&str, Duration, Result<()>)> = Vec::new();
    for (name, step) in groups.iter().copied().flatten() {
        println!("\n── {name}");
        let began = Instant::now();
        let outcome = step();
        if let Err(error) = &outcome {
            println!("{name}: {error:#}");
        }
        outcomes.push((name, began.elapsed(), outcome));
    }
    println!("\n── summary");
    for (name, took, outcome) in &outcomes {
        println!("{:>7.1} s  {:<6}  {name}", took.as_secs_f64(), if outcome.is_ok() { "passed" } else { "FAILED" });
    }
    let failed = outcomes.iter().filter(|(_, _, outcome)| outcome.is_err()).count();
    println!("\n{} passed, {failed} failed", outcomes.len() - failed);
    if failed > 0 {
        bail!("{failed} of {} steps failed", outcomes.len());
    }
    Ok(())
}
