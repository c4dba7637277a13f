//! Flight SQL as `arrow-flight`'s client sees it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod cancelling;
mod engine;
mod metadata;
mod statements;

use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use arrow_flight::FlightInfo;
use arrow_flight::error::FlightError;
use arrow_flight::sql::client::FlightSqlServiceClient;
use futures::TryStreamExt;
use tonic::transport::Channel;

type Client = FlightSqlServiceClient<Channel>;

/// Reads a whole answer; its schema must be the one that the info tells.
async fn read(client: &mut Client, info: FlightInfo) -> Result<Vec<RecordBatch>, FlightError> {
    let ticket = info.endpoint[0].ticket.clone().unwrap();
    let told: Schema = info.try_decode_schema()?;
    let mut stream = client.do_get(ticket).await?;
    let mut batches = Vec::new();
    while let Some(batch) = stream.try_next().await? {
        assert_eq!(*batch.schema(), told);
        batches.push(batch);
    }
    assert_eq!(stream.schema().map(|schema| schema.as_ref().clone()), Some(told), "a schema comes even without rows");
    Ok(batches)
}

/// The status that a call was refused with.
fn status(error: FlightError) -> tonic::Status {
    match error {
        FlightError::Tonic(status) => *status,
        FlightError::Arrow(error) => tonic::Status::unknown(error.to_string()),
        other => panic!("{other}"),
    }
}
