//! Which lake a command asks: through a server, or straight in its folder when no server has it.

use std::cmp::Ordering;
use std::path::PathBuf;

use clap::ArgMatches;
use clap::parser::ValueSource;
use glasshouse_model::{Clock as _, SystemClock, TimeRange, Timestamp};
use url::Url;

use crate::cli::PlaceArguments;
use crate::client::ClientError;
use crate::endpoints::{self, DEFAULT_HTTP, Endpoints};
use crate::failure::Failure;

/// Where a lake is asked.
#[derive(Debug)]
pub enum Place {
    /// This server.
    Server(Url),
    /// This folder, which no server has.
    Folder(PathBuf),
    /// The server at the usual address, because there is no lake in the folder where it would be looked for.
    UsualServer { endpoint: Url, data_dir: PathBuf },
}

impl PlaceArguments {
    /// Leaves one of server and folder where both are given: a flag wins over the environment, the environment over the
    /// file, and otherwise the server.
    pub fn choose(&mut self, matches: &ArgMatches) -> Result<(), Failure> {
        let [endpoint, data_dir] = ["endpoint", "data_dir"].map(|name| matches.value_source(name));
        match endpoint.cmp(&data_dir) {
            Ordering::Equal if endpoint == Some(ValueSource::CommandLine) => {
                return Err(Failure::wrong_use("cannot use --endpoint with --data-dir", "each names what to ask"));
            }
            Ordering::Less => self.endpoint = None,
            Ordering::Equal | Ordering::Greater => self.data_dir = None,
        }
        Ok(())
    }
}

impl Place {
    /// Finds out where to ask.
    pub fn find(arguments: &PlaceArguments) -> Result<Self, Failure> {
        if let Some(endpoint) = &arguments.endpoint {
            return Ok(Self::Server(endpoint.clone()));
        }
        let data_dir = endpoints::data_dir(arguments.data_dir.clone())?;
        let running = Endpoints::of(&data_dir).and_then(|endpoints| endpoints.http_url().parse().ok());
        if let Some(endpoint) = running {
            return Ok(Self::Server(endpoint));
        }
        if data_dir.join("catalog.sqlite").exists() {
            return Ok(Self::Folder(data_dir));
        }
        if arguments.data_dir.is_some() {
            return Err(no_lake(&data_dir, "there is no catalog"));
        }
        let endpoint = Url::parse(&format!("http://{DEFAULT_HTTP}")).expect("the address is a constant");
        Ok(Self::UsualServer { endpoint, data_dir })
    }

    /// Why a server did not do what it was asked.
    pub fn failure(&self, what: &str, error: &ClientError) -> Failure {
        match (self, error) {
            (Self::UsualServer { data_dir, .. }, ClientError::Transport(_)) => {
                no_lake(data_dir, &format!("there is no catalog, and nothing answers at {DEFAULT_HTTP}"))
            }
            (Self::UsualServer { endpoint, .. }, error) => Failure::new(format!("{what} at {endpoint}"), error),
            (Self::Server(endpoint), ClientError::Transport(why)) => {
                Failure::new(format!("cannot reach {endpoint}"), why).hint("start a server with `glasshouse serve`")
            }
            (_, error) => Failure::new(what, error),
        }
    }
}

fn no_lake(data_dir: &std::path::Path, why: &str) -> Failure {
    Failure::new(format!("no lake in {}", data_dir.display()), why)
        .hint("name the folder with --data-dir or a server with --endpoint")
}

/// The range of `--from` and `--to`; a missing end is open.
pub fn range(from: Option<&str>, to: Option<&str>) -> Result<TimeRange, Failure> {
    let now = SystemClock.now();
    let parse = |flag: &str, text: Option<&str>, default| match text {
        Some(text) => Timestamp::parse(text, now).map_err(|error| Failure::wrong_use(format!("wrong {flag}"), error)),
        None => Ok(default),
    };
    let range =
        TimeRange { from: parse("--from", from, TimeRange::ALL.from)?, to: parse("--to", to, TimeRange::ALL.to)? };
    if range.from >= range.to {
        return Err(Failure::wrong_use("the time range is empty", "--from must be before --to"));
    }
    Ok(range)
}
