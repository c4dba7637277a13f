//! Making a catalog, and making an existing one fit.

use glasshouse_model::Timestamp;
use glasshouse_tables::Table;
use uuid::Uuid;

use crate::columns::{Declared, TableColumns, declared};
use crate::database::{Transaction, Value};
use crate::ducklake::{
    DOCUMENT, INDEXES, METADATA, SCHEMA, SCHEMA_VERSIONS, TABLE, TABLE_STATS, TAG, VERSION, WRITER, all_tables,
};
use crate::head::Head;
use crate::{CatalogError, CatalogOptions};

/// The only schema, as DuckDB makes it in every lake.
const SCHEMA_ID: i64 = 0;

/// Opens the catalog within a transaction; answers the columns of each table.
pub(crate) async fn open(
    transaction: &mut Transaction,
    options: &CatalogOptions,
    now: Timestamp,
) -> Result<Vec<TableColumns>, CatalogError> {
    if transaction.has_table(METADATA.name).await? {
        check(transaction, &data_path(&options.data_path)).await?;
        transaction.create(&WRITER).await?;
        transaction.create(&DOCUMENT).await?;
    } else if options.create {
        create(transaction, &data_path(&options.data_path), now).await?;
    } else {
        return Err(CatalogError::Incompatible("the database holds none".to_owned()));
    }
    for index in INDEXES {
        transaction.execute(index, &[]).await?;
    }
    declare_tables(transaction, now).await
}

/// Adds columns to tables, as one snapshot; answers the tables' columns after it. Without anything to
/// add, no snapshot is made.
pub(crate) async fn add_columns(
    transaction: &mut Transaction,
    tables: Vec<(TableColumns, Vec<Declared>)>,
    now: Timestamp,
) -> Result<Vec<TableColumns>, CatalogError> {
    let mut head = Head::load(transaction).await?.next();
    head.schema_version += 1;
    let mut changes = Vec::new();
    let mut after = Vec::with_capacity(tables.len());
    for (columns, wanted) in tables {
        if !columns.add(transaction, head.snapshot, &wanted).await? {
            after.push(columns);
            continue;
        }
        let table_id = columns.table_id;
        changes.push(format!("altered_table:{table_id}"));
        let version = vec![head.snapshot.into(), head.schema_version.into(), table_id.into()];
        transaction.insert(&SCHEMA_VERSIONS, &[version]).await?;
        after.push(TableColumns::load(transaction, table_id).await?);
    }
    if !changes.is_empty() {
        head.publish(transaction, now, &changes).await?;
    }
    Ok(after)
}

/// The UUID of the schema.
pub(crate) async fn identity(transaction: &mut Transaction) -> Result<Uuid, CatalogError> {
    let sql = "SELECT CAST(schema_uuid AS VARCHAR) FROM ducklake_schema WHERE schema_id = $1";
    let rows = transaction.rows(sql, &[SCHEMA_ID.into()]).await?;
    let text = rows.first().map(|row| row.text(0)).transpose()?.unwrap_or_default();
    Uuid::try_parse(&text).map_err(|_| CatalogError::Incompatible(format!("its schema has the UUID {text:?}")))
}

async fn create(transaction: &mut Transaction, data_path: &str, now: Timestamp) -> Result<(), CatalogError> {
    for table in all_tables() {
        transaction.create(table).await?;
    }
    let entry = |key: &str, value: &str| vec![key.into(), value.into(), Value::Text(None), Value::Int(None)];
    let metadata = [
        entry("version", VERSION),
        entry("created_by", concat!("Glasshouse ", env!("CARGO_PKG_VERSION"))),
        entry("data_path", data_path),
        entry("encrypted", "false"),
    ];
    transaction.insert(&METADATA, &metadata).await?;
    let schema = vec![
        SCHEMA_ID.into(),
        Uuid::now_v7().to_string().into(),
        0.into(),
        Value::Int(None),
        "main".into(),
        "".into(),
        true.into(),
    ];
    transaction.insert(&SCHEMA, &[schema]).await?;
    let head = Head { next_catalog_id: SCHEMA_ID + 1, ..Head::default() };
    head.publish(transaction, now, &["created_schema:\"main\"".to_owned()]).await
}

