//! Programs that tell by `tracing` and by `log`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "it/server.rs"]
mod server;

use std::cell::Cell;
use std::fmt;
use std::task::Poll;

use futures::future::{join, poll_fn};
use glasshouse_client::{LogBridge, Sampler, Tracer, TracingLayer, WithContext as _, context};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use server::{Answer, DEADLINE, Server, attributes, named, text};
use tracing::{Instrument as _, Level, debug, error, info, info_span, instrument, warn};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

/// Runs something that tells by `tracing`.
fn traced(server: &Server, layer: impl FnOnce(Tracer) -> TracingLayer, run: impl FnOnce(&Tracer)) {
    let tracer = Tracer::builder(&server.url()).sampler(Sampler::Always).connect().unwrap();
    let subscriber = tracing_subscriber::registry().with(layer(tracer.clone()));
    tracing::subscriber::with_default(subscriber, || run(&tracer));
    tracer.shutdown(DEADLINE).unwrap();
}

fn body(log: &LogRecord) -> &Any {
    log.body.as_ref().unwrap().value.as_ref().unwrap()
}

fn said<'a>(logs: &'a [LogRecord], what: &str) -> &'a LogRecord {
    logs.iter().find(|log| body(log) == &text(what)).unwrap_or_else(|| panic!("nobody said {what}: {logs:#?}"))
}

