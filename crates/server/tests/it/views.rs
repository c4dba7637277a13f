use serde_json::{Value, json};

use crate::fakes::{World, assert_error};

const JSON: &str = "application/json";

#[tokio::test]
async fn views_are_kept_changed_and_forgotten() {
    let world = World::new().await;
    let link = "/sql?sql=SELECT+'<b>'";
    let response = world.post("/api/views", JSON, json!({"name": "  Slow <orders> ", "link": link}).to_string()).await;
    assert_eq!(response.status(), 201);
    let made: Value = response.json().await.unwrap();
    assert_eq!((&made["name"], &made["link"], &made["revision"]), (&json!("Slow <orders>"), &json!(link), &json!(1)));
    let (status, listed) = world.get_json("/api/views").await;
    assert_eq!((status, &listed["views"]), (200, &json!([made])));

    let path = format!("/api/views/{}", made["id"].as_str().unwrap());
    let put = async |revision: i64| {
        let body = json!({"name": "Orders", "link": "/traces", "revision": revision}).to_string();
        world.client.put(world.url(&path)).header("content-type", JSON).body(body).send().await.unwrap()
    };
    let changed: Value = put(1).await.json().await.unwrap();
    assert_eq!((&changed["name"], &changed["revision"]), (&json!("Orders"), &json!(2)));
    assert_error(put(1).await, 409, "conflict", "revision 2").await;

    let delete = async |query: &str| world.client.delete(world.url(&format!("{path}{query}"))).send().await.unwrap();
    assert_error(delete("?revision=1").await, 409, "conflict", "revision 2").await;
    assert_eq!(delete("?revision=2").await.status(), 204);
    assert_error(delete("").await, 404, "not_found", "deleted").await;
    assert_error(put(2).await, 404, "not_found", "deleted").await;
}

#[tokio::test]
async fn what_is_no_view_is_refused() {
    let world = World::new().await;
    let refused = async |body: Value, words: &str| {
        assert_error(world.post("/api/views", JSON, body.to_string()).await, 400, "invalid_request", words).await;
    };
    refused(json!({"name": " ", "link": "/"}), "name").await;
    refused(json!({"name": "x".repeat(201), "link": "/"}), "200").await;
    refused(json!({"name": "a\u{0}b", "link": "/"}), "control").await;
    for link in ["", "traces", "//evil.example", "/\\evil.example", "https://evil.example", "/a\nb"] {
        refused(json!({"name": "x", "link": link}), "link").await;
    }
    refused(json!({"name": "x", "link": format!("/{}", "x".repeat(40_000))}), "32768").await;
    refused(json!({"name": "x"}), "link").await;
    refused(json!({"name": "full", "link": "/"}), "7").await;
    let large = json!({"name": "x", "link": "x".repeat(100_000)}).to_string();
    assert_error(world.post("/api/views", JSON, large).await, 413, "payload_too_large", "65536").await;
    let body = json!({"name": "unavailable", "link": "/"}).to_string();
    let response = world.post("/api/views", JSON, body).await;
    assert!(response.headers().contains_key("retry-after"));
    assert_error(response, 503, "unavailable", "locked").await;
    assert_error(world.post("/api/views", "text/plain", "{}").await, 415, "unsupported_media_type", "json").await;
    let wrong = world.client.delete(world.url("/api/views/7")).send().await.unwrap();
    assert_error(wrong, 400, "invalid_request", "UUID").await;
}
