//! Statements, prepared or not.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use arrow_flight::FlightDescriptor;
use arrow_flight::sql::client::FlightSqlServiceClient;
use arrow_flight::sql::{CommandStatementQuery, ProstMessageExt};
use glasshouse_model::{DurationNs, TimeRange, Timestamp};
use prost::Message;
use tonic::Code;

use crate::engine::{NOW, start};
use crate::{Client, read, status};

fn row(values: &[&str]) -> RecordBatch {
    let schema = Schema::new(vec![Field::new("0", DataType::Utf8, true)]);
    RecordBatch::try_new(Arc::new(schema), vec![Arc::new(StringArray::from(values.to_vec()))]).unwrap()
}

#[tokio::test]
async fn a_statement_is_answered_row_by_row() {
    let (_, mut client) = start().await;
    let info = client.execute("numbers 100000".to_owned(), None).await.unwrap();
    let batches = read(&mut client, info).await.unwrap();
    let numbers = batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().iter().copied());
    assert!(numbers.eq(0..100_000));
}

#[tokio::test]
async fn schemas_are_equal_even_for_dictionaries_and_for_no_rows() {
    let (_, mut client) = start().await;
    let info = client.execute("dictionary".to_owned(), None).await.unwrap();
    let batches = read(&mut client, info).await.unwrap();
    assert_eq!(batches[0].schema().field(0).data_type(), &DataType::Utf8);
    let info = client.execute("numbers 0".to_owned(), None).await.unwrap();
    assert_eq!(read(&mut client, info).await.unwrap().iter().map(RecordBatch::num_rows).sum::<usize>(), 0);
}

#[tokio::test]
async fn get_schema_tells_what_get_flight_info_tells() {
    let (_, mut client) = start().await;
    let command = CommandStatementQuery { query: "numbers 1".to_owned(), transaction_id: None };
    let descriptor = FlightDescriptor::new_cmd(command.as_any().encode_to_vec());
    let info = client.execute(command.query, None).await.unwrap();
    let schema = client.inner_mut().get_schema(descriptor).await.unwrap().into_inner();
    assert_eq!(Schema::try_from(schema).unwrap(), Schema::try_from(info).unwrap());
}

#[tokio::test]
async fn what_is_wrong_with_a_statement_is_told() {
    let (_, mut client) = start().await;
    let refused = status(client.execute("DROP TABLE spans".to_owned(), None).await.unwrap_err());
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("syntax error: DROP TABLE spans"), "{refused}");
    let info = client.execute("limited".to_owned(), None).await.unwrap();
    let refused = status(read(&mut client, info).await.unwrap_err());
    assert_eq!((refused.code(), refused.message()), (Code::ResourceExhausted, "more than 1 GiB"));
    let info = client.execute("fails".to_owned(), None).await.unwrap();
    let failed = status(read(&mut client, info).await.unwrap_err());
    assert_eq!((failed.code(), failed.message()), (Code::Internal, "disk on fire"));
}

#[tokio::test]
async fn a_prepared_statement_takes_parameters_each_time() {
    let (engine, mut client) = start().await;
    let mut prepared = client.prepare("echo $1".to_owned(), None).await.unwrap();
    assert_eq!(prepared.parameter_schema().unwrap().field(0).name(), "$1");
    assert_eq!(prepared.dataset_schema().unwrap().fields().len(), 1);
    for value in ["first", "second"] {
        prepared.set_parameters(row(&[value])).unwrap();
        let info = prepared.execute().await.unwrap();
        assert_eq!(read(&mut client, info).await.unwrap(), [row(&[value])]);
        assert_eq!(engine.asked.lock().unwrap().last().unwrap().parameters, Some(row(&[value])));
    }
    prepared.set_parameters(row(&["one", "two"])).unwrap();
    let refused = prepared.execute().await.unwrap_err().to_string();
    assert!(refused.contains("bind one row of parameters"), "{refused}");
}

#[tokio::test]
async fn a_closed_handle_is_unknown() {
    let (_, mut client) = start().await;
    let mut prepared = client.prepare("numbers 3".to_owned(), None).await.unwrap();
    let info = prepared.execute().await.unwrap();
    assert_eq!(read(&mut client, info.clone()).await.unwrap()[0].num_rows(), 3);
    prepared.close().await.unwrap();
    let gone = status(read(&mut client, info).await.unwrap_err());
    assert!(gone.message().contains("there is no such prepared statement"), "{gone}");
}

#[tokio::test]
async fn headers_narrow_the_time() {
    let (engine, mut client) = start().await;
    client.set_header("glasshouse-from", "-15m");
    client.set_header("glasshouse-to", "2023-11-14T22:13:20.000000001Z");
    let info = client.execute("numbers 1".to_owned(), None).await.unwrap();
    read(&mut client, info.clone()).await.unwrap();
    let expected = TimeRange { from: NOW - DurationNs::from_secs(900), to: Timestamp::from_nanos(NOW.nanos() + 1) };
    assert_eq!(engine.asked.lock().unwrap()[0].range, expected);
    client.set_header("glasshouse-from", "yesterday");
    let refused = status(read(&mut client, info).await.unwrap_err());
    assert!(refused.message().contains("header glasshouse-from: \"yesterday\" is not a time"), "{refused}");
}

#[tokio::test]
async fn what_changes_something_is_refused() {
    let (_, client) = start().await;
    let mut client: Client = FlightSqlServiceClient::new_from_inner(client.into_inner());
    let refused = client.execute_update("INSERT INTO spans VALUES (1)".to_owned(), None).await.unwrap_err().to_string();
    assert!(refused.contains("the lake is read-only over SQL"), "{refused}");
    let mut prepared = client.prepare("numbers 3".to_owned(), None).await.unwrap();
    let refused = prepared.execute_update().await.unwrap_err().to_string();
    assert!(refused.contains("the lake is read-only over SQL"), "{refused}");
}
