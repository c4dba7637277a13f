//! Catalogs, schemas and tables, as the engine's own information schema tells of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use arrow_flight::sql::{CommandGetCatalogs, CommandGetDbSchemas, CommandGetTables};
use futures::TryStreamExt;
use glasshouse_tables::ports::{QueryEngine, QueryError, SqlRequest};
use tonic::Status;

use crate::Refusal;

/// What [`CommandGetTableTypes`](arrow_flight::sql::CommandGetTableTypes) answers.
pub(super) const TABLE_TYPES: [&str; 2] = ["TABLE", "VIEW"];

/// A table or view.
struct Table {
    catalog: String,
    schema: String,
    name: String,
    kind: &'static str,
}

pub(super) async fn catalogs(engine: &dyn QueryEngine, query: CommandGetCatalogs) -> Result<RecordBatch, Status> {
    let mut builder = query.into_builder();
    let names: BTreeSet<_> = tables(engine).await?.into_iter().map(|table| table.catalog).collect();
    for name in names {
        builder.append(name);
    }
    Ok(builder.build()?)
}

pub(super) async fn schemas(engine: &dyn QueryEngine, query: CommandGetDbSchemas) -> Result<RecordBatch, Status> {
    let mut builder = query.into_builder();
    let names: BTreeSet<_> = tables(engine).await?.into_iter().map(|table| (table.catalog, table.schema)).collect();
    for (catalog, schema) in names {
        builder.append(catalog, schema);
    }
    Ok(builder.build()?)
}

pub(super) async fn get_tables(engine: &dyn QueryEngine, query: CommandGetTables) -> Result<RecordBatch, Status> {
    let include_schema = query.include_schema;
    let mut builder = query.into_builder();
    for Table { catalog, schema, name, kind } in tables(engine).await? {
        let columns =
            if include_schema { columns(engine, &catalog, &schema, &name).await? } else { Arc::new(Schema::empty()) };
        builder.append(catalog, schema, name, kind, &columns)?;
    }
    Ok(builder.build()?)
}

async fn tables(engine: &dyn QueryEngine) -> Result<Vec<Table>, Status> {
    let sql = "SELECT table_catalog, table_schema, table_name, table_type FROM information_schema.tables \
               ORDER BY table_catalog, table_schema, table_name";
    let request = SqlRequest { sql: sql.to_owned(), ..SqlRequest::default() };
    let batches: Vec<RecordBatch> = async { engine.query(request).await?.batches.try_collect().await }
        .await
        .map_err(|error: QueryError| Status::from(Refusal::from(error)))?;
    let mut tables = Vec::new();
    for batch in &batches {
        let text = |column: usize, row: usize| {
            let values = batch.columns().get(column).and_then(|values| values.as_string_opt::<i32>());
            let values = values.ok_or_else(|| Status::internal("information_schema.tables has no such text column"))?;
            Ok::<_, Status>(if values.is_null(row) { String::new() } else { values.value(row).to_owned() })
        };
        for row in 0..batch.num_rows() {
            let kind = if text(3, row)? == "VIEW" { "VIEW" } else { "TABLE" };
            tables.push(Table { catalog: text(0, row)?, schema: text(1, row)?, name: text(2, row)?, kind });
        }
    }
    Ok(tables)
}

async fn columns(engine: &dyn QueryEngine, catalog: &str, schema: &str, name: &str) -> Result<SchemaRef, Status> {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let sql = format!("SELECT * FROM {}.{}.{}", quoted(catalog), quoted(schema), quoted(name));
    let description = engine.describe(&sql).await.map_err(|error| Status::from(Refusal::from(error)))?;
    Ok(description.schema)
}
