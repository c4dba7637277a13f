//! The query engine over a small lake.
#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod lake;
mod limits;
mod perfetto;
mod pruning;
mod reference;
mod safety;
mod sql;

use arrow::record_batch::RecordBatch;
use arrow::util::pretty::pretty_format_batches_with_schema;
use futures::TryStreamExt;
use glasshouse_query::Engine;
use glasshouse_tables::ports::{QueryEngine, QueryError, SqlRequest};

/// All batches of an answer; each has the announced schema.
async fn ask(engine: &Engine, request: SqlRequest) -> Result<Vec<RecordBatch>, QueryError> {
    let stream = engine.query(request).await?;
    let schema = stream.schema;
    let batches: Vec<_> = stream.batches.try_collect().await?;
    for batch in &batches {
        assert_eq!(batch.schema(), schema, "an answer has the schema that was announced");
    }
    Ok(batches)
}

fn sql(text: &str) -> SqlRequest {
    SqlRequest { sql: text.to_owned(), ..SqlRequest::default() }
}

/// An answer as a table of text.
async fn table(engine: &Engine, request: SqlRequest) -> Result<String, QueryError> {
    let stream = engine.query(request).await?;
    let schema = stream.schema;
    let batches: Vec<_> = stream.batches.try_collect().await?;
    Ok(pretty_format_batches_with_schema(schema, &batches).unwrap().to_string())
}

/// The first column of an answer's first row.
async fn number(engine: &Engine, request: SqlRequest) -> i64 {
    use arrow::array::AsArray;
    use arrow::datatypes::Int64Type;
    ask(engine, request).await.unwrap()[0].column(0).as_primitive::<Int64Type>().value(0)
}
