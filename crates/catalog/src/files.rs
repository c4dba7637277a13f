//! Which files there are: live ones, and those that wait to be forgotten or deleted.

use std::collections::HashSet;
use std::sync::Arc;

use glasshouse_model::Timestamp;
use glasshouse_tables::{DataFile, Table};

use crate::columns::TableColumns;
use crate::commit::{id_list, table_of};
use crate::database::{Row, Transaction, Value};
use crate::ducklake::FILES_SCHEDULED;
use crate::head::{self, Head};
use crate::{CatalogError, Expired, LiveFiles, stats};

/// Rows changed by one statement when much has to be cleared away.
const CHUNK: usize = 1_000;

/// The files of a snapshot, of the newest one when `None`.
pub(crate) async fn live(
    transaction: &mut Transaction,
    tables: &[Arc<TableColumns>],
    snapshot: Option<i64>,
) -> Result<LiveFiles, CatalogError> {
    let snapshot = match snapshot {
        None => Head::load(transaction).await?.snapshot,
        Some(wanted) => {
            let sql = "SELECT snapshot_id FROM ducklake_snapshot WHERE snapshot_id = $1";
            let rows = transaction.rows(sql, &[wanted.into()]).await?;
            rows.first().ok_or(CatalogError::NoSnapshot(wanted))?.int(0)?
        }
    };
    let mut files = Vec::new();
    for table in Table::ALL {
        let columns = &tables[table as usize];
        let time = columns.ids.get(table.time_column()).expect("every table has its time column");
        let sql = "SELECT f.data_file_id, f.path, f.path_is_relative, f.record_count, f.file_size_bytes, f.footer_size, \
                          s.min_value, s.max_value \
                   FROM ducklake_data_file f LEFT JOIN ducklake_file_column_stats s \
                     ON s.data_file_id = f.data_file_id AND s.column_id = $2 \
                   WHERE f.table_id = $1 AND f.begin_snapshot <= $3 AND (f.end_snapshot IS NULL OR f.end_snapshot > $3)";
        let values = [columns.table_id.into(), i64::from(time).into(), snapshot.into()];
        for row in transaction.rows(sql, &values).await? {
            let bound = |column| -> Result<Option<Timestamp>, CatalogError> {
                Ok(row.optional_text(column)?.as_deref().and_then(stats::parse_time))
            };
            files.push(DataFile {
                id: row.int(0)?,
                table,
                path: path(Some(table), &row, 1)?,
                rows: row.int(3)? as u64,
                bytes: row.int(4)? as u64,
                footer_bytes: row.int(5)? as u64,
                min_time: bound(6)?.unwrap_or(Timestamp::MIN),
                max_time: bound(7)?.unwrap_or(Timestamp::MAX),
            });
        }
    }
    files.sort_unstable_by_key(|file| file.id);
    Ok(LiveFiles { snapshot, files })
}

/// Forgets snapshots that were not the newest any more at `before` and schedules the files that only they held.
pub(crate) async fn expire(
    transaction: &mut Transaction,
    tables: &[Arc<TableColumns>],
    before: Timestamp,
    now: Timestamp,
) -> Result<Expired, CatalogError> {
    let sql = "SELECT snapshot_id, CAST(snapshot_time AS VARCHAR) FROM ducklake_snapshot ORDER BY snapshot_id";
    let mut oldest_kept = 0;
    for row in transaction.rows(sql, &[]).await? {
        if head::parse_time(&row.text(1)?).is_none_or(|time| time >= before) {
            break;
        }
        oldest_kept = row.int(0)?;
    }
    let kept = [Value::from(oldest_kept)];
    let snapshots = transaction.execute("DELETE FROM ducklake_snapshot WHERE snapshot_id < $1", &kept).await?;
    transaction.execute("DELETE FROM ducklake_snapshot_changes WHERE snapshot_id < $1", &kept).await?;
    let sql = "SELECT data_file_id, table_id, path, path_is_relative FROM ducklake_data_file WHERE end_snapshot <= $1";
    let (mut ids, mut scheduled) = (Vec::new(), Vec::new());
    for row in transaction.rows(sql, &kept).await? {
        let id = row.int(0)?;
        ids.push(id);
        let table = table_of(tables, row.int(1)?);
        let relative = table.is_some() && is_relative(&row, 3)?;
        scheduled.push(vec![id.into(), path(table, &row, 2)?.into(), relative.into(), head::time_text(now).into()]);
    }
    transaction.insert(&FILES_SCHEDULED, &scheduled).await?;
    for ids in ids.chunks(CHUNK) {
        for table in ["ducklake_data_file", "ducklake_file_column_stats", "ducklake_file_partition_value"] {
            let sql = format!("DELETE FROM {table} WHERE data_file_id IN ({})", id_list(ids));
            transaction.execute(&sql, &[]).await?;
        }
    }
    Ok(Expired { snapshots, files: ids.len() as u64 })
}

/// Paths of files scheduled for deletion before a moment.
pub(crate) async fn due(transaction: &mut Transaction, before: Timestamp) -> Result<Vec<String>, CatalogError> {
    let sql = "SELECT path, CAST(schedule_start AS VARCHAR) FROM ducklake_files_scheduled_for_deletion \
               WHERE path_is_relative = $1";
    let mut due = Vec::new();
    for row in transaction.rows(sql, &[true.into()]).await? {
        if head::parse_time(&row.text(1)?).is_some_and(|time| time < before) {
            due.push(row.text(0)?);
        }
    }
    Ok(due)
}

/// Takes deleted files off the schedule.
pub(crate) async fn deleted(transaction: &mut Transaction, paths: &[String]) -> Result<(), CatalogError> {
    for paths in paths.chunks(CHUNK) {
        let places: Vec<_> = (1..=paths.len()).map(|i| format!("${i}")).collect();
        let sql = format!("DELETE FROM ducklake_files_scheduled_for_deletion WHERE path IN ({})", places.join(", "));
        let values: Vec<Value> = paths.iter().map(|path| path.as_str().into()).collect();
        transaction.execute(&sql, &values).await?;
    }
    Ok(())
}

/// Every path of the catalog.
pub(crate) async fn known(
    transaction: &mut Transaction,
    tables: &[Arc<TableColumns>],
) -> Result<HashSet<String>, CatalogError> {
    let mut known = HashSet::new();
    let sql = "SELECT table_id, path, path_is_relative FROM ducklake_data_file";
    for row in transaction.rows(sql, &[]).await? {
        known.insert(path(table_of(tables, row.int(0)?), &row, 1)?);
    }
    for row in transaction.rows("SELECT path FROM ducklake_files_scheduled_for_deletion", &[]).await? {
        known.insert(row.text(0)?);
    }
    Ok(known)
}

/// A file's path, relative to the data folder; the row says whether it is kept relative to the table's.
fn path(table: Option<Table>, row: &Row, column: usize) -> Result<String, CatalogError> {
    let path = row.text(column)?;
    Ok(match table {
        Some(table) if is_relative(row, column + 1)? => format!("{}/{path}", table.name()),
        _ => path,
    })
}

fn is_relative(row: &Row, column: usize) -> Result<bool, CatalogError> {
    Ok(row.optional_bool(column)?.unwrap_or(true))
}
