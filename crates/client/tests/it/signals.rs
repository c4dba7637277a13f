//! Log records and metrics, against a server that is told how to answer.

use std::collections::HashMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, SystemTime};

use crate::server::{Answer, DEADLINE, Server, attributes, eventually, text};
use glasshouse_client::{Level, Limits, MetricsCollector, Severity, Tracer, Value};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{Metric, NumberDataPoint};

#[test]
fn a_log_record_arrives_with_all_it_was_told() {
    let server = Server::new(|_| Answer::ok());
    let tracer = Tracer::connect(&server.url()).unwrap();
    let span = tracer.span("order").start();
    let other = tracer.span("other").without_parent().start();
    let before = SystemTime::now();
    {
        let _current = span.enter();
        tracer.log(Level::Warn, "größer").with_attribute("n", 3).with_event_name("grown").emit();
        tracer.log(Severity(11), "elsewhere").with_span(other.context().unwrap()).emit();
    }
    tracer.log(Level::Fatal, "nowhere").with_time(SystemTime::UNIX_EPOCH + Duration::from_secs(1)).emit();
    tracer.flush(DEADLINE).unwrap();
    let logs = server.logs();
    let [grown, elsewhere, nowhere] = &logs[..] else { panic!("{logs:?}") };
    let body = |log: &opentelemetry_proto::tonic::logs::v1::LogRecord| log.body.clone().unwrap().value.unwrap();
    assert_eq!(body(grown), text("größer"));
    assert_eq!((grown.severity_number, grown.severity_text.as_str(), grown.event_name.as_str()), (13, "WARN", "grown"));
    let told = attributes(&grown.attributes);
    assert_eq!((told["n"], told["thread.name"]), (&Any::IntValue(3), &text(thread::current().name().unwrap())));
    let context = span.context().unwrap();
    assert_eq!(
        (&grown.trace_id[..], &grown.span_id[..]),
        (&context.trace_id().as_bytes()[..], &context.span_id().as_bytes()[..])
    );
    assert_eq!(grown.flags & 1, 1);
    let nanos = before.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as u64;
    assert!(grown.time_unix_nano + 1_000_000_000 > nanos && grown.observed_time_unix_nano >= grown.time_unix_nano);
    assert_eq!((elsewhere.severity_number, elsewhere.severity_text.as_str()), (11, "INFO"));
    assert_eq!(elsewhere.span_id, other.context().unwrap().span_id().as_bytes());
    assert_eq!((nowhere.trace_id.len(), nowhere.time_unix_nano), (0, 1_000_000_000));
    let logs = tracer.statistics().logs;
    assert_eq!((logs.recorded, logs.sent), (3, 3));
    // Nobody asked for metrics, and nothing was lost.
    assert_eq!(server.metrics(), []);
    Tracer::disabled().log(Level::Info, "nothing").with_attribute("a", 1).emit();
}

#[test]
fn logs_outlive_metrics_and_these_spans_when_memory_is_short() {
    const MEMORY: usize = 512 << 10;
    let server = Server::new(|_| Answer::status(503));
    let limits = Limits { memory_bytes: MEMORY, batch_bytes: 16 << 10, ..Limits::default() };
    let tracer = Tracer::builder(&server.url()).limits(limits).connect().unwrap();
    let long = "x".repeat(1000);
    let orders = tracer.metric("orders").counter();
    for _ in 0..40 {
        orders.add(1);
        tracer.log(Level::Error, &long).emit();
        for _ in 0..40 {
            tracer.span("work").with_attribute("long", &long).start().end();
        }
        // Nothing is sent, but all is collected.
        tracer.flush(Duration::from_millis(5)).unwrap_err();
    }
    let statistics = tracer.statistics();
    assert!(statistics.spans.dropped > 1000, "{statistics:?}");
    assert_eq!((statistics.logs.recorded, statistics.logs.dropped), (40, 0), "{statistics:?}");
    assert!(statistics.metrics.recorded >= 40 && statistics.metrics.dropped == 0, "{statistics:?}");
    // Logs only, until there is room for nothing else.
    while tracer.statistics().logs.dropped == 0 {
        tracer.log(Level::Error, &long).emit();
        tracer.flush(Duration::from_millis(5)).unwrap_err();
    }
    let statistics = tracer.statistics();
    assert_eq!(statistics.spans.waiting, 0, "{statistics:?}");
    assert!(statistics.metrics.dropped > 40 && statistics.metrics.waiting <= 1, "{statistics:?}");
    tracer.shutdown(Duration::ZERO).unwrap_err();
    let statistics = tracer.statistics();
    assert_eq!((statistics.logs.waiting, statistics.logs.dropped), (0, statistics.logs.recorded), "{statistics:?}");
}

