//! Which files rows go to, and what the files are called.

use std::ops::Range;

use chrono::DateTime;
use glasshouse_model::Timestamp;
use glasshouse_tables::Table;
use uuid::Uuid;

const HOUR: i64 = 3_600_000_000_000;
const DAY: i64 = 24 * HOUR;
/// Rows of one write go to files of an hour when they spread over at most so many hours, else to files of
/// a day when over at most so many days, else to one file: late data must not make a flush a thousand files.
const MAX_PARTS: usize = 16;

/// Cuts sorted rows at the borders of hours or days of their time. `times` are the rows' times in file
/// order, in which hours follow each other because windows divide them.
#[expect(clippy::single_range_in_vec_init, reason = "one part is meant")]
pub(crate) fn split(table: Table, times: &[i64]) -> Vec<Range<usize>> {
    if table.sort_order().window.nanos() > HOUR {
        return vec![0..times.len()];
    }
    [HOUR, DAY].into_iter().find_map(|length| cut(times, length)).unwrap_or_else(|| vec![0..times.len()])
}

fn cut(times: &[i64], length: i64) -> Option<Vec<Range<usize>>> {
    let mut parts = Vec::new();
    let mut start = 0;
    while start < times.len() {
        let part = times[start].div_euclid(length);
        let end = start + times[start..].partition_point(|time| time.div_euclid(length) <= part);
        parts.push(start..end);
        start = end;
        if parts.len() > MAX_PARTS {
            return None;
        }
    }
    Some(parts)
}

/// A new path for rows of these times: `TABLE/YYYY-MM-DD/HH/UUID.parquet` when they are of one hour (UTC),
/// without the hour when of one day, without the day otherwise.
pub(crate) fn new_path(table: Table, min: Timestamp, max: Timestamp) -> String {
    let name = Uuid::now_v7();
    let table = table.name();
    let of_one = |length| min.nanos().div_euclid(length) == max.nanos().div_euclid(length);
    let time = DateTime::from_timestamp_nanos(min.nanos());
    if of_one(HOUR) {
        format!("{table}/{}/{name}.parquet", time.format("%Y-%m-%d/%H"))
    } else if of_one(DAY) {
        format!("{table}/{}/{name}.parquet", time.format("%Y-%m-%d"))
    } else {
        format!("{table}/{name}.parquet")
    }
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "a range is one element here")]
mod tests {
    use super::*;

    #[test]
    fn rows_go_to_hours_then_days_then_one_file() {
        let hours = |hours: &[i64]| hours.iter().map(|hour| hour * HOUR).collect::<Vec<_>>();
        let check = |times: &[i64], expected: &[Range<usize>]| assert_eq!(split(Table::Spans, times), expected);
        check(&[], &[]);
        check(&[3 * HOUR + 5, 3 * HOUR, 4 * HOUR - 1, 4 * HOUR], &[0..3, 3..4]);
        check(&hours(&(0..30).collect::<Vec<_>>()), &[0..24, 24..30]);
        check(&hours(&(0..24 * 20).step_by(24).collect::<Vec<_>>()), &[0..20]);
        assert_eq!(split(Table::Processes, &[0, HOUR]), [0..2]);
    }

    #[test]
    fn paths_say_when() {
        let at = |hours: i64| Timestamp::from_nanos(hours * HOUR);
        let check = |min, max, folder: &str| {
            let path = new_path(Table::Logs, at(min), at(max));
            let (start, name) = path.rsplit_once('/').unwrap();
            assert_eq!((start, name.len()), (folder, 44));
        };
        check(25, 25, "logs/1970-01-02/01");
        check(25, 26, "logs/1970-01-02");
        check(25, 50, "logs");
        check(-1, -1, "logs/1969-12-31/23");
    }
}
