//! One change of the lake: files in, files out, statistics and watermark, in one transaction.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use glasshouse_model::Timestamp;
use glasshouse_tables::{ColumnStats, DataFile, NewFile, Table};
use uuid::Uuid;

use crate::columns::TableColumns;
use crate::database::{Transaction, Value};
use crate::ducklake::{DATA_FILE, FILE_COLUMN_STATS, TABLE_COLUMN_STATS, TABLE_STATS};
use crate::head::Head;
use crate::stats::TableColumnStats;
use crate::{CatalogError, Commit, Committed};

/// Numbers in one `IN (…)`.
const LIST: usize = 5_000;

/// A row of `ducklake_table_stats`.
#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    rows: i64,
    next_row_id: i64,
    bytes: i64,
}

/// What one commit changes in a table.
#[derive(Debug, Default)]
struct TableChange<'a> {
    added: Vec<&'a NewFile>,
    removed: Totals,
    removes: bool,
}

/// Writes the commit down within a transaction.
pub(crate) async fn apply(
    transaction: &mut Transaction,
    commit: &Commit,
    tables: &[Arc<TableColumns>],
    now: Timestamp,
) -> Result<Committed, CatalogError> {
    let current = Head::load(transaction).await?;
    if let Some((writer, watermark)) = commit.watermark {
        move_watermark(transaction, writer, watermark).await?;
    }
    if commit.add.is_empty() && commit.remove.is_empty() {
        return Ok(Committed { snapshot: current.snapshot, added: Vec::new() });
    }
    let mut head = current.next();
    let mut changes: BTreeMap<i64, TableChange<'_>> = BTreeMap::new();
    end_files(transaction, &commit.remove, head.snapshot, &mut changes).await?;
    for file in &commit.add {
        changes.entry(tables[file.table as usize].table_id).or_default().added.push(file);
    }
    let mut ids = HashMap::new();
    let mut made = Vec::new();
    for (&table_id, change) in &changes {
        let totals = update_totals(transaction, table_id, change).await?;
        if !change.added.is_empty() {
            let columns =
                tables.iter().find(|columns| columns.table_id == table_id).expect("added files are of a table");
            widen_bounds(transaction, columns, &change.added, totals.next_row_id > 0).await?;
            add_files(transaction, columns, change, totals.next_row_id, &mut head, &mut ids).await?;
            made.push(format!("inserted_into_table:{table_id}"));
        }
        if change.removes {
            made.push(format!("deleted_from_table:{table_id}"));
        }
    }
    head.publish(transaction, now, &made).await?;
    let added = commit.add.iter().map(|file| data_file(ids[file.path.as_str()], file)).collect();
    Ok(Committed { snapshot: head.snapshot, added })
}

async fn move_watermark(transaction: &mut Transaction, writer: Uuid, watermark: u64) -> Result<(), CatalogError> {
    let sql = "INSERT INTO glasshouse_writer (writer_id, watermark) VALUES ($1, $2) \
               ON CONFLICT (writer_id) DO UPDATE SET watermark = excluded.watermark";
    transaction.execute(sql, &[writer.to_string().into(), (watermark as i64).into()]).await.map(drop)
}

/// Ends live files with `snapshot` and counts what they held.
async fn end_files(
    transaction: &mut Transaction,
    ids: &[i64],
    snapshot: i64,
    changes: &mut BTreeMap<i64, TableChange<'_>>,
) -> Result<(), CatalogError> {
    for ids in ids.chunks(LIST) {
        let list = id_list(ids);
        let sql = format!(
            "SELECT data_file_id, table_id, record_count, file_size_bytes FROM ducklake_data_file \
             WHERE data_file_id IN ({list}) AND end_snapshot IS NULL"
        );
        let mut live = Vec::with_capacity(ids.len());
        for row in transaction.rows(&sql, &[]).await? {
            live.push(row.int(0)?);
            let change = changes.entry(row.int(1)?).or_default();
            change.removes = true;
            change.removed.rows += row.int(2)?;
            change.removed.bytes += row.int(3)?;
        }
        live.sort_unstable();
        if let Some(gone) = ids.iter().find(|id| live.binary_search(id).is_err()) {
            return Err(CatalogError::Gone(*gone));
        }
        let sql = format!("UPDATE ducklake_data_file SET end_snapshot = $1 WHERE data_file_id IN ({list})");
        transaction.execute(&sql, &[snapshot.into()]).await?;
    }
    Ok(())
}

/// Brings `ducklake_table_stats` up to date; answers what it said before.
async fn update_totals(
    transaction: &mut Transaction,
    table_id: i64,
    change: &TableChange<'_>,
) -> Result<Totals, CatalogError> {
    let sql = "SELECT record_count, next_row_id, file_size_bytes FROM ducklake_table_stats WHERE table_id = $1";
    let rows = transaction.rows(sql, &[table_id.into()]).await?;
    let before = if let Some(row) = rows.first() {
        Totals { rows: row.int(0)?, next_row_id: row.int(1)?, bytes: row.int(2)? }
    } else {
        transaction.insert(&TABLE_STATS, &[vec![table_id.into(), 0.into(), 0.into(), 0.into()]]).await?;
        Totals::default()
    };
    let rows: i64 = change.added.iter().map(|file| file.rows as i64).sum();
    let bytes: i64 = change.added.iter().map(|file| file.bytes as i64).sum();
    let sql = "UPDATE ducklake_table_stats SET record_count = $1, next_row_id = $2, file_size_bytes = $3 \
               WHERE table_id = $4";
    let values = [
        (before.rows + rows - change.removed.rows).into(),
        (before.next_row_id + rows).into(),
        (before.bytes + bytes - change.removed.bytes).into(),
        table_id.into(),
    ];
    transaction.execute(sql, &values).await?;
    Ok(before)
}

