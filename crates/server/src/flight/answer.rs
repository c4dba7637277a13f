//! Batches and schemas as Flight carries them.

use std::pin::Pin;

use arrow::datatypes::{Schema, SchemaRef};
use arrow::ipc::writer::IpcWriteOptions;
use arrow::record_batch::RecordBatch;
use arrow_flight::encode::{FlightDataEncoder, FlightDataEncoderBuilder};
use arrow_flight::error::FlightError;
use arrow_flight::sql::ProstMessageExt;
use arrow_flight::{FlightData, FlightDescriptor, FlightEndpoint, FlightInfo, IpcMessage, SchemaAsIpc, Ticket};
use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt};
use glasshouse_tables::ports::SqlStream;
use prost::Message;
use tonic::{Response, Status};

use crate::Refusal;

pub(super) type DataStream = Pin<Box<dyn Stream<Item = Result<FlightData, Status>> + Send>>;

/// Where to get an answer of this schema: here, with this ticket.
pub(super) fn info(
    schema: &SchemaRef,
    ticket: &impl ProstMessageExt,
    descriptor: FlightDescriptor,
) -> Result<Response<FlightInfo>, Status> {
    let ticket = Ticket::new(ticket.as_any().encode_to_vec());
    let info = FlightInfo::new()
        .try_with_schema(&wire_schema(schema))
        .map_err(unencodable)?
        .with_descriptor(descriptor)
        .with_endpoint(FlightEndpoint::new().with_ticket(ticket));
    Ok(Response::new(info))
}

/// The schema that the encoder gives its stream. Clients compare the two.
fn wire_schema(schema: &SchemaRef) -> SchemaRef {
    let encoder: FlightDataEncoder =
        FlightDataEncoderBuilder::new().with_schema(SchemaRef::clone(schema)).build(futures::stream::empty());
    encoder.known_schema().expect("the schema was given")
}

/// A schema as prepared statements carry it.
pub(super) fn schema_message(schema: &SchemaRef) -> Result<Bytes, Status> {
    let schema: &Schema = &wire_schema(schema);
    let IpcMessage(message) = SchemaAsIpc::new(schema, &IpcWriteOptions::default()).try_into().map_err(unencodable)?;
    Ok(message)
}

/// An answer that is at hand.
pub(super) fn whole(batch: RecordBatch) -> Response<DataStream> {
    let encoder = FlightDataEncoderBuilder::new().with_schema(batch.schema()).build(futures::stream::iter([Ok(batch)]));
    Response::new(encoder.map_err(Status::from).boxed())
}

/// An answer that is computed while it is read: a batch is asked for when the one before was sent.
pub(super) fn streamed(answer: SqlStream) -> DataStream {
    let batches = answer.batches.map_err(|error| FlightError::from(Status::from(Refusal::from(error))));
    FlightDataEncoderBuilder::new().with_schema(answer.schema).build(batches).map_err(Status::from).boxed()
}

fn unencodable(error: impl std::fmt::Display) -> Status {
    Status::internal(format!("cannot encode a schema: {error}"))
}
