//! Queries of a picante database, and the spans and metrics that are sent of them.

#![cfg(test)]

#[path = "../../../crates/client/tests/it/server.rs"]
mod server;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use glasshouse_client::{Tracer, WithContext as _};
use glasshouse_picante::Queries;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::trace::v1::Span;
use picante::{HasRuntime, PicanteResult};
use server::{Answer, Server, attributes, eventually, text};
use tokio::sync::Notify;
use tracing::instrument::WithSubscriber as _;
use tracing_subscriber::layer::SubscriberExt as _;

#[picante::input]
struct File {
    #[key]
    path: String,
    text: String,
}

tokio::task_local! {
    static QUERIES: Queries;
    static TRACER: Tracer;
}

#[picante::tracked]
async fn length<DB: HasFileIngredient>(db: &DB, file: File) -> PicanteResult<usize> {
    let text = file.text(db)?;
    // Some tests have spans of their own.
    let _count = TRACER.try_with(|tracer| tracer.span("count").with_attribute("query.name", "count").start());
    tokio::task::yield_now().await;
    let length = text.len();
    assert!(length < 1000, "it is too long");
    Ok(length)
}

#[picante::tracked]
async fn total<DB: HasFileIngredient + HasLengthQuery>(db: &DB, a: File, b: File) -> PicanteResult<usize> {
    Ok(length(db, a).await? + length(db, b).await?)
}

#[picante::tracked]
async fn twice<DB: HasFileIngredient + HasLengthQuery>(db: &DB, file: File) -> PicanteResult<usize> {
    Ok(length(db, file).await? + length(db, file).await?)
}

/// Gives up one query, and asks for another.
#[picante::tracked]
async fn impatient<DB: HasFileIngredient + HasLengthQuery + HasEndlessQuery>(
    db: &DB,
    file: File,
) -> PicanteResult<usize> {
    tokio::select! {
        biased;
        _ = endless(db) => {}
        () = tokio::task::yield_now() => {}
    }
    length(db, file).await
}

/// Runs another query with a span of its own.
#[picante::tracked]
async fn nested<DB: HasFileIngredient + HasLengthQuery>(db: &DB, file: File) -> PicanteResult<usize> {
    let queries = QUERIES.with(Clone::clone);
    Ok(queries.run("length", length(db, file)).await? + queries.run("length", length(db, file)).await?)
}

/// Waits for ever.
#[picante::tracked]
async fn endless<DB: HasRuntime>(db: &DB) -> usize {
    let _ = db;
    ENDLESS.notify_one();
    std::future::pending().await
}

static ENDLESS: Notify = Notify::const_new();

#[picante::db(inputs(File), tracked(length, total, twice, impatient, nested, endless))]
struct Db {}

struct Fixture {
    telemetry: Server,
    tracer: Tracer,
    db: Db,
    queries: Queries,
    a: File,
    b: File,
}

impl Fixture {
    fn new() -> Self {
        let telemetry = Server::new(|_| Answer::ok());
        let tracer = Tracer::connect(&telemetry.url()).unwrap();
        let db = Db::new();
        let queries = Queries::new(&tracer, db.ingredient_registry());
        let file = |path: &str| File::new(&db, path.to_owned(), "12345".to_owned()).unwrap();
        let (a, b) = (file("a"), file("b"));
        Self { telemetry, tracer, db, queries, a, b }
    }

    /// Runs something where the layer is.
    async fn told<F: Future>(&self, work: F) -> F::Output {
        let subscriber = tracing_subscriber::registry().with(glasshouse_picante::layer());
        work.with_subscriber(subscriber).await
    }

    fn spans(&self, count: usize) -> Vec<Span> {
        eventually("all spans", || {
            self.tracer.flush(Duration::from_secs(5)).unwrap();
            self.telemetry.spans().len() >= count
        });
        let spans = self.telemetry.spans();
        assert_eq!(spans.len(), count, "{spans:#?}");
        spans
    }
}

/// `outcome name (hits/dependencies) flags`, and below it what was computed for it.
fn tree(spans: &[Span], parent: &[u8]) -> Vec<String> {
    let mut below: Vec<&Span> = spans.iter().filter(|span| span.parent_span_id == parent).collect();
    below.sort_by_key(|span| span.start_time_unix_nano);
    let mut lines = Vec::new();
    for span in below {
        lines.push(line(span));
        lines.extend(tree(spans, &span.span_id).into_iter().map(|line| format!("  {line}")));
    }
    lines
}

fn line(span: &Span) -> String {
    let told = attributes(&span.attributes);
    let int = |key: &str| match told.get(key) {
        Some(Any::IntValue(value)) => *value,
        _ => 0,
    };
    let outcome = match told.get("query.outcome") {
        Some(Any::StringValue(outcome)) => outcome.as_str(),
        _ => "?",
    };
    assert_eq!(told.get("query.name"), Some(&&text(&span.name)));
    let mut line = format!("{outcome} {}", span.name);
    if told.contains_key("query.dependencies") {
        write!(line, " {}/{}", int("query.hits"), int("query.dependencies")).unwrap();
    }
    for flag in ["revalidated", "waited"] {
        if told.get(&*format!("query.{flag}")) == Some(&&Any::BoolValue(true)) {
            write!(line, " {flag}").unwrap();
        }
    }
    if let Some(status) = span.status.as_ref().filter(|status| status.code == 2) {
        write!(line, " error: {}", status.message).unwrap();
    }
    line
}