fn metric<'a>(metrics: &'a [Metric], name: &str) -> &'a Metric {
    metrics.iter().rfind(|metric| metric.name == name).unwrap_or_else(|| panic!("no metric {name}"))
}

fn numbers(metric: &Metric) -> &[NumberDataPoint] {
    match metric.data.as_ref().unwrap() {
        Data::Sum(sum) => &sum.data_points,
        Data::Gauge(gauge) => &gauge.data_points,
        other => panic!("{other:?}"),
    }
}

#[test]
fn metrics_arrive_with_what_was_added() {
    let server = Server::new(|_| Answer::ok());
    let tracer = Tracer::builder(&server.url()).metrics_interval(Duration::from_hours(1)).connect().unwrap();
    let orders = |country: &str| {
        let orders = tracer.metric("orders").with_unit("{order}").with_description("Orders that were placed");
        orders.with_attribute("country", country).with_attribute("a", true).counter()
    };
    let france = orders("fr");
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..1000).for_each(|_| france.add(1)));
        }
    });
    // The same by another name of the same.
    tracer
        .metric("orders")
        .with_unit("{order}")
        .with_attribute("a", true)
        .with_attribute("country", "fr")
        .counter()
        .add(2);
    orders("de").add(1);
    let queued = tracer.metric("queued").up_down_counter();
    queued.add(5);
    queued.add(-7);
    tracer.metric("never set").gauge();
    let heat = tracer.metric("heat").gauge();
    tracer.before_metrics(move || heat.set(36.6));
    let durations = tracer.metric("duration").with_unit("s").histogram();
    durations.record_duration(Duration::from_millis(250));
    durations.record(0.5);
    durations.record(0.0);
    tracer.flush(DEADLINE).unwrap();
    orders("de").add(1);
    tracer.flush(DEADLINE).unwrap();

    let metrics = server.metrics();
    let orders = metric(&metrics, "orders");
    assert_eq!((orders.unit.as_str(), orders.description.as_str()), ("{order}", "Orders that were placed"));
    let Some(Data::Sum(sum)) = &orders.data else { panic!("{orders:?}") };
    assert!(sum.is_monotonic && sum.aggregation_temporality == 2);
    let of = |country: &str| {
        let is_of = |point: &&NumberDataPoint| attributes(&point.attributes)["country"] == &text(country);
        sum.data_points.iter().find(is_of).unwrap().value.unwrap()
    };
    assert_eq!((of("fr"), of("de"), sum.data_points.len()), (Number::AsInt(4002), Number::AsInt(2), 2));
    assert!(sum.data_points[0].start_time_unix_nano < sum.data_points[0].time_unix_nano);
    assert_eq!(numbers(metric(&metrics, "queued"))[0].value, Some(Number::AsInt(-2)));
    assert_eq!(numbers(metric(&metrics, "heat"))[0].value, Some(Number::AsDouble(36.6)));
    assert!(!metrics.iter().any(|metric| metric.name == "never set"));
    let Some(Data::ExponentialHistogram(durations)) = &metric(&metrics, "duration").data else { panic!() };
    let point = &durations.data_points[0];
    assert_eq!((point.count, point.sum, point.min, point.max), (3, Some(0.75), Some(0.0), Some(0.5)));
    assert_eq!(point.zero_count, 1);
    assert_eq!(point.positive.as_ref().unwrap().bucket_counts.iter().sum::<u64>(), 2);
    // What became of it is told as well.
    let records = numbers(metric(&metrics, "glasshouse.client.records"));
    assert_eq!(records.len(), 9);
    let points = tracer.statistics().metrics;
    assert_eq!((points.recorded, points.sent), (points.sent, points.recorded));
}