/// Takes the new files into `ducklake_table_column_stats`. Engines leave out what these bounds exclude,
/// so they must hold every live value.
async fn widen_bounds(
    transaction: &mut Transaction,
    columns: &TableColumns,
    files: &[&NewFile],
    older_rows: bool,
) -> Result<(), CatalogError> {
    let sql = "SELECT column_id, contains_null, contains_nan, min_value, max_value \
               FROM ducklake_table_column_stats WHERE table_id = $1";
    let mut known: BTreeMap<i32, TableColumnStats> = BTreeMap::new();
    for row in transaction.rows(sql, &[columns.table_id.into()]).await? {
        known.insert(row.int(0)? as i32, TableColumnStats::read(&row, 1)?);
    }
    let before = known.clone();
    for (i, file) in files.iter().enumerate() {
        let of_file: HashMap<i32, &ColumnStats> = file.columns.iter().map(|stats| (stats.column_id, stats)).collect();
        for (id, stats) in &mut known {
            if !of_file.contains_key(id) {
                stats.contains_null = Some(true); // the column is NULL in all rows of this file
            }
        }
        for stats in &file.columns {
            let reason = || format!("column {} is not one of the table's", stats.column_id);
            let kind = columns.leaves.get(&stats.column_id);
            let kind = *kind.ok_or_else(|| CatalogError::File { path: file.path.clone(), reason: reason() })?;
            match known.get_mut(&stats.column_id) {
                Some(known) => known.merge(kind, stats),
                // NULL bounds mean "unknown", so a column has none at all before its first value.
                None if stats.values == 0 => {}
                None => {
                    known.insert(stats.column_id, TableColumnStats::first(kind, stats, older_rows || i > 0));
                }
            }
        }
    }
    known.retain(|id, stats| before.get(id) != Some(stats));
    if known.is_empty() {
        return Ok(());
    }
    let changed: Vec<i64> = known.keys().map(|id| i64::from(*id)).collect();
    let sql =
        format!("DELETE FROM ducklake_table_column_stats WHERE table_id = $1 AND column_id IN ({})", id_list(&changed));
    transaction.execute(&sql, &[columns.table_id.into()]).await?;
    let rows: Vec<_> = known.iter().map(|(id, stats)| stats.row(columns.table_id, *id)).collect();
    transaction.insert(&TABLE_COLUMN_STATS, &rows).await
}

async fn add_files<'a>(
    transaction: &mut Transaction,
    columns: &TableColumns,
    change: &TableChange<'a>,
    mut row_id: i64,
    head: &mut Head,
    ids: &mut HashMap<&'a str, i64>,
) -> Result<(), CatalogError> {
    let (mut files, mut stats) = (Vec::new(), Vec::new());
    for file in &change.added {
        let id = head.next_file_id;
        head.next_file_id += 1;
        if ids.insert(&file.path, id).is_some() {
            return Err(CatalogError::File { path: file.path.clone(), reason: "it is added twice".to_owned() });
        }
        files.push(vec![
            id.into(),
            columns.table_id.into(),
            head.snapshot.into(),
            Value::Int(None),
            Value::Int(None),
            path_in_table(file)?.into(),
            true.into(),
            "parquet".into(),
            (file.rows as i64).into(),
            (file.bytes as i64).into(),
            (file.footer_bytes as i64).into(),
            row_id.into(),
            Value::Int(None),
            Value::Text(None),
            Value::Int(None),
            Value::Int(None),
        ]);
        row_id += file.rows as i64;
        stats.extend(file.columns.iter().map(|column| file_stats(id, columns, column)));
    }
    transaction.insert(&DATA_FILE, &files).await?;
    transaction.insert(&FILE_COLUMN_STATS, &stats).await
}

fn file_stats(file_id: i64, columns: &TableColumns, stats: &ColumnStats) -> Vec<Value> {
    let bound = |value: &Option<_>| columns.leaves[&stats.column_id].bound(value.as_ref());
    vec![
        file_id.into(),
        columns.table_id.into(),
        i64::from(stats.column_id).into(),
        (stats.bytes as i64).into(),
        (stats.values as i64).into(),
        (stats.nulls as i64).into(),
        bound(&stats.min).into(),
        bound(&stats.max).into(),
        stats.has_nan.into(),
        Value::Text(None),
    ]
}

/// The catalog keeps paths relative to the table's folder.
fn path_in_table(file: &NewFile) -> Result<&str, CatalogError> {
    let rest = file.path.strip_prefix(file.table.name()).and_then(|rest| rest.strip_prefix('/'));
    rest.ok_or_else(|| CatalogError::File {
        path: file.path.clone(),
        reason: format!("it is not in the folder {}/", file.table.name()),
    })
}

fn data_file(id: i64, file: &NewFile) -> DataFile {
    DataFile {
        id,
        table: file.table,
        path: file.path.clone(),
        rows: file.rows,
        bytes: file.bytes,
        footer_bytes: file.footer_bytes,
        min_time: file.min_time,
        max_time: file.max_time,
    }
}

/// Numbers for an `IN (…)`.
pub(crate) fn id_list(ids: &[i64]) -> String {
    ids.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")
}

/// The table of this id.
pub(crate) fn table_of(tables: &[Arc<TableColumns>], table_id: i64) -> Option<Table> {
    Table::ALL.into_iter().find(|table| tables[*table as usize].table_id == table_id)
}