#[tokio::test]
async fn outcomes_of_queries() {
    let fixture = Fixture::new();
    let Fixture { db, queries, a, b, .. } = &fixture;
    fixture
        .told(async {
            let total = async || queries.run("total", total(db, *a, *b)).await.unwrap();
            assert_eq!(total().await, 10);
            assert_eq!(total().await, 10);
            // Another input has changed, of which it knows nothing.
            File::new(db, "c".to_owned(), "1".to_owned()).unwrap();
            assert_eq!(total().await, 10);
            // What it is made of has.
            File::new(db, "b".to_owned(), "123".to_owned()).unwrap();
            assert_eq!(total().await, 8);
            assert_eq!(queries.run("length", length(db, *a)).await.unwrap(), 5);
        })
        .await;
    let spans = fixture.spans(5 + 3);
    assert_eq!(
        tree(&spans, &[]),
        [
            "miss total 0/2",
            "  miss length",
            "  miss length",
            "hit total",
            "hit total revalidated",
            "recompute total 2/2 revalidated",
            "  recompute length revalidated",
            "hit length",
        ]
    );
}

#[tokio::test]
async fn own_spans_in_queries_are_below_them() {
    let fixture = Fixture::new();
    let Fixture { db, queries, tracer, a, .. } = &fixture;
    let work = async { queries.run("twice", twice(db, *a)).await.unwrap() };
    let work = TRACER.scope(tracer.clone(), work);
    fixture.told(work.in_span(tracer.span("build").with_attribute("query.name", "build").start())).await;
    let spans = fixture.spans(4);
    assert_eq!(tree(&spans, &[]), ["? build", "  miss twice 1/2", "    miss length", "      ? count"]);
}

#[tokio::test]
async fn who_waits_for_another_tells_so() {
    let fixture = Fixture::new();
    let Fixture { db, queries, a, .. } = &fixture;
    let run = || queries.run("length", length(db, *a));
    let lengths = fixture.told(async { tokio::join!(run(), run()) }).await;
    assert_eq!((lengths.0.unwrap(), lengths.1.unwrap()), (5, 5));
    assert_eq!(tree(&fixture.spans(2), &[]), ["miss length", "hit length waited"]);
}

#[tokio::test]
async fn failures_and_panics_are_told() {
    let fixture = Fixture::new();
    let Fixture { db, queries, a, b, .. } = &fixture;
    File::new(db, "b".to_owned(), "x".repeat(1000)).unwrap();
    let error = fixture.told(async { queries.run("total", total(db, *a, *b)).await.unwrap_err() }).await;
    let spans = fixture.spans(3);
    assert_eq!(
        tree(&spans, &[]),
        [
            format!("miss total 0/2 error: {error}"),
            "  miss length".to_owned(),
            "  miss length error: the query panicked".to_owned()
        ]
    );
}

#[tokio::test]
async fn who_does_not_wait_any_more_has_cancelled() {
    let fixture = Fixture::new();
    let Fixture { db, queries, .. } = &fixture;
    fixture
        .told(async {
            tokio::select! {
                answer = queries.run("endless", endless(db)) => panic!("{answer:?}"),
                () = ENDLESS.notified() => {}
            }
        })
        .await;
    assert_eq!(tree(&fixture.spans(1), &[]), ["cancelled endless"]);
}

#[tokio::test]
async fn a_query_that_is_given_up_within_another_ends_then() {
    let fixture = Fixture::new();
    let Fixture { db, queries, a, .. } = &fixture;
    assert_eq!(fixture.told(queries.run("impatient", impatient(db, *a))).await.unwrap(), 5);
    let spans = fixture.spans(3);
    assert_eq!(tree(&spans, &[]), ["miss impatient 0/2", "  cancelled endless", "  miss length"]);
    let end = |name: &str| spans.iter().find(|span| span.name == name).unwrap().end_time_unix_nano;
    assert!(end("endless") <= end("length"));
}

#[tokio::test]
async fn a_query_that_is_run_within_another_is_asked_for_by_it() {
    let fixture = Fixture::new();
    let Fixture { db, queries, a, .. } = &fixture;
    let work = QUERIES.scope(queries.clone(), queries.run("nested", nested(db, *a)));
    assert_eq!(fixture.told(work).await.unwrap(), 10);
    assert_eq!(tree(&fixture.spans(3), &[]), ["miss nested 1/2", "  miss length", "  hit length"]);
}

