//! Waits until the lake is quiet, by the server's own figures.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::process::Usage;
use super::server::Server;
use super::until;
use crate::client::{Client, ClientError, success};
use crate::failure::Failure;

/// Bytes of rows that are not in files yet.
const UNWRITTEN: [&str; 2] = ["glasshouse_hot_bytes", "glasshouse_frozen_bytes"];
/// Grows with every change of the lake's files.
const SNAPSHOT: &str = "glasshouse_catalog_snapshot";

/// A lake that did nothing for so long is quiet: partitions are tidied up ten seconds after their last file.
const QUIET: Duration = Duration::from_secs(15);
const EVERY: Duration = Duration::from_millis(250);
/// A server that uses less of a processor is idle.
const IDLE_CORES: f64 = 0.15;

const WITHIN: Duration = Duration::from_mins(15);

/// The moment when the lake had become quiet.
pub struct Settled {
    /// Time until then.
    pub time: Duration,
    /// What the server had used by then.
    pub usage: Usage,
}

/// The figures of `/metrics`: by name, figures with labels summed up.
pub struct Figures(HashMap<String, f64>);

impl Figures {
    pub fn get(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or(0.0)
    }

    /// Reads the Prometheus text format.
    fn parse(text: &str) -> Self {
        let mut figures = HashMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((name, value)) = line.rsplit_once(' ') else { continue };
            let name = name.split('{').next().unwrap_or(name);
            *figures.entry(name.to_owned()).or_insert(0.0) += value.parse().unwrap_or(0.0);
        }
        Self(figures)
    }
}

pub async fn figures(client: &Client) -> Result<Figures, Failure> {
    let answer = async { success(client.get("/metrics").send().await?).await?.text().await.map_err(ClientError::from) };
    let text = answer.await.map_err(|error| Failure::new("cannot read the server's figures", error))?;
    Ok(Figures::parse(&text))
}

/// Waits until every row is in files and nothing is left to merge.
pub async fn wait(server: &Server) -> Result<Settled, Failure> {
    let begun = Instant::now();
    let mut settled = Settled { time: Duration::ZERO, usage: server.usage().await? };
    let mut seen = (settled.usage, f64::NAN);
    until("the lake is not quiet", WITHIN, EVERY, async || {
        let (figures, usage) = (figures(server.client()).await?, server.usage().await?);
        let snapshot = figures.get(SNAPSHOT);
        let cores = (usage.cpu_seconds - seen.0.cpu_seconds) / EVERY.as_secs_f64();
        let is_unwritten = UNWRITTEN.iter().any(|name| figures.get(name) > 0.0);
        if is_unwritten || snapshot.to_bits() != seen.1.to_bits() || cores > IDLE_CORES {
            settled = Settled { time: begun.elapsed(), usage };
        }
        seen = (usage, snapshot);
        Ok((begun.elapsed() >= settled.time + QUIET).then_some(()))
    })
    .await?;
    Ok(settled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_with_labels_are_summed_up() {
        let text = "# HELP a x\n# TYPE a gauge\na{table=\"spans\"} 1.5\na{table=\"log } s\"} 2\nb 1e3\n";
        let figures = Figures::parse(text);
        assert!((figures.get("a") - 3.5).abs() < 1e-9);
        assert!((figures.get("b") - 1000.0).abs() < 1e-9);
        assert!(figures.get("c").abs() < 1e-9);
    }
}
