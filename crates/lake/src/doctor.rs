//! Checks a lake from the outside: files, catalog and WAL.

use std::fmt;

use crate::{LakeConfig, LakeError};

/// What a check found.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What is wrong or worth knowing, in the order it was met.
    pub findings: Vec<Finding>,
    /// Live data files in the catalog.
    pub files: usize,
    /// Rows in them.
    pub rows: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Segments of the WAL.
    pub wal_segments: usize,
    /// Records in them.
    pub wal_records: u64,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// `catalog`, `files` or `wal`.
    pub part: &'static str,
    /// What was found, and where.
    pub message: String,
    /// Whether it was put right by this run.
    pub repaired: bool,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Normal, but worth knowing.
    Note,
    /// Nothing is lost, but something should be put right.
    Warning,
    /// Data is missing or damaged.
    Error,
}

impl Report {
    /// Whether nothing is lost or damaged.
    pub fn is_healthy(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity < Severity::Error || finding.repaired)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "files: {} with {} rows, {} bytes", self.files, self.rows, self.bytes)?;
        writeln!(f, "wal: {} segments with {} records", self.wal_segments, self.wal_records)?;
        for finding in &self.findings {
            let severity = match finding.severity {
                Severity::Note => "note",
                Severity::Warning => "warning",
                Severity::Error => "error",
            };
            let repaired = if finding.repaired { " (repaired)" } else { "" };
            writeln!(f, "{severity}: {}: {}{repaired}", finding.part, finding.message)?;
        }
        Ok(())
    }
}

/// Checks the lake of a configuration. With `repair`, puts right what can be without losing data: files that
/// no catalog entry names are deleted, torn WAL tails set aside. Repairing needs the data folder for itself.
pub async fn check(config: &LakeConfig, repair: bool) -> Result<Report, LakeError> {
    let _ = (config, repair);
    unimplemented!()
}
