//! The command line of Glasshouse: reads flags, environment and configuration file, and puts the parts
//! together.

mod bench;
mod cli;
mod client;
mod config_file;
mod demo;
mod draft_file;
mod endpoints;
mod export;
mod failure;
mod import;
mod logging;
mod maintenance;
mod output;
mod perfetto;
mod place;
mod query;
mod serve;
mod units;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

use cli::{Cli, Command};
use failure::Failure;

/// Decoding allocates much and briefly; mimalloc nearly doubles its speed over glibc's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match read_command_line() {
        Ok(cli) => cli,
        Err(failure) => return failure.report(),
    };
    // reqwest and tonic are built without a TLS provider of their own, so that there is one: ring.
    rustls::crypto::ring::default_provider().install_default().expect("nothing else installs a provider");
    logging::start(&cli.global, matches!(cli.command, Command::Serve(_)));
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// Flags win over the environment, the environment over the file: clap does the first two, and the file's
/// values become clap's defaults.
fn read_command_line() -> Result<Cli, Failure> {
    let mut command = Cli::command();
    if let Some(path) = config_file::path(std::env::args_os().skip(1)) {
        command = config_file::apply(command, &path)?;
    }
    let matches = command.get_matches();
    let mut cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let place = match &mut cli.command {
        Command::Query(arguments) => Some(&mut arguments.place),
        Command::Perfetto(arguments) => Some(&mut arguments.place),
        Command::Export(arguments) => Some(&mut arguments.place),
        Command::Import(arguments) => Some(&mut arguments.place),
        _ => None,
    };
    if let (Some(place), Some((_, matches))) = (place, matches.subcommand()) {
        place.choose(matches)?;
    }
    Ok(cli)
}

fn run(command: Command) -> Result<(), Failure> {
    let mut runtime = match command {
        Command::Serve(_) => tokio::runtime::Builder::new_multi_thread(),
        // Clients share the machine with a server, so they are content with one thread.
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime = runtime.enable_all().build().map_err(|error| Failure::new("cannot start", error))?;
    let result = runtime.block_on(async {
        match command {
            Command::Serve(arguments) => serve::run(*arguments).await,
            Command::Demo(arguments) => demo::run(arguments).await,
            Command::Query(arguments) => query::run(arguments).await,
            Command::Perfetto(arguments) => perfetto::run(arguments).await,
            Command::Export(arguments) => export::run(arguments).await,
            Command::Import(arguments) => import::run(arguments).await,
            Command::Bench(arguments) => bench::run(arguments).await,
            Command::Doctor(arguments) => maintenance::doctor(arguments).await,
            Command::Compact(arguments) => maintenance::compact(arguments).await,
            Command::Openapi => maintenance::openapi(),
        }
    });
    // A blocking read that hangs (an object store, a pipe) must not keep the process alive.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    result
}
