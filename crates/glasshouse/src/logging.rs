use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::cli::{Global, LogFormat};

/// Sends log lines to standard error: a server tells what it does, other commands only what goes wrong.
pub fn start(global: &Global, is_server: bool) {
    // sqlx tells of every slow statement, h2 and hyper of every odd client.
    let default = if is_server { "info,sqlx=warn,h2=warn,hyper=warn" } else { "warn" };
    let filter = global.log.as_deref().unwrap_or(default);
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new(default));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match global.log_format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
}
