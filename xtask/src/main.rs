//! One door for all chores: `cargo xtask run | test | check | bench | crash-test | fuzz`.

mod chores;
mod command;
mod layers;
mod links;
mod setup;
mod suite;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask <chore>

  run                 build the web app and the release binary, start the server with the demo shop sending traffic
  test                everything CI runs: format, lints, layers, Rust, web, browser and real-client tests
  check               the fast part of it: format, lints, layers, documentation links
  bench [ARGS]        build the release binary and run `glasshouse bench ARGS`
  crash-test [N]      kill -9 the lake in the middle of its work N times (default 100) and count what is left
  fuzz [SECONDS] [TARGET...]
                      run each fuzz target for SECONDS (default 600); needs cargo-fuzz
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rest = arguments.get(1..).unwrap_or_default();
    let done = match arguments.first().map(String::as_str) {
        Some("run") => chores::run(rest),
        Some("test") => suite::test(),
        Some("check") => suite::check(),
        Some("bench") => chores::bench(rest),
        Some("crash-test") => chores::crash_test(rest),
        Some("fuzz") => chores::fuzz(rest),
        _ => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