async fn check(transaction: &mut Transaction, data_path: &str) -> Result<(), CatalogError> {
    let value = |rows: &[crate::database::Row]| rows.first().map(|row| row.text(0)).transpose();
    let sql = "SELECT value FROM ducklake_metadata WHERE key = $1 AND scope IS NULL";
    let version = value(&transaction.rows(sql, &["version".into()]).await?)?;
    if version.as_deref() != Some(VERSION) {
        let found = version.unwrap_or_else(|| "none".to_owned());
        return Err(CatalogError::Incompatible(format!("it is of DuckLake version {found}, not {VERSION}")));
    }
    if value(&transaction.rows(sql, &["encrypted".into()]).await?)?.as_deref() == Some("true") {
        return Err(CatalogError::Incompatible("its files are encrypted".to_owned()));
    }
    let known = value(&transaction.rows(sql, &["data_path".into()]).await?)?.unwrap_or_default();
    if known == data_path {
        return Ok(());
    }
    if known.contains("://") || data_path.contains("://") {
        return Err(CatalogError::Incompatible(format!("its data is in {known}, not in {data_path}")));
    }
    // A local folder is the same wherever it was moved to, as long as the catalog moved with it.
    let sql = "UPDATE ducklake_metadata SET value = $1 WHERE key = 'data_path' AND scope IS NULL";
    transaction.execute(sql, &[data_path.into()]).await.map(drop)
}

async fn declare_tables(transaction: &mut Transaction, now: Timestamp) -> Result<Vec<TableColumns>, CatalogError> {
    let sql = "SELECT table_name, table_id FROM ducklake_table WHERE end_snapshot IS NULL AND schema_id = $1";
    let mut known = Vec::new();
    for row in transaction.rows(sql, &[SCHEMA_ID.into()]).await? {
        known.push((row.text(0)?, row.int(1)?));
    }
    let mut head = Head::load(transaction).await?.next();
    head.schema_version += 1;
    let (mut made, mut tables) = (Vec::new(), Vec::new());
    for table in Table::ALL {
        let columns = if let Some((_, id)) = known.iter().find(|(name, _)| name == table.name()) {
            TableColumns::load(transaction, *id).await?
        } else {
            made.push(format!("created_table:\"main\".\"{}\"", table.name()));
            create_table(transaction, table, &mut head).await?
        };
        tables.push((columns, declared(table)));
    }
    if !made.is_empty() {
        head.publish(transaction, now, &made).await?;
    }
    add_columns(transaction, tables, now).await
}

/// A new table with its columns, which takes the next id of the catalog.
async fn create_table(
    transaction: &mut Transaction,
    table: Table,
    head: &mut Head,
) -> Result<TableColumns, CatalogError> {
    let id = head.next_catalog_id;
    head.next_catalog_id += 1;
    let row = vec![
        id.into(),
        Uuid::now_v7().to_string().into(),
        head.snapshot.into(),
        Value::Int(None),
        SCHEMA_ID.into(),
        table.name().into(),
        format!("{}/", table.name()).into(),
        true.into(),
    ];
    transaction.insert(&TABLE, &[row]).await?;
    let comment = vec![id.into(), head.snapshot.into(), Value::Int(None), "comment".into(), table.doc().into()];
    transaction.insert(&TAG, &[comment]).await?;
    transaction.insert(&TABLE_STATS, &[vec![id.into(), 0.into(), 0.into(), 0.into()]]).await?;
    let version = vec![head.snapshot.into(), head.schema_version.into(), id.into()];
    transaction.insert(&SCHEMA_VERSIONS, &[version]).await?;
    TableColumns::new(id).add(transaction, head.snapshot, &declared(table)).await?;
    TableColumns::load(transaction, id).await
}

/// The data path as other engines need it: ends with a slash.
fn data_path(path: &str) -> String {
    let path = path.strip_prefix("file://").unwrap_or(path);
    if path.ends_with('/') { path.to_owned() } else { format!("{path}/") }
}