#[tokio::test]
async fn a_run_that_is_given_up_within_another_leaves_nothing() {
    let fixture = Fixture::new();
    let Fixture { db, queries, a, .. } = &fixture;
    let work = async {
        tokio::select! {
            biased;
            _ = queries.run("endless", endless(db)) => {}
            () = tokio::task::yield_now() => {}
        }
        length(db, *a).await
    };
    assert_eq!(fixture.told(queries.run("outer", work)).await.unwrap(), 5);
    assert_eq!(tree(&fixture.spans(2), &[]), ["miss outer", "  cancelled endless"]);
}

#[tokio::test]
async fn a_failure_is_no_hit() {
    let fixture = Fixture::new();
    let Fixture { db, queries, a, b, .. } = &fixture;
    let run = async || fixture.told(queries.run("total", total(db, *a, *b))).await;
    assert_eq!(run().await.unwrap(), 10);
    File::new(db, "b".to_owned(), "x".repeat(1000)).unwrap();
    let error = run().await.unwrap_err();
    let spans = fixture.spans(3 + 2);
    let lines = tree(&spans, &[]);
    assert_eq!(lines[3], format!("? total revalidated error: {error}"));
    assert_eq!(lines[4], "  recompute length revalidated error: the query panicked");
}

#[tokio::test]
async fn a_disabled_tracer_costs_a_query_nothing() {
    let fixture = Fixture::new();
    let queries = Queries::new(&Tracer::disabled(), fixture.db.ingredient_registry());
    assert_eq!(fixture.told(queries.run("length", length(&fixture.db, fixture.a))).await.unwrap(), 5);
    fixture.spans(0);
}

#[tokio::test]
async fn without_the_layer_there_is_no_outcome() {
    let fixture = Fixture::new();
    let Fixture { db, queries, a, .. } = &fixture;
    queries.run("length", length(db, *a)).await.unwrap();
    assert_eq!(tree(&fixture.spans(1), &[]), ["? length"]);
}

#[tokio::test]
async fn queries_of_several_tasks_do_not_meet() {
    let fixture = Arc::new(Fixture::new());
    let tasks: Vec<_> = (0..50)
        .map(|number| {
            let fixture = Arc::clone(&fixture);
            let task = async move {
                // Some meet at the same file.
                let file = File::new(&fixture.db, format!("file {}", number / 2), "1".to_owned()).unwrap();
                fixture.queries.run("twice", twice(&fixture.db, file)).await.unwrap()
            };
            let subscriber = tracing_subscriber::registry().with(glasshouse_picante::layer());
            tokio::spawn(task.with_subscriber(subscriber))
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 2);
    }
    eventually("all are sent", || {
        fixture.tracer.flush(Duration::from_secs(5)).unwrap();
        fixture.telemetry.spans().iter().filter(|span| span.name == "twice").count() == 50
    });
    let spans = fixture.telemetry.spans();
    for root in spans.iter().filter(|span| span.name == "twice") {
        let below: Vec<_> = spans.iter().filter(|span| span.parent_span_id == root.span_id).collect();
        assert!(below.iter().all(|span| span.name == "length" && span.trace_id == root.trace_id), "{below:?}");
        let is_computed = !line(root).starts_with("hit");
        assert!(is_computed || below.is_empty(), "{}: {below:?}", line(root));
    }
    let computed = spans.iter().filter(|span| span.name == "length").count();
    assert!(computed >= 25, "{computed}");
}

#[tokio::test]
async fn what_happens_to_a_database_is_counted() {
    let Fixture { telemetry, tracer, db, queries, a, b } = Fixture::new();
    let watching = tokio::spawn(queries.watch(db.runtime()));
    total(&db, a, b).await.unwrap();
    File::new(&db, "b".to_owned(), "123".to_owned()).unwrap();
    total(&db, a, b).await.unwrap();
    drop(db);
    watching.await.unwrap();
    tracer.flush(Duration::from_secs(5)).unwrap();
    let mut counts: HashMap<String, i64> = HashMap::new();
    for metric in telemetry.metrics() {
        let Some(Data::Sum(sum)) = metric.data else { continue };
        for point in sum.data_points {
            let name = attributes(&point.attributes).get("query.name").map(|name| format!("{name:?}"));
            let Some(Number::AsInt(value)) = point.value else { panic!("{point:?}") };
            counts.insert(format!("{} {}", metric.name, name.unwrap_or_default()), value);
        }
    }
    let count = |metric: &str, query: &str| {
        let of = counts.iter().filter(|(name, _)| name.starts_with(&format!("{metric} ")) && name.contains(query));
        of.map(|(_, count)| *count).sum::<i64>()
    };
    assert_eq!(count("picante.revisions", ""), 1, "{counts:?}");
    assert_eq!(count("picante.inputs.set", "File"), 1, "{counts:?}");
    assert_eq!(count("picante.queries.invalidated", "length"), 1, "{counts:?}");
    assert_eq!(count("picante.queries.invalidated", "total"), 1, "{counts:?}");
    assert_eq!(count("picante.queries.changed", "length"), 3, "{counts:?}");
    assert_eq!(count("picante.queries.changed", "total"), 2, "{counts:?}");
}
