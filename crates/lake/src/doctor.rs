//! Checks a lake from the outside: files, catalog and WAL.

use std::fmt;
use std::path::Path;

use glasshouse_catalog::{Catalog, CatalogOptions};
use glasshouse_files::{FileCache, Store};
use glasshouse_model::Timestamp;
use glasshouse_tables::DataFile;

use crate::flush::blocking;
use crate::identity;
use crate::lock::FolderLock;
use crate::recovery::known_writer;
use crate::tend::{delete_orphans, orphans};
use crate::wal::{kept_aside, list_segments, read_segment};
use crate::{LakeConfig, LakeError};

/// Footers held while files are checked, in bytes.
const CACHE: u64 = 8 << 20;

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

/// Checks the lake of a configuration: the catalog against the files and the log. With `repair`, puts right what
/// can be without losing data: files that no catalog entry names are deleted. Repairing needs the data folder for
/// itself; checking does not.
pub async fn check(config: &LakeConfig, repair: bool) -> Result<Report, LakeError> {
    if !config.data_dir.is_dir() {
        let source = std::io::ErrorKind::NotFound.into();
        return Err(LakeError::Folder { path: config.data_dir.clone(), source });
    }
    let _lock = if repair { Some(FolderLock::take(&config.data_dir)?) } else { None };
    let mut report = Report::default();
    let store = Store::open(&config.data_location())?;
    let options = CatalogOptions::new(config.resolved_catalog_url(), config.data_location());
    let catalog = Catalog::open(CatalogOptions { create: false, ..options }).await?;
    let id = catalog.identity().await?;
    identity::check_folder(&config.data_dir, id, false)?;
    identity::check_store(&store, &catalog, id, false).await?;
    let live = catalog.files().await?.files;
    report.files = live.len();
    report.rows = live.iter().map(|file| file.rows).sum();
    report.bytes = live.iter().map(|file| file.bytes).sum();
    let cache = FileCache::new(store.clone(), CACHE);
    let findings = blocking(move || Ok(live.iter().filter_map(|file| check_file(&cache, file)).collect::<Vec<_>>()));
    report.findings.extend(findings.await?);
    check_store(config, &store, &catalog, repair, &mut report).await?;
    let watermark = match known_writer(&config.data_dir)? {
        Some(writer) => catalog.watermark(writer).await?.unwrap_or(0),
        None => 0,
    };
    let wal_dir = config.wal_dir();
    if wal_dir.exists() {
        report = blocking(move || Ok(check_log(&wal_dir, watermark, report))).await??;
    }
    Ok(report)
}

/// What is wrong with a file that the catalog names.
fn check_file(cache: &FileCache, file: &DataFile) -> Option<Finding> {
    let problem = match cache.open(file) {
        Ok(reader) if reader.rows() == file.rows => return None,
        Ok(reader) => format!("{} has {} rows, the catalog says {}", file.path, reader.rows(), file.rows),
        Err(error) => error.to_string(),
    };
    Some(finding(Severity::Error, "files", problem))
}

async fn check_store(
    config: &LakeConfig,
    store: &Store,
    catalog: &Catalog,
    repair: bool,
    report: &mut Report,
) -> Result<(), LakeError> {
    // A lake that is running has files that are about to be catalogued; they are young.
    let is_alone = repair && config.is_sole_writer();
    let found = orphans(store, catalog, is_alone).await?;
    if !found.is_empty() {
        if repair {
            delete_orphans(store, &found).await?;
        }
        let message = format!("{} files are not in the catalog, the first is {}", found.len(), found[0]);
        report.findings.push(Finding { repaired: repair, ..finding(Severity::Warning, "files", message) });
    }
    let scheduled = catalog.due_deletions(Timestamp::MAX).await?;
    if !scheduled.is_empty() {
        let message = format!("{} files left the lake and wait for their deletion", scheduled.len());
        report.findings.push(finding(Severity::Note, "catalog", message));
    }
    Ok(())
}

fn check_log(folder: &Path, watermark: u64, mut report: Report) -> Result<Report, LakeError> {
    let mut waiting = 0;
    for segment in list_segments(folder)? {
        report.wal_segments += 1;
        let damages = read_segment(&segment, |header, _| {
            report.wal_records += 1;
            waiting += u64::from(header.sequence > watermark);
            Ok::<_, LakeError>(())
        });
        match damages {
            Ok(damages) => report.findings.extend(damages.iter().map(|damage| {
                let severity = if damage.may_lose_rows() { Severity::Error } else { Severity::Note };
                finding(severity, "wal", damage.to_string())
            })),
            // A running lake deletes segments once their rows are in files.
            Err(LakeError::Wal { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    if waiting > 0 {
        report.findings.push(finding(Severity::Note, "wal", format!("{waiting} records are not in files yet")));
    }
    for path in kept_aside(folder)? {
        let message = format!("{} holds bytes that an earlier start could not read", path.display());
        report.findings.push(finding(Severity::Warning, "wal", message));
    }
    Ok(report)
}

fn finding(severity: Severity, part: &'static str, message: String) -> Finding {
    Finding { severity, part, message, repaired: false }
}