#[test]
fn metrics_come_by_themselves() {
    let server = Server::new(|_| Answer::ok());
    let tracer = Tracer::builder(&server.url()).metrics_interval(Duration::from_millis(20)).connect().unwrap();
    let counter = tracer.metric("n").counter();
    counter.add(1);
    eventually("it is told", || server.metrics().iter().any(|metric| metric.name == "n"));
    // What has too many attributes is told together.
    for i in 0..3000 {
        tracer.metric("many").with_attribute("i", i).counter().add(1);
    }
    tracer.shutdown(DEADLINE).unwrap();
    let metrics = server.metrics();
    let many = numbers(metric(&metrics, "many"));
    assert_eq!(many.len(), 2001);
    let rest = many.iter().find(|point| attributes(&point.attributes).contains_key("otel.metric.overflow")).unwrap();
    assert_eq!(rest.value, Some(Number::AsInt(1000)));
}

#[test]
fn what_is_lost_is_told_as_a_metric() {
    let server = Server::new(|_| Answer::ok());
    let tracer = Tracer::connect(&server.url()).unwrap();
    tracer.span("large").with_attribute("large", &"x".repeat(2 << 20)).start().end();
    tracer.flush(DEADLINE).unwrap();
    let metrics = server.metrics();
    let dropped = numbers(metric(&metrics, "glasshouse.client.records")).iter().find(|point| {
        let told = attributes(&point.attributes);
        (told["signal"], told["outcome"]) == (&text("traces"), &text("dropped"))
    });
    assert_eq!(dropped.unwrap().value, Some(Number::AsInt(1)));
}

#[test]
fn a_program_s_health_is_told() {
    let server = Server::new(|_| Answer::ok());
    let tracer = Tracer::builder(&server.url()).metrics_interval(Duration::from_hours(1)).connect().unwrap();
    let collector = MetricsCollector::new(&tracer);
    let import = collector.action("import");
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..100 {
                    collector.record_action("import", Duration::from_millis(10), true);
                    import.record(Duration::from_millis(20), false);
                    collector.record_event(Duration::from_micros(5), true);
                }
            });
        }
    });
    collector.record_action("export", Duration::from_secs(1), true);
    collector.set_current_action(Some("import"));
    collector.set_current_action(Some("export"));
    collector.set_action_queue(3);
    collector.set_event_queue(4);
    // Processors are looked at over some time.
    eventually("all is told", || {
        tracer.flush(DEADLINE).unwrap();
        !cfg!(target_os = "linux") || server.metrics().iter().any(|metric| metric.name == "process.cpu.utilization")
    });
    let metrics = server.metrics();
    let actions: HashMap<(String, String), Option<Number>> = numbers(metric(&metrics, "glasshouse.actions"))
        .iter()
        .map(|point| {
            let told = attributes(&point.attributes);
            let text = |key: &str| if let Any::StringValue(text) = told[key] { text.clone() } else { String::new() };
            ((text("action.name"), text("outcome")), point.value)
        })
        .collect();
    let count = |name: &str, outcome: &str| actions[&(name.to_owned(), outcome.to_owned())];
    assert_eq!((count("import", "ok"), count("import", "error")), (Some(Number::AsInt(400)), Some(Number::AsInt(400))));
    assert_eq!((count("export", "ok"), count("export", "error")), (Some(Number::AsInt(1)), Some(Number::AsInt(0))));
    let value = |name: &str| match numbers(metric(&metrics, name))[..] {
        [NumberDataPoint { value: Some(Number::AsDouble(value)), .. }] => value,
        ref other => panic!("{name}: {other:?}"),
    };
    assert_eq!((value("glasshouse.action.queue"), value("glasshouse.event.queue")), (3.0, 4.0));
    let current = numbers(metric(&metrics, "glasshouse.action.current"));
    assert_eq!((current.len(), attributes(&current[0].attributes)["action.name"]), (1, &text("export")));
    let Some(Data::ExponentialHistogram(durations)) = &metric(&metrics, "glasshouse.action.duration").data else {
        panic!()
    };
    assert_eq!(durations.data_points.iter().map(|point| point.count).sum::<u64>(), 801);
    if cfg!(target_os = "linux") {
        assert!(value("process.memory.usage") > 1e6 && value("process.thread.count") > 1.0);
        assert!((0.0..=1.5).contains(&value("process.cpu.utilization")));
        assert!((0.0..1.0).contains(&value("process.memory.utilization")));
    }
}

