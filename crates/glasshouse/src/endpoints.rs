//! Where a data folder is, and where the server that has it listens.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// Where a server offers web app and API unless it is told otherwise.
pub const DEFAULT_HTTP: &str = "127.0.0.1:9090";

/// What `DATA_DIR/endpoints.json` says while a server runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Endpoints {
    /// Address of web app, API and OTLP/HTTP.
    pub http: String,
    /// Address of OTLP/gRPC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otlp_grpc: Option<String>,
    /// Address of OTLP/HTTP on its standard port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otlp_http: Option<String>,
    /// Address of Arrow Flight SQL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flight_sql: Option<String>,
    /// The server's process.
    pub pid: u32,
}

impl Endpoints {
    fn path(data_dir: &Path) -> PathBuf {
        data_dir.join("endpoints.json")
    }

    /// Writes the file in one step, so that a reader never sees half of it.
    pub fn publish(&self, data_dir: &Path) -> std::io::Result<()> {
        let path = Self::path(data_dir);
        let draft = path.with_extension("json.new");
        std::fs::write(&draft, serde_json::to_vec(self)?)?;
        std::fs::rename(draft, path)
    }

    /// Takes the file back, as far as it is there.
    pub fn withdraw(data_dir: &Path) {
        // It may never have been written; a leftover names a process that is gone, which readers notice.
        let _ = std::fs::remove_file(Self::path(data_dir));
    }

    /// What the server says that has the folder; `None` when none runs.
    pub fn of(data_dir: &Path) -> Option<Self> {
        let bytes = std::fs::read(Self::path(data_dir)).ok()?;
        let endpoints: Self = serde_json::from_slice(&bytes).ok()?;
        // A killed server leaves the file behind.
        Path::new(&format!("/proc/{}", endpoints.pid)).exists().then_some(endpoints)
    }

    /// Base URL of the HTTP API.
    pub fn http_url(&self) -> String {
        format!("http://{}", self.http)
    }
}

/// The data folder: as given, else `$XDG_DATA_HOME/glasshouse` (`~/.local/share/glasshouse`), so that all
/// commands find the same one from wherever they are called.
pub fn data_dir(given: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    given
        .or_else(|| set("XDG_DATA_HOME").map(|data| data.join("glasshouse")))
        .or_else(|| set("HOME").map(|home| home.join(".local/share/glasshouse")))
        .ok_or_else(|| {
            Failure::wrong_use("no data folder", "neither XDG_DATA_HOME nor HOME is set")
                .hint("name one with --data-dir")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_of_a_dead_server_do_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let mut endpoints = Endpoints {
            http: "127.0.0.1:9090".into(),
            otlp_grpc: Some("127.0.0.1:4317".into()),
            otlp_http: None,
            flight_sql: None,
            pid: std::process::id(),
        };
        assert!(Endpoints::of(folder.path()).is_none());
        endpoints.publish(folder.path()).unwrap();
        assert_eq!(Endpoints::of(folder.path()).unwrap().http_url(), "http://127.0.0.1:9090");
        endpoints.pid = u32::MAX;
        endpoints.publish(folder.path()).unwrap();
        assert!(Endpoints::of(folder.path()).is_none());
        Endpoints::withdraw(folder.path());
    }
}
