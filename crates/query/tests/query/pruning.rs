//! What is not needed is not read: told by the figures of `EXPLAIN ANALYZE`.

use glasshouse_model::{TimeRange, Timestamp};
use glasshouse_tables::ports::SqlRequest;

use crate::lake::{Form, HOUR, NOON, TestLake};
use crate::{sql, table};

async fn explain(lake: &TestLake, statement: &str) -> String {
    table(&lake.engine, sql(&format!("EXPLAIN ANALYZE {statement}"))).await.unwrap()
}

/// The figure of a name, summed over the plan's scans: `name=3` or `name=7 total → 3 matched`.
fn figure(plan: &str, name: &str) -> (u64, u64) {
    let mut sum = (0, 0);
    for part in plan.split(&format!("{name}=")).skip(1) {
        let text: String = part.chars().take_while(|c| !matches!(c, ',' | ']')).collect();
        let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse::<u64>().ok());
        let first = numbers.next().unwrap_or(0);
        sum = (sum.0 + first, sum.1 + numbers.next().unwrap_or(first));
    }
    sum
}

/// Bytes that the plan's scans read: `bytes_scanned=832` or `bytes_scanned=1.83 K`.
fn bytes_scanned(plan: &str) -> u64 {
    let figures = plan.split("bytes_scanned=").skip(1).map(|rest| {
        let text = rest.split([',', ']']).next().unwrap_or_default();
        let mut words = text.split_whitespace();
        let number: f64 = words.next().unwrap_or_default().parse().unwrap();
        (number * if words.next() == Some("K") { 1000.0 } else { 1.0 }) as u64
    });
    figures.sum()
}

#[tokio::test]
async fn files_out_of_the_range_are_not_opened() {
    let lake = TestLake::new(Form::Files);
    let spans = lake.snapshot.files.iter().filter(|file| file.table.name() == "spans").count();
    assert_eq!(spans, 2, "one for each day");
    let range = TimeRange { from: Timestamp::from_nanos(NOON - HOUR / 2), to: Timestamp::from_nanos(NOON + HOUR / 2) };
    let request = SqlRequest { range, ..sql("EXPLAIN SELECT name FROM spans") };
    let plan = table(&lake.engine, request).await.unwrap();
    assert_eq!(plan.matches(".parquet").count(), 1, "{plan}");
    let plan =
        table(&lake.engine, sql("EXPLAIN SELECT name FROM spans WHERE start_time >= TIMESTAMP '2026-01-31T12:30:00Z'"))
            .await
            .unwrap();
    assert_eq!(plan.matches(".parquet").count(), 1, "{plan}");
}

#[tokio::test]
async fn trace_ids_prune_row_groups_by_their_bloom_filters() {
    let lake = TestLake::new(Form::Files);
    let plan = explain(&lake, "SELECT name FROM spans WHERE trace_id = 'A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1'").await;
    assert_eq!(figure(&plan, "row_groups_pruned_bloom_filter"), (4, 1), "{plan}");
    let plan = explain(&lake, "SELECT name FROM spans WHERE trace_id = '10101010101010107fffffffffffffff'").await;
    assert_eq!(figure(&plan, "output_rows").0, 0, "{plan}");
    assert_eq!(figure(&plan, "row_groups_pruned_bloom_filter").1, 0, "{plan}");
}

#[tokio::test]
async fn attributes_read_their_own_columns_only() {
    let lake = TestLake::new(Form::Files);
    let bytes = async |statement: &str| {
        let plan = explain(&lake, statement).await;
        assert!(!plan.contains("FilterExec"), "the scan filters:\n{plan}");
        bytes_scanned(&plan)
    };
    // The first asks for the footers too; they are cached from then on.
    bytes("SELECT max(attributes) FROM spans").await;
    let whole = bytes("SELECT max(attributes) FROM spans").await;
    let one = bytes("SELECT count(*) FROM spans WHERE attributes['http.route'] = '/cart'").await;
    let grouped = bytes("SELECT attributes['http.route'], count(*) FROM spans GROUP BY 1").await;
    let typed = bytes("SELECT max(attribute_int(attributes, 'http.response.status_code')) FROM spans").await;
    let absent = bytes("SELECT count(*) FROM spans WHERE attributes['no.such.key'] = 'x'").await;
    for (what, bytes) in [("filter", one), ("group", grouped), ("typed", typed)] {
        assert!(bytes * 3 < whole, "{what}: {bytes} of {whole}");
    }
    assert_eq!(absent, 0, "a key that no file has needs no reading");
}

#[tokio::test]
async fn the_newest_rows_alone_are_read_whole() {
    let lake = TestLake::new(Form::Files);
    let all = explain(&lake, "SELECT * FROM spans").await;
    let newest = explain(&lake, "SELECT * FROM spans ORDER BY start_time DESC LIMIT 2").await;
    let scanned = |plan: &str| {
        let scans = plan.lines().filter(|line| line.contains("DataSourceExec"));
        scans.map(|line| figure(line, "output_rows").0).sum::<u64>()
    };
    assert!(scanned(&newest) * 10 < scanned(&all), "{} of {} rows:\n{newest}", scanned(&newest), scanned(&all));

    // Another draw of random numbers would give another bound, and too few rows.
    let has_bound = |plan: &str| plan.lines().any(|line| line.contains("start_time@") && line.contains(" >= "));
    let sample = explain(&lake, "SELECT * FROM spans WHERE random() < 0.9 ORDER BY start_time DESC LIMIT 2").await;
    assert!(has_bound(&newest) && !has_bound(&sample), "{newest}\n{sample}");
}

#[tokio::test]
async fn attribute_values_prune_row_groups() {
    let lake = TestLake::new(Form::Files);
    let plan = explain(&lake, "SELECT name FROM spans WHERE attributes['user.id'] = 'user-200'").await;
    let (all, left) = figure(&plan, "row_groups_pruned_statistics");
    assert!(left < all, "{plan}");
    assert_eq!(figure(&plan, "output_rows").0, 1, "{plan}");
}

#[tokio::test]
async fn counts_come_from_the_catalog() {
    let lake = TestLake::new(Form::Files);
    let plan = table(&lake.engine, sql("EXPLAIN SELECT count(*), max(start_time) FROM spans")).await.unwrap();
    assert!(!plan.contains(".parquet"), "{plan}");
}