#[test]
fn a_signal_that_is_not_taken_holds_up_no_other() {
    let server = Server::by_path(|_, path| Answer::status(if path == "/v1/metrics" { 503 } else { 200 }));
    let tracer = Tracer::builder(&server.url()).metrics_interval(Duration::from_millis(10)).connect().unwrap();
    tracer.metric("n").counter().add(1);
    eventually("metrics were tried", || server.requests().iter().any(|request| request.path() == "/v1/metrics"));
    tracer.span("work").start().end();
    tracer.log(Level::Info, "works").emit();
    eventually("the others arrive", || server.spans().len() == 1 && server.logs().len() == 1);
    let problem = tracer.flush(Duration::from_millis(10)).unwrap_err().to_string();
    assert!(problem.contains("/v1/metrics answered with status 503"), "{problem}");
    tracer.shutdown(Duration::ZERO).unwrap_err();
    let statistics = tracer.statistics();
    assert_eq!((statistics.spans.sent, statistics.metrics.sent), (1, 0));
}

/// Cannot be shown.
struct Bad;
impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("half")?;
        panic!("for a test");
    }
}

#[test]
fn what_panics_takes_nothing_with_it() {
    let server = Server::new(|_| Answer::ok());
    let tracer = Tracer::connect(&server.url()).unwrap();
    let healthy = tracer.metric("healthy").gauge();
    tracer.before_metrics(|| panic!("for a test"));
    tracer.before_metrics(move || healthy.set(1.0));
    let mut span = tracer.span("work").start();
    let shown = catch_unwind(AssertUnwindSafe(|| span.set_attribute("bad", format_args!("{Bad}"))));
    assert!(shown.is_err());
    span.set_attribute("good", 1);
    drop(span);
    for _ in 0..2 {
        tracer.flush(DEADLINE).unwrap();
    }
    let spans = server.spans();
    let told = attributes(&spans[0].attributes);
    assert_eq!((told["good"], told["bad"]), (&Any::IntValue(1), &text("half")));
    assert_eq!(numbers(metric(&server.metrics(), "healthy"))[0].value, Some(Number::AsDouble(1.0)));
}

#[test]
fn the_same_attributes_are_one_series() {
    let server = Server::new(|_| Answer::ok());
    let tracer = Tracer::connect(&server.url()).unwrap();
    let country = "fr".to_owned();
    let value = Value::String(country.clone());
    let orders = || tracer.metric("orders");
    orders().with_attribute("country", "fr").counter().add(1);
    orders().with_attribute("country", format_args!("{country}")).counter().add(1);
    orders().with_attribute("country", &value).counter().add(1);
    // There is an end to the number of metrics.
    for i in 0..1100 {
        tracer.metric(&format!("metric {i}")).counter().add(u64::MAX);
    }
    tracer.flush(DEADLINE).unwrap();
    let metrics = server.metrics();
    let [point] = numbers(metric(&metrics, "orders")) else { panic!("{metrics:#?}") };
    assert_eq!(point.value, Some(Number::AsInt(3)));
    assert_eq!(metrics.iter().filter(|metric| metric.name.starts_with("metric ")).count(), 999);
    // But what became of records is always told.
    metric(&metrics, "glasshouse.client.records");
    assert!(tracer.last_problem().unwrap().contains("too many metrics"));
}
