//! Which files to merge. Files of one table and partition are merged when many are of like size, so that a row is
//! rewritten few times (each time its file grows about [`FAN_IN`]-fold); when a partition gets no more rows, what
//! is left small is merged too; and when it got none for a day, all that is not large, however small the rest: rows
//! that came twice meet there.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use glasshouse_model::{DurationNs, Timestamp};
use glasshouse_tables::{DataFile, Table};

use super::sweep::written;

/// Files of like size that are merged.
const FAN_IN: usize = 16;
/// Most files of one merge: each takes memory while it is read.
const MAX_INPUTS: usize = 32;
/// A file of this size is not merged any more.
const LARGE: u64 = 128 << 20;
/// A merge reads at most this much.
const MAX_BYTES: u64 = 256 << 20;
/// Files below this size are of like size.
const SMALLEST_CLASS: u64 = 1 << 20;
/// In a quiet partition, a file is rewritten with smaller ones when it is at most this many times as large as they.
const WORTH: u64 = 4;

/// After this time without a new file a partition is merged whatever it costs.
const LONG: DurationNs = DurationNs::from_secs(24 * 3600);

/// When a partition counts as quiet.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Quiet {
    /// When its newest file was written before the first moment; for long, when before the second.
    NoFileSince(Timestamp, Timestamp),
    /// At once: someone waits for the lake to settle.
    Now,
}

impl Quiet {
    /// The rule of every day: an idle lake is tidied up soon, a busy one when the partition's time is over.
    pub(crate) fn usual(now: Timestamp, lake_is_idle: bool, idle: DurationNs, age: DurationNs) -> Self {
        let wait = if lake_is_idle { idle.nanos().saturating_mul(2) } else { age.nanos().saturating_mul(10) };
        Self::NoFileSince(now - DurationNs::from_nanos(wait), now - LONG)
    }

    fn holds(self, files: &[&Arc<DataFile>]) -> bool {
        match self {
            Self::Now => true,
            Self::NoFileSince(moment, _) => are_older(files, moment),
        }
    }

    fn holds_long(self, files: &[&Arc<DataFile>]) -> bool {
        match self {
            Self::Now => false,
            Self::NoFileSince(_, moment) => are_older(files, moment),
        }
    }
}

fn are_older(files: &[&Arc<DataFile>], moment: Timestamp) -> bool {
    files.iter().all(|file| written(&file.path).is_none_or(|at| at < moment))
}

/// The files to merge next, `None` when all is well. Files of `excluded` ids are left alone.
pub(crate) fn next_merge(files: &[Arc<DataFile>], quiet: Quiet, excluded: &HashSet<i64>) -> Option<Vec<Arc<DataFile>>> {
    let mut partitions: BTreeMap<(Table, &str), Vec<&Arc<DataFile>>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.bytes < LARGE && !excluded.contains(&file.id)) {
        partitions.entry((file.table, partition(file))).or_default().push(file);
    }
    let candidates = partitions.into_values().filter_map(|mut partition| {
        partition.sort_unstable_by_key(|file| (file.bytes, file.id));
        let chosen = full_class(&partition)
            .or_else(|| quiet.holds(&partition).then(|| leftovers(&partition)).flatten())
            .or_else(|| quiet.holds_long(&partition).then(|| several(&partition, LARGE)).flatten());
        chosen.map(|chosen| chosen.iter().map(|file| Arc::clone(file)).collect::<Vec<_>>())
    });
    // The most files for the least bytes first: that helps readers most.
    candidates.min_by_key(|chosen| chosen.iter().map(|file| file.bytes).sum::<u64>() / chosen.len() as u64)
}

/// Files of a table within which merging is done.
fn partition(file: &DataFile) -> &str {
    match file.table {
        // The latest state of a process replaces the earlier ones, whenever they were.
        Table::Processes => "",
        _ => file.path.rsplit_once('/').map_or("", |(folder, _)| folder),
    }
}

