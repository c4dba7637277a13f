use std::time::Duration;

use glasshouse_server::{Server, ServerConfig, StartError};

use crate::fakes::{World, parts};

#[tokio::test]
async fn a_taken_port_is_named_with_its_flag() {
    let world = World::new().await;
    let taken = world.server.addresses().otlp_grpc.unwrap();
    let config = ServerConfig { otlp_grpc: Some(taken), ..ServerConfig::any_port() };
    let error = Server::start(config, parts().0).await.unwrap_err();
    let StartError::Bind { flag, address, .. } = &error;
    assert_eq!((*flag, *address), ("--otlp-grpc", taken));
    let message = error.to_string();
    assert!(message.contains(&format!("port {}", taken.port())) && message.contains("--otlp-grpc"), "{message}");
}

#[tokio::test]
async fn listeners_may_be_left_out() {
    let config = ServerConfig { otlp_grpc: None, otlp_http: None, flight_sql: None, ..ServerConfig::any_port() };
    let world = World::with(config).await;
    let addresses = serde_json::to_value(world.server.addresses()).unwrap();
    assert_eq!(addresses.as_object().unwrap().keys().collect::<Vec<_>>(), ["http"]);
}

#[tokio::test]
async fn shutting_down_ends_requests_in_flight_and_accepts_no_more() {
    let world = World::new().await;
    world.hold_back();
    let url = world.url("/v1/traces");
    let send = || world.client.post(&url).header("content-type", "application/x-protobuf").body("x").send();
    let request = tokio::spawn(send());
    world.submissions_arrived(1).await;
    let stopped = tokio::spawn(world.server.shutdown(Duration::from_secs(10)));
    // New connections are refused while the old one is still being served.
    let fresh = reqwest::Client::new();
    crate::fakes::eventually(async || fresh.get(&url).send().await.is_err()).await;
    assert!(!request.is_finished());
    world.ingest.gate.add_permits(1);
    assert_eq!(request.await.unwrap().unwrap().status(), 200);
    assert_eq!(stopped.await.unwrap(), 0);
}

#[tokio::test]
async fn requests_that_outlast_the_deadline_are_cut_off() {
    let world = World::new().await;
    world.hold_back();
    let request = world.client.post(world.url("/v1/traces")).header("content-type", "application/x-protobuf").body("x");
    let request = tokio::spawn(request.send());
    world.submissions_arrived(1).await;
    assert_eq!(world.server.shutdown(Duration::from_millis(20)).await, 1);
    assert!(request.await.unwrap().is_err());
}
