//! Which files are too old, or too many.

use std::sync::Arc;

use glasshouse_model::{DurationNs, Timestamp};
use glasshouse_tables::{DataFile, Table};

use crate::{Retention, RetentionLimit};

/// A process may have told of itself this much later than the times of its rows: clocks differ.
const CLOCK_SLACK: DurationNs = DurationNs::from_secs(3600);
/// Processes heard of within this time are kept, whether or not rows of theirs are.
const RECENT: DurationNs = DurationNs::from_secs(24 * 3600);

/// The files that a retention drops at a moment, by id.
pub(crate) fn expired(files: &[Arc<DataFile>], retention: &Retention, now: Timestamp) -> Vec<i64> {
    let signals: [(&RetentionLimit, &[Table]); 3] = [
        (&retention.traces, &[Table::Spans, Table::SpanEvents, Table::SpanLinks]),
        (&retention.logs, &[Table::Logs]),
        (&retention.metrics, &[Table::Metrics]),
    ];
    if signals.iter().all(|(limit, _)| **limit == RetentionLimit::default()) {
        return Vec::new();
    }
    let mut dropped = Vec::new();
    let mut oldest_kept = now - RECENT;
    for (limit, tables) in signals {
        let mut signal: Vec<_> = files.iter().filter(|file| tables.contains(&file.table)).collect();
        signal.sort_unstable_by_key(|file| (file.max_time, file.id));
        let too_old = limit.age.map_or(Timestamp::MIN, |age| now - DurationNs::from(age));
        let mut bytes: u64 = signal.iter().map(|file| file.bytes).sum();
        for file in signal {
            if file.max_time < too_old || limit.bytes.is_some_and(|limit| bytes > limit) {
                bytes -= file.bytes;
                dropped.push(file.id);
            } else {
                oldest_kept = oldest_kept.min(file.min_time);
            }
        }
    }
    // Each flush tells again of every process that it has rows of, so older rows tell of nothing that is kept.
    let unreferenced = oldest_kept - CLOCK_SLACK;
    let processes = files.iter().filter(|file| file.table == Table::Processes);
    dropped.extend(processes.filter(|file| file.max_time < unreferenced).map(|file| file.id));
    dropped
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const DAY: i64 = 24 * 3600;

    fn file(id: i64, table: Table, from_day: i64, bytes: u64) -> Arc<DataFile> {
        let time = |days: i64| Timestamp::from_nanos(days * DAY * 1_000_000_000);
        Arc::new(DataFile {
            id,
            table,
            path: format!("{id}"),
            rows: 1,
            bytes,
            footer_bytes: 1,
            min_time: time(from_day),
            max_time: time(from_day + 1),
        })
    }

    fn check(retention: Retention, expected: &[i64]) {
        let files = [
            file(1, Table::Spans, 0, 100),
            file(2, Table::SpanEvents, 0, 10),
            file(3, Table::Spans, 10, 100),
            file(4, Table::Logs, 0, 100),
            file(5, Table::Processes, 0, 1),
            file(6, Table::Processes, 10, 1),
        ];
        let now = Timestamp::from_nanos(12 * DAY * 1_000_000_000);
        assert_eq!(expired(&files, &retention, now), expected, "{retention:?}");
    }

    #[test]
    fn each_signal_has_its_own_limits() {
        let days = |days| RetentionLimit { age: Some(Duration::from_secs(days * DAY as u64)), bytes: None };
        let bytes = |bytes| RetentionLimit { age: None, bytes: Some(bytes) };
        let keep = RetentionLimit::default();
        check(Retention::default(), &[]);
        check(Retention { traces: days(5), logs: keep, metrics: keep }, &[1, 2]);
        check(Retention { traces: days(20), logs: days(5), metrics: keep }, &[4]);
        check(Retention { traces: bytes(150), logs: keep, metrics: keep }, &[1]);
        check(Retention { traces: bytes(0), logs: bytes(100), metrics: keep }, &[1, 2, 3]);
    }

    #[test]
    fn processes_are_kept_while_rows_of_their_time_are() {
        let days = RetentionLimit { age: Some(Duration::from_secs(5 * DAY as u64)), bytes: None };
        check(Retention { traces: days, logs: days, metrics: days }, &[1, 2, 4, 5]);
    }
}
