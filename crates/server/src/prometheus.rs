//! `/metrics` in Prometheus' text format (<https://prometheus.io/docs/instrumenting/exposition_formats>).

use std::fmt::{self, Write};

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::process_figures::ProcessFigures;
use crate::request_metrics::BUCKETS;
use crate::state::App;

/// Figures of the lake, the requests and the process, for Prometheus.
#[utoipa::path(get, path = "/metrics", operation_id = "prometheus_metrics", tag = "operations",
    responses((status = 200, description = "Prometheus text format", body = String, content_type = "text/plain")))]
pub(crate) async fn metrics(State(app): State<App>) -> Response {
    let mut text = String::with_capacity(16 << 10);
    write_all(&app, &mut text).expect("a string takes every text");
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

fn write_all(app: &App, out: &mut String) -> fmt::Result {
    write_lake(app, out)?;
    write_items(app, out)?;
    write_requests(app, out)?;
    head(out, "glasshouse_request_body_bytes", "gauge", "Bytes of request bodies held at present")?;
    writeln!(out, "glasshouse_request_body_bytes {}", app.body_limits.budget.in_use())?;
    head(out, "glasshouse_websockets", "gauge", "Open WebSockets")?;
    writeln!(out, "glasshouse_websockets {}", app.max_websockets - app.websockets.available_permits())?;
    write_process(out)
}

fn write_lake(app: &App, out: &mut String) -> fmt::Result {
    let mut figures = app.status.figures();
    // Samples of one name must stand together.
    figures.sort_by_key(|figure| figure.name);
    let mut last = "";
    for figure in &figures {
        if figure.name != last {
            head(out, figure.name, if figure.is_counter { "counter" } else { "gauge" }, figure.help)?;
            last = figure.name;
        }
        out.push_str(figure.name);
        for (index, (name, value)) in figure.labels.iter().enumerate() {
            write!(out, "{}{name}=\"{}\"", if index == 0 { '{' } else { ',' }, escaped(value))?;
        }
        writeln!(out, "{} {}", if figure.labels.is_empty() { "" } else { "}" }, figure.value)?;
    }
    head(out, "glasshouse_part_up", "gauge", "Whether a part works")?;
    for part in app.status.parts() {
        writeln!(out, "glasshouse_part_up{{part=\"{}\"}} {}", part.part, u8::from(part.problem.is_none()))?;
    }
    Ok(())
}

fn write_items(app: &App, out: &mut String) -> fmt::Result {
    head(
        out,
        "glasshouse_received_items_total",
        "counter",
        "Spans, log records and data points received, by what became of them",
    )?;
    for (format, accepted, rejected) in app.requests.items() {
        for (outcome, count) in [("accepted", accepted), ("rejected", rejected)] {
            writeln!(out, "glasshouse_received_items_total{{format=\"{format:?}\",outcome=\"{outcome}\"}} {count}")?;
        }
    }
    Ok(())
}

fn write_requests(app: &App, out: &mut String) -> fmt::Result {
    let routes = app.requests.routes();
    head(out, "glasshouse_http_requests_total", "counter", "Requests answered, by route and status")?;
    for (route, metrics) in &routes {
        for (status, count) in &metrics.statuses {
            writeln!(
                out,
                "glasshouse_http_requests_total{{route=\"{}\",status=\"{status}\"}} {count}",
                escaped(route)
            )?;
        }
    }
    let name = "glasshouse_http_request_duration_seconds";
    head(out, name, "histogram", "Time until the answer begins")?;
    for (route, metrics) in &routes {
        let route = escaped(route);
        let mut count = 0;
        for (bound, in_bucket) in
            BUCKETS.iter().map(ToString::to_string).chain(["+Inf".to_owned()]).zip(metrics.buckets)
        {
            count += in_bucket;
            writeln!(out, "{name}_bucket{{route=\"{route}\",le=\"{bound}\"}} {count}")?;
        }
        writeln!(out, "{name}_sum{{route=\"{route}\"}} {}", metrics.total.as_secs_f64())?;
        writeln!(out, "{name}_count{{route=\"{route}\"}} {count}")?;
    }
    Ok(())
}

fn write_process(out: &mut String) -> fmt::Result {
    let figures = ProcessFigures::read();
    let samples = [
        ("process_resident_memory_bytes", "gauge", "Resident memory", figures.resident_bytes.map(|bytes| bytes as f64)),
        ("process_cpu_seconds_total", "counter", "User and system processor time", figures.cpu_seconds),
        ("process_open_fds", "gauge", "Open file descriptors", figures.open_files.map(|files| files as f64)),
        ("process_threads", "gauge", "Threads", figures.threads.map(|threads| threads as f64)),
    ];
    for (name, kind, help, value) in samples {
        if let Some(value) = value {
            head(out, name, kind, help)?;
            writeln!(out, "{name} {value}")?;
        }
    }
    head(out, "glasshouse_build_info", "gauge", "Version of the server")?;
    writeln!(out, "glasshouse_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"))
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) -> fmt::Result {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