/// Files of one size class that are enough to merge; `files` are sorted by size.
fn full_class<'a>(files: &'a [&'a Arc<DataFile>]) -> Option<&'a [&'a Arc<DataFile>]> {
    files
        .chunk_by(|a, b| class(a) == class(b))
        .map(|class| within_bounds(class, MAX_BYTES))
        .find(|class| class.len() >= FAN_IN)
}

fn class(file: &DataFile) -> u32 {
    (file.bytes / SMALLEST_CLASS).max(1).ilog(FAN_IN as u64)
}

/// The small files that are worth merging with each other; `files` are sorted by size.
fn leftovers<'a>(files: &'a [&'a Arc<DataFile>]) -> Option<&'a [&'a Arc<DataFile>]> {
    let mut sum = 0;
    let worth = files
        .iter()
        .take_while(|file| {
            let fits = sum == 0 || file.bytes <= WORTH * sum;
            sum += file.bytes;
            fits
        })
        .count();
    several(&files[..worth], MAX_BYTES)
}

/// As many of the files as can be merged at once, at most so many bytes, when they are more than one.
fn several<'a>(files: &'a [&'a Arc<DataFile>], bytes: u64) -> Option<&'a [&'a Arc<DataFile>]> {
    let chosen = within_bounds(files, bytes);
    (chosen.len() > 1).then_some(chosen)
}

fn within_bounds<'a>(files: &'a [&'a Arc<DataFile>], bytes: u64) -> &'a [&'a Arc<DataFile>] {
    let mut sum = 0;
    let fit = files
        .iter()
        .take(MAX_INPUTS)
        .take_while(|file| {
            sum += file.bytes;
            sum <= bytes
        })
        .count();
    &files[..fit]
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const MIB: u64 = 1 << 20;

    fn file(id: i64, folder: &str, bytes: u64) -> Arc<DataFile> {
        let seconds = 1_700_000_000;
        let name = Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, 0));
        Arc::new(DataFile {
            id,
            table: Table::Spans,
            path: format!("{folder}/{name}.parquet"),
            rows: bytes / 45,
            bytes,
            footer_bytes: 1000,
            min_time: Timestamp::from_nanos(0),
            max_time: Timestamp::from_nanos(1),
        })
    }

    fn merged(files: &[Arc<DataFile>], quiet: Quiet) -> Option<Vec<i64>> {
        let chosen = next_merge(files, quiet, &HashSet::new())?;
        let mut ids: Vec<_> = chosen.iter().map(|file| file.id).collect();
        ids.sort_unstable();
        Some(ids)
    }

    const BEFORE: Timestamp = Timestamp::from_nanos(1_600_000_000_000_000_000);
    const AFTER: Timestamp = Timestamp::from_nanos(1_800_000_000_000_000_000);
    const BUSY: Quiet = Quiet::NoFileSince(BEFORE, BEFORE);
    const OVER: Quiet = Quiet::NoFileSince(AFTER, BEFORE);
    const LONG_OVER: Quiet = Quiet::NoFileSince(AFTER, AFTER);

    #[test]
    fn a_busy_partition_waits_for_many_files_of_like_size() {
        let mut files: Vec<_> = (0..15).map(|id| file(id, "spans/a", 6 * MIB)).collect();
        files.push(file(100, "spans/a", 60 * MIB));
        files.push(file(101, "spans/b", 6 * MIB));
        assert_eq!(merged(&files, BUSY), None);
        files.push(file(15, "spans/a", 5 * MIB));
        assert_eq!(merged(&files, BUSY), Some((0..16).collect()));
    }

    #[test]
    fn a_quiet_partition_is_merged_when_it_is_worth_it() {
        let small = [file(1, "spans/a", 6 * MIB), file(2, "spans/a", 6 * MIB), file(3, "spans/a", 40 * MIB)];
        assert_eq!(merged(&small, OVER), Some(vec![1, 2, 3]));
        let straggler = [file(1, "spans/a", MIB / 10), file(2, "spans/a", 100 * MIB)];
        assert_eq!(merged(&straggler, OVER), None, "a row that came late is not worth rewriting a large file");
        assert_eq!(merged(&straggler, LONG_OVER), Some(vec![1, 2]), "until nothing else will come");
        let full = [file(1, "spans/a", MIB), file(2, "spans/a", 127 * MIB + 1)];
        assert_eq!(merged(&full, LONG_OVER), None, "what would not become one file would be merged for ever");
        let large = [file(1, "spans/a", 200 * MIB), file(2, "spans/a", 200 * MIB)];
        assert_eq!(merged(&large, Quiet::Now), None);
    }

    #[test]
    fn a_merge_is_bounded_and_leaves_out_what_is_excluded() {
        let files: Vec<_> = (0..100).map(|id| file(id, "spans/a", MIB)).collect();
        assert_eq!(merged(&files, BUSY).unwrap().len(), MAX_INPUTS);
        let excluded = (0..99).collect();
        assert_eq!(next_merge(&files, Quiet::Now, &excluded), None);
    }

    #[test]
    fn a_row_is_rewritten_few_times() {
        let (mut files, mut rewritten, mut next) = (Vec::new(), 0, 0);
        for _ in 0..360 {
            files.push(file(next, "spans/a", 6 * MIB));
            next += 1;
            while let Some(chosen) = next_merge(&files, BUSY, &HashSet::new()) {
                let bytes = chosen.iter().map(|file| file.bytes).sum();
                files.retain(|file| !chosen.iter().any(|merged| merged.id == file.id));
                files.push(file(next, "spans/a", bytes));
                next += 1;
                rewritten += bytes;
            }
        }
        assert!(rewritten <= 2 * 360 * 6 * MIB, "{rewritten} bytes");
        assert!(files.len() < 60, "{} files", files.len());
    }
}
