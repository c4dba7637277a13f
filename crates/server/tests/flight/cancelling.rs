//! Slow readers, readers that go away, answers that are cancelled.

use std::sync::atomic::Ordering;

use arrow_flight::sql::{ActionCancelQueryRequest, ProstMessageExt};
use arrow_flight::{Action, CancelFlightInfoRequest, CancelFlightInfoResult, CancelStatus, FlightInfo};
use bytes::Bytes;
use futures::TryStreamExt;
use prost::Message;
use tonic::Code;

use crate::engine::{eventually, start};
use crate::{Client, status};

async fn act(client: &mut Client, name: &str, body: Vec<u8>) -> Result<Vec<Bytes>, tonic::Status> {
    let results = client.inner_mut().do_action(Action::new(name, body)).await?.into_inner();
    results.map_ok(|result| result.body).try_collect().await
}

async fn cancel(client: &mut Client, info: FlightInfo) -> CancelStatus {
    let body = CancelFlightInfoRequest::new(info).encode_to_vec();
    let results = act(client, "CancelFlightInfo", body).await.unwrap();
    CancelFlightInfoResult::decode(results[0].as_ref()).unwrap().status()
}

#[tokio::test]
async fn a_slow_reader_slows_the_engine_and_going_away_stops_it() {
    let (engine, mut client) = start().await;
    let info = client.execute("endless".to_owned(), None).await.unwrap();
    let mut stream = client.do_get(info.endpoint[0].ticket.clone().unwrap()).await.unwrap();
    for _ in 0..3 {
        stream.try_next().await.unwrap().unwrap();
    }
    // Time for the engine to run ahead, if it could: other calls on the same connection.
    for _ in 0..50 {
        client.get_table_types().await.unwrap();
    }
    let computed = engine.computed.load(Ordering::SeqCst);
    assert!(computed < 200, "{computed} batches of 64 KiB were computed for 3 that were read");
    drop(stream);
    eventually("the engine's answer is dropped", || engine.dropped.load(Ordering::SeqCst) == 1).await;
}

#[tokio::test]
async fn an_answer_is_cancelled_by_its_info() {
    let (engine, mut client) = start().await;
    let info = client.execute("endless".to_owned(), None).await.unwrap();
    assert_eq!(cancel(&mut client, info.clone()).await, CancelStatus::NotCancellable, "nobody reads it yet");
    let mut stream = client.do_get(info.endpoint[0].ticket.clone().unwrap()).await.unwrap();
    stream.try_next().await.unwrap().unwrap();
    assert_eq!(cancel(&mut client, info.clone()).await, CancelStatus::Cancelled);
    let ended = loop {
        match stream.try_next().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("a cancelled answer looks whole"),
            Err(error) => break status(error),
        }
    };
    assert_eq!(ended.code(), Code::Cancelled);
    eventually("the engine's answer is dropped", || engine.dropped.load(Ordering::SeqCst) == 1).await;
    assert_eq!(cancel(&mut client, info).await, CancelStatus::NotCancellable, "it is over");
}

#[tokio::test]
async fn a_query_is_cancelled_while_it_is_planned() {
    let (engine, mut client) = start().await;
    let info = client.execute("stuck".to_owned(), None).await.unwrap();
    let ticket = info.endpoint[0].ticket.clone().unwrap();
    let mut reader = client.clone();
    let reading = tokio::spawn(async move { reader.do_get(ticket).await.map(drop) });
    eventually("the engine is asked", || !engine.asked.lock().unwrap().is_empty()).await;
    let body = ActionCancelQueryRequest { info: info.encode_to_vec().into() }.as_any().encode_to_vec();
    act(&mut client, "CancelQuery", body).await.unwrap();
    let refused = reading.await.unwrap().unwrap_err().to_string();
    assert!(refused.contains("the query was cancelled"), "{refused}");
}

#[tokio::test]
async fn sessions_can_be_closed_and_have_no_options() {
    let (_, mut client) = start().await;
    assert_eq!(act(&mut client, "CloseSession", vec![]).await.unwrap(), [vec![8, 1]], "CLOSED");
    assert_eq!(act(&mut client, "GetSessionOptions", vec![]).await.unwrap(), [vec![]]);
    // {"session_options": {"a": {"string_value": "b"}}} is answered with {"errors": {"a": INVALID_NAME}}.
    let options = b"\x0a\x08\x0a\x01a\x12\x03\x0a\x01b".to_vec();
    let errors = b"\x0a\x07\x0a\x01a\x12\x02\x08\x01".to_vec();
    assert_eq!(act(&mut client, "SetSessionOptions", options).await.unwrap(), [errors]);
    assert_eq!(act(&mut client, "Dance", vec![]).await.unwrap_err().code(), Code::InvalidArgument);
}
