//! An engine that knows a few sentences, and a server before it.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use arrow::array::{DictionaryArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use arrow_flight::sql::client::FlightSqlServiceClient;
use async_trait::async_trait;
use futures::{Stream, StreamExt};
use glasshouse_model::{Clock, Timestamp};
use glasshouse_server::flight_sql;
use glasshouse_tables::Table;
use glasshouse_tables::ports::{QueryEngine, QueryError, SqlDescription, SqlRequest, SqlStream};
use tonic::transport::{Channel, Endpoint};

pub const NOW: Timestamp = Timestamp::from_nanos(1_700_000_000_000_000_000);
/// Rows of each batch of `numbers` and `endless`.
pub const BATCH: usize = 8192;

/// What it was asked and how far its answers got.
#[derive(Debug, Default)]
pub struct FakeEngine {
    pub asked: Mutex<Vec<SqlRequest>>,
    /// Batches computed for `endless`.
    pub computed: Arc<AtomicUsize>,
    /// Answers to `endless` that were dropped.
    pub dropped: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        NOW
    }
}

#[async_trait]
impl QueryEngine for FakeEngine {
    async fn query(&self, request: SqlRequest) -> Result<SqlStream, QueryError> {
        let description = self.describe(&request.sql).await?;
        self.asked.lock().unwrap().push(request.clone());
        let schema = Arc::clone(&description.schema);
        let batches = match request.sql.split_whitespace().collect::<Vec<_>>()[..] {
            ["numbers", count] => {
                let count: usize = count.parse().unwrap();
                let batch = move |start: usize| Ok(numbers(start, BATCH.min(count - start)));
                futures::stream::iter((0..count).step_by(BATCH).map(batch)).boxed()
            }
            ["endless"] => Endless { computed: Arc::clone(&self.computed), dropped: Arc::clone(&self.dropped) }.boxed(),
            ["stuck"] => std::future::pending().await,
            ["fails"] => {
                futures::stream::iter([Ok(numbers(0, 1)), Err(QueryError::Failed("disk on fire".to_owned()))]).boxed()
            }
            ["limited"] => return Err(QueryError::Limit("more than 1 GiB".to_owned())),
            ["echo", "$1"] => match request.parameters {
                Some(row) => {
                    let schema = row.schema();
                    return Ok(SqlStream {
                        schema,
                        batches: futures::stream::iter([Ok(row)]).boxed(),
                        statistics: Arc::default(),
                    });
                }
                None => return Err(QueryError::Invalid("no value for $1".to_owned())),
            },
            ["dictionary"] => {
                let column: DictionaryArray<Int32Type> = ["a", "b", "a"].into_iter().collect();
                let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(column)]);
                futures::stream::iter([Ok(batch.unwrap())]).boxed()
            }
            _ => futures::stream::iter([Ok(tables())]).boxed(),
        };
        Ok(SqlStream { schema, batches, statistics: Arc::default() })
    }

    async fn describe(&self, sql: &str) -> Result<SqlDescription, QueryError> {
        let of = |fields: Vec<Field>| Arc::new(Schema::new(fields));
        let mut parameters = Arc::new(Schema::empty());
        let schema: SchemaRef = match sql.split_whitespace().next() {
            Some("numbers" | "endless" | "stuck" | "fails" | "limited") => numbers(0, 0).schema(),
            Some("echo") => {
                parameters = of(vec![Field::new("$1", DataType::Utf8, true)]);
                of(vec![Field::new("$1", DataType::Null, true)])
            }
            Some("dictionary") => {
                let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
                of(vec![Field::new("word", dictionary, true)])
            }
            Some("SELECT") if sql.contains("information_schema.tables") => tables().schema(),
            Some("SELECT") if sql.ends_with("\"glasshouse\".\"main\".\"spans\"") => Table::Spans.logical_schema(),
            Some("SELECT") if sql.ends_with("\"glasshouse\".\"main\".\"services\"") => numbers(0, 0).schema(),
            _ => return Err(QueryError::Invalid(format!("syntax error: {sql}"))),
        };
        Ok(SqlDescription { schema, parameters })
    }
}

pub fn numbers(start: usize, count: usize) -> RecordBatch {
    let column = Int64Array::from_iter_values(start as i64..(start + count) as i64);
    let schema = Schema::new(vec![Field::new("n", DataType::Int64, true)]);
    RecordBatch::try_new(Arc::new(schema), vec![Arc::new(column)]).unwrap()
}

fn tables() -> RecordBatch {
    let names = ["table_catalog", "table_schema", "table_name", "table_type"];
    let rows = [["glasshouse", "main", "services", "VIEW"], ["glasshouse", "main", "spans", "BASE TABLE"]];
    let column = |i: usize| Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row[i]))) as _;
    RecordBatch::try_from_iter(names.into_iter().enumerate().map(|(i, name)| (name, column(i)))).unwrap()
}

struct Endless {
    computed: Arc<AtomicUsize>,
    dropped: Arc<AtomicUsize>,
}

impl Stream for Endless {
    type Item = Result<RecordBatch, QueryError>;
    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let before = self.computed.fetch_add(1, Ordering::SeqCst);
        Poll::Ready(Some(Ok(numbers(before * BATCH, BATCH))))
    }
}

impl Drop for Endless {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

/// A server on a free port, and a client of it.
pub async fn start() -> (Arc<FakeEngine>, FlightSqlServiceClient<Channel>) {
    let engine = Arc::new(FakeEngine::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = flight_sql(Arc::clone(&engine) as _, Arc::new(Fixed));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    (engine, FlightSqlServiceClient::new(channel))
}

/// Waits for a condition, with a deadline.
pub async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