#[derive(Debug, thiserror::Error)]
#[error("no money")]
struct Broke(#[source] std::io::Error);

#[instrument(skip_all, fields(cart = items.len()), err)]
fn buy(items: &[&str]) -> Result<(), Broke> {
    info!(first = items[0], "buying {} things", items.len());
    Err(Broke(std::io::Error::other("card refused")))
}

#[test]
fn spans_and_events_arrive() {
    let server = Server::new(|_| Answer::ok());
    traced(&server, TracingLayer::new, |_| {
        let order = info_span!(
            "order",
            id = 7,
            price = 1.5,
            paid = true,
            huge = u64::MAX,
            late = tracing::field::Empty,
            otel.name = "order things",
            otel.kind = "server",
            text = "größe",
            debugged = ?Some(1),
        );
        order.record("late", 1);
        order.record("late", "2");
        let _entered = order.enter();
        buy(&["pen", "ink"]).unwrap_err();
        warn!(parent: None, "alone");
        let batch = info_span!(parent: None, "batch");
        batch.follows_from(&order);
        error!(parent: &batch, problem = &Broke(std::io::Error::other("x")) as &dyn std::error::Error, "failed");
        debug!(n = -1, "{}", format_args!("{}!", "done"));
    });
    let (spans, logs) = (server.spans(), server.logs());
    let order = named(&spans, "order things");
    let told = attributes(&order.attributes);
    assert_eq!(
        (order.kind, told["id"], told["price"], told["paid"]),
        (2, &Any::IntValue(7), &Any::DoubleValue(1.5), &Any::BoolValue(true))
    );
    assert_eq!((told["huge"], told["late"]), (&text("18446744073709551615"), &text("2")));
    assert_eq!((told["text"], told["debugged"]), (&text("größe"), &text("Some(1)")));
    assert_eq!((told["target"], told["code.file.path"]), (&text("bridge"), &text(file!())));
    assert!(matches!(told["code.line.number"], Any::IntValue(line) if *line > 1));
    assert!(told.contains_key("thread.name") && !told.contains_key("otel.kind"));
    let (Any::IntValue(busy), Any::IntValue(idle)) = (told["busy_ns"], told["idle_ns"]) else { panic!("{told:?}") };
    let took = (order.end_time_unix_nano - order.start_time_unix_nano) as i64;
    assert!(*busy > 0 && *idle >= 0 && busy + idle <= took, "{busy} {idle} {took}");
    let buy = named(&spans, "buy");
    assert_eq!((&buy.parent_span_id, attributes(&buy.attributes)["cart"]), (&order.span_id, &Any::IntValue(2)));
    assert_eq!(buy.status.as_ref().unwrap().message, "no money");
    assert!(order.status.is_none());
    let bought = said(&logs, "buying 2 things");
    assert_eq!((&bought.span_id, &bought.trace_id), (&buy.span_id, &buy.trace_id));
    let told = attributes(&bought.attributes);
    assert_eq!((told["first"], told["target"], bought.severity_number), (&text("pen"), &text("bridge"), 9));
    assert!(!told.contains_key("message"));
    assert!(said(&logs, "alone").span_id.is_empty());
    let batch = named(&spans, "batch");
    assert_ne!(batch.trace_id, order.trace_id);
    assert_eq!(batch.links[0].span_id, order.span_id);
    assert_eq!(batch.status.as_ref().unwrap().message, "failed");
    let failed = said(&logs, "failed");
    assert_eq!((&failed.span_id, attributes(&failed.attributes)["problem"]), (&batch.span_id, &text("no money: x")));
    let done = said(&logs, "done!");
    assert_eq!(
        (&done.span_id, done.severity_number, attributes(&done.attributes)["n"]),
        (&order.span_id, 5, &Any::IntValue(-1))
    );
}

/// Is polled again at once, as often as that.
async fn yields(mut times: u32) {
    poll_fn(|task| {
        times = match times.checked_sub(1) {
            Some(rest) => rest,
            None => return Poll::Ready(()),
        };
        task.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[test]
fn spans_of_futures_do_not_mix() {
    let server = Server::new(|_| Answer::ok());
    traced(&server, TracingLayer::new, |_| {
        let task = |name: &'static str, otherwise: &'static str| {
            let inner = async move {
                yields(2).await;
                info!("{name} works");
                info_span!("step", otel.name = otherwise).in_scope(|| ());
            };
            inner.instrument(info_span!("task", otel.name = name))
        };
        futures::executor::block_on(join(task("one", "step of one"), task("two", "step of two")));
        assert_eq!(context::current(), None);
    });
    let (spans, logs) = (server.spans(), server.logs());
    for name in ["one", "two"] {
        let task = named(&spans, name);
        assert_eq!(named(&spans, &format!("step of {name}")).parent_span_id, task.span_id);
        assert_eq!(said(&logs, &format!("{name} works")).span_id, task.span_id);
        // They were interleaved on one thread, on whose track they cannot both be.
        assert!(!attributes(&task.attributes).contains_key("thread.id"));
    }
}

#[test]
fn it_goes_with_spans_that_are_made_otherwise() {
    let server = Server::new(|_| Answer::ok());
    traced(&server, TracingLayer::new, |tracer| {
        let request = tracer.span("request").start();
        let work = async {
            let handler = info_span!("handler").entered();
            tracer.span("by hand").start().end();
            let by_hand = tracer.span("entered by hand").start();
            let entered = by_hand.enter();
            info_span!("within").in_scope(|| ());
            drop(entered);
            assert_ne!(context::current().as_ref(), by_hand.context());
            // What was the current one before a span was entered is so when it is left.
            let nested = async {
                info_span!("deep within").in_scope(|| ());
                tracer.span("after it").start().end();
            };
            nested.in_span(tracer.span("nested").start()).await;
            drop(handler);
        };
        futures::executor::block_on(work.in_span(request));
        // Not in the order in which they were entered.
        let one = info_span!("first").entered();
        let two = info_span!("second").entered();
        drop(one);
        info_span!("in second").in_scope(|| ());
        drop(two);
        assert_eq!(context::current(), None);
    });
    let spans = server.spans();
    let parent = |name: &str| named(&spans, name).parent_span_id.clone();
    let id = |name: &str| named(&spans, name).span_id.clone();
    assert_eq!(parent("handler"), id("request"));
    assert_eq!(parent("by hand"), id("handler"));
    assert_eq!(parent("within"), id("entered by hand"));
    assert_eq!((parent("deep within"), parent("after it")), (id("nested"), id("nested")));
    assert_eq!(parent("second"), id("first"));
    assert_eq!(parent("in second"), id("second"));
}

#[test]
fn filters_and_settings_are_heeded() {
    let server = Server::new(|_| Answer::ok());
    let tracer = Tracer::connect(&server.url()).unwrap();
    let layer = TracingLayer::new(tracer.clone()).with_location(false).with_activity(false);
    let subscriber = tracing_subscriber::registry().with(layer.with_filter(LevelFilter::INFO));
    tracing::subscriber::with_default(subscriber, || {
        let outer = info_span!("outer").entered();
        let hidden = tracing::debug_span!("hidden").entered();
        info_span!("inner").in_scope(|| debug!("not told"));
        info!("told");
        drop((hidden, outer));
    });
    tracer.shutdown(DEADLINE).unwrap();
    let (spans, logs) = (server.spans(), server.logs());
    assert_eq!((spans.len(), logs.len()), (2, 1));
    assert_eq!(named(&spans, "inner").parent_span_id, named(&spans, "outer").span_id);
    let told = attributes(&named(&spans, "inner").attributes);
    assert!(told.keys().all(|key| key.starts_with("thread.")), "{told:?}");
}

#[test]
fn layers_do_not_disturb_each_other() {
    let servers = [(); 2].map(|()| Server::new(|_| Answer::ok()));
    let [one, two] = [0, 1].map(|server: usize| Tracer::connect(&servers[server].url()).unwrap());
    let registry = tracing_subscriber::registry().with(TracingLayer::new(Tracer::disabled()));
    let registry = registry.with(TracingLayer::new(one.clone())).with(TracingLayer::new(two.clone()));
    tracing::subscriber::with_default(registry, || {
        info_span!("by the first").in_scope(|| error!("by all"));
        let later = info_span!("later").entered();
        assert!(context::current().is_some());
        drop(later);
        assert_eq!(context::current(), None);
    });
    for tracer in [one, two] {
        tracer.shutdown(DEADLINE).unwrap();
    }
    let [first, second] = &servers;
    assert_eq!((first.spans().len(), first.logs().len()), (2, 1));
    assert_eq!((second.spans().len(), second.logs().len()), (0, 1));
    let (spans, logs) = (first.spans(), second.logs());
    let span = named(&spans, "by the first");
    assert_eq!((&logs[0].span_id, status(span)), (&span.span_id, (2, "by all")));
}

fn status(span: &Span) -> (i32, &str) {
    span.status.as_ref().map_or((0, ""), |status| (status.code, status.message.as_str()))
}

/// Tells something when it is looked at.
struct Talkative<'a>(&'a Cell<u32>);

impl fmt::Debug for Talkative<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.set(self.0.get() + 1);
        info_span!("within").in_scope(|| error!("looked at"));
        f.write_str("seen")
    }
}

#[test]
fn values_may_tell_of_themselves() {
    let server = Server::new(|_| Answer::ok());
    traced(&server, TracingLayer::new, |_| {
        let seen = Cell::new(0);
        let span = info_span!("outer", before = ?Talkative(&seen), after = tracing::field::Empty);
        let _entered = span.enter();
        span.record("after", tracing::field::debug(Talkative(&seen)));
        info!(value = ?Talkative(&seen), "event");
        tracing::event!(Level::ERROR, "{:?}", Talkative(&seen));
        assert!(seen.get() >= 4);
        // What the layer says of the place yields to fields.
        info!(target = 5, otel.name = 1, "placed elsewhere");
        info_span!("failing", otel.status_message = "late", otel.status_code = "ERROR").in_scope(|| error!(error = 5));
        let hidden = tracing::Span::none();
        info!(parent: &hidden, "of nobody");
    });
    let spans = server.spans();
    let outer = named(&spans, "outer");
    let told = attributes(&outer.attributes);
    assert_eq!((told["before"], told["after"]), (&text("seen"), &text("seen")));
    assert_eq!((status(outer), status(named(&spans, "failing"))), ((2, "seen"), (2, "5")));
    let logs = server.logs();
    let elsewhere = said(&logs, "placed elsewhere");
    assert_eq!(elsewhere.attributes.iter().filter(|entry| entry.key == "target").count(), 1);
    assert!(said(&logs, "of nobody").span_id.is_empty());
}

#[test]
fn a_logger_for_the_crate_log() {
    let server = Server::new(|_| Answer::ok());
    let tracer = Tracer::connect(&server.url()).unwrap();
    LogBridge::new(tracer.clone()).with_max_level(log::LevelFilter::Trace).install().unwrap();
    let span = tracer.span("work").start();
    let entered = span.enter();
    log::warn!(target: "shop", order = 7, paid = true, price = 1.5, who = "me", which:? = Some(1); "placed {}", "it");
    drop(entered);
    // Records are sent by a library that logs as well.
    for _ in 0..3 {
        tracer.flush(DEADLINE).unwrap();
    }
    let logs = server.logs();
    let [placed] = &logs[..] else { panic!("{logs:#?}") };
    assert_eq!((body(placed), placed.severity_number), (&text("placed it"), 13));
    assert_eq!(placed.span_id, span.context().unwrap().span_id().as_bytes());
    let told = attributes(&placed.attributes);
    assert_eq!(
        (told["target"], told["order"], told["paid"]),
        (&text("shop"), &Any::IntValue(7), &Any::BoolValue(true))
    );
    assert_eq!((told["price"], told["who"], told["which"]), (&Any::DoubleValue(1.5), &text("me"), &text("Some(1)")));
    assert_eq!(told["code.file.path"], &text(file!()));
}
