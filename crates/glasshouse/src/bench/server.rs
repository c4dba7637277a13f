//! The server that is measured: one of the bench's own, with default settings and a lake of its own, or
//! one that runs already.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use url::Url;

use super::process::Usage;
use super::{settle, until};
use crate::cli::BenchArguments;
use crate::client::Client;
use crate::endpoints::Endpoints;
use crate::failure::Failure;

const START_WITHIN: Duration = Duration::from_mins(1);
const STOP_WITHIN: Duration = Duration::from_secs(30);

pub struct Server {
    client: Client,
    own: Option<Own>,
}

struct Own {
    child: Child,
    /// Deleted in the end.
    data_dir: PathBuf,
}

impl Server {
    /// Starts a server, or finds the one that the arguments name.
    pub async fn start(arguments: &BenchArguments) -> Result<Self, Failure> {
        if let Some(endpoint) = &arguments.endpoint {
            return Ok(Self { client: Client::new(endpoint), own: None });
        }
        let parent = arguments.scratch_dir.clone().unwrap_or_else(std::env::temp_dir);
        let data_dir = parent.join(format!("glasshouse-bench-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir_all(&data_dir)
            .map_err(|error| Failure::new(format!("cannot make {}", data_dir.display()), error))?;
        let (child, client, _) = match spawn(&data_dir).await {
            Ok(started) => started,
            Err(failure) => {
                remove(&data_dir);
                return Err(failure);
            }
        };
        Ok(Self { client, own: Some(Own { child, data_dir }) })
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Whether the server is the bench's, so that it may be restarted.
    pub fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// The lake's folder, when the server is the bench's.
    pub fn data_dir(&self) -> Option<&Path> {
        self.own.as_ref().map(|own| own.data_dir.as_path())
    }

    /// What the server used so far: from `/proc`, or by its own account when it may be elsewhere.
    pub async fn usage(&self) -> Result<Usage, Failure> {
        if let Some(own) = &self.own {
            return Usage::of(own.child.id());
        }
        let figures = settle::figures(&self.client).await?;
        let rss_bytes = figures.get("process_resident_memory_bytes") as u64;
        Ok(Usage { cpu_seconds: figures.get("process_cpu_seconds_total"), rss_bytes, peak_rss_bytes: rss_bytes })
    }

    /// Stops the bench's server and starts it again, after `between`. Gives the time from start to ready.
    pub async fn restart(&mut self, between: impl FnOnce()) -> Result<Duration, Failure> {
        let own = self.own.as_mut().expect("only the bench's own server is restarted");
        stop(&mut own.child).await?;
        between();
        let (child, client, ready) = spawn(&own.data_dir).await?;
        own.child = child;
        self.client = client;
        Ok(ready)
    }

    /// Stops the bench's server and deletes its lake.
    pub async fn end(mut self) {
        if let Some(mut own) = self.own.take() {
            if let Err(failure) = stop(&mut own.child).await {
                failure.report();
            }
            remove(&own.data_dir);
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // Only when the bench itself failed: a stopped child is gone already.
        let _ = self.child.kill();
    }
}

fn remove(data_dir: &Path) {
    if let Err(error) = std::fs::remove_dir_all(data_dir) {
        tracing::warn!(%error, "cannot delete {}", data_dir.display());
    }
}

/// Starts this program as a server and waits until it is ready.
async fn spawn(data_dir: &Path) -> Result<(Child, Client, Duration), Failure> {
    let what = "cannot start the server to measure";
    let program = std::env::current_exe().map_err(|error| Failure::new(what, error))?;
    let mut command = Command::new(program);
    // Default settings are measured, whatever the environment says.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GLASSHOUSE_")) {
        command.env_remove(name);
    }
    command.arg("serve").arg("--data-dir").arg(data_dir).args(["--log", "warn"]);
    for listener in ["--http", "--otlp-grpc", "--otlp-http", "--flight-sql"] {
        command.args([listener, "127.0.0.1:0"]);
    }
    let begun = Instant::now();
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().map_err(|error| Failure::new(what, error))?;
    let pid = child.id();
    let endpoint = until(what, START_WITHIN, Duration::from_millis(2), async || {
        if let Some(status) = child.try_wait().map_err(|error| Failure::new(what, error))? {
            return Err(Failure::new(what, format!("it ended with {status}")));
        }
        Ok(Endpoints::of(data_dir).filter(|endpoints| endpoints.pid == pid).map(|endpoints| endpoints.http_url()))
    })
    .await?;
    let url: Url = endpoint.parse().map_err(|error| Failure::new(what, error))?;
    let client = Client::new(&url);
    until(what, START_WITHIN, Duration::from_millis(2), async || {
        let answer = client.get("/health/ready").send().await;
        Ok(answer.ok().filter(|answer| answer.status().is_success()).map(drop))
    })
    .await?;
    Ok((child, client, begun.elapsed()))
}

async fn stop(child: &mut Child) -> Result<(), Failure> {
    let what = "cannot stop the measured server";
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a child has a process id");
    kill_process(pid, Signal::TERM).map_err(|error| Failure::new(what, error))?;
    let stopped = until(what, STOP_WITHIN, Duration::from_millis(5), async || {
        child.try_wait().map_err(|error| Failure::new(what, error))
    });
    let status = stopped.await?;
    if status.success() { Ok(()) } else { Err(Failure::new("the measured server failed", status)) }
}
