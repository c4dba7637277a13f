use glasshouse_model::{Kinds, TimeRange, Timestamp};
use serde_json::json;

use crate::fakes::{PROCESS, TRACE, World, assert_error};

fn path(rest: &str) -> String {
    format!("/api/process/{PROCESS}/timeline{rest}")
}

#[tokio::test]
async fn the_timeline_of_a_process_is_drawn() {
    let world = World::new().await;
    let (status, timeline) = world.get_json(&path("?kinds=async&from=5&to=9&columns=40")).await;
    assert_eq!(status, 200);
    let one = json!({"start": "10", "name": 0, "trace_id": TRACE, "span_id": "00f067aa0ba902b7"});
    let several = json!({"count": "2", "total_ns": "6", "longest_ns": "4"});
    let two = json!({"start": "10", "duration_ns": "7", "name": 0, "error_count": "1", "several": several});
    let expected = json!({
        "first_time": "10", "last_time": "17", "span_count": "3", "hidden_span_count": "0",
        "names": ["GET /"],
        "tracks": [
            {"thread_id": "7", "thread_name": "main", "resolution_ns": "4", "rows": [{"lane": 0, "depth": 0, "slices": [one]}]},
            {"resolution_ns": "8", "rows": [{"lane": 0, "depth": 0, "slices": [two]}]},
        ],
    });
    assert_eq!(timeline, expected);
    let (asked, columns) = world.exporter.drawn.lock().unwrap().pop().unwrap();
    assert_eq!(asked.kinds, Kinds { thread: false, asynchronous: true, logs: false, metrics: false });
    assert_eq!(asked.range, TimeRange { from: Timestamp::from_nanos(5), to: Timestamp::from_nanos(9) });
    assert_eq!(columns, 40);
}

#[tokio::test]
async fn wrong_parameters_are_refused() {
    let world = World::new().await;
    for columns in ["0", "10001", "many"] {
        let message = "is not a number from 1 to 10000";
        assert_error(world.get(&path(&format!("?columns={columns}"))).await, 400, "invalid_request", message).await;
    }
    assert_error(world.get(&path("?kinds=logs")).await, 400, "invalid_request", "thread, async").await;
    let unknown = "/api/process/00000000-0000-4000-8000-000000000000/timeline";
    assert_error(world.get(unknown).await, 404, "not_found", "no process").await;
    assert_error(world.get("/api/process/x/timeline").await, 400, "invalid_request", "is not a process id").await;
}
