//! The client against a server that is told how to answer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::server::{Answer, DEADLINE, Server, attributes, eventually, fates, named, text};
use glasshouse_client::context::current;
use glasshouse_client::{
    Attributes, Baggage, ConnectError, Limits, Sampler, SpanContext, SpanKind, SpanLimits, Statistics, StatusCode,
    Tracer, Value, WithContext as _, propagation,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;

#[test]
fn a_span_arrives_with_all_it_was_told() {
    let server = Server::new(|_| Answer::ok());
    let tracer = Tracer::builder(&server.url())
        .service("shop")
        .resource_attribute("host.name", "here")
        .scope("tests", "1.2")
        .header("authorization", "Bearer token")
        .connect_checked()
        .unwrap();
    let other = tracer.span("other").without_parent().start();
    let nested = Value::Array(vec![Value::Int(1), Value::Map(Attributes(vec![("k".into(), Value::Empty)]))]);
    let mut span = tracer
        .span("all")
        .with_kind(SpanKind::Server)
        .with_attribute("text", "größe")
        .with_attribute("bool", true)
        .with_attribute("int", -7)
        .with_attribute("double", 1.5)
        .with_attribute("bytes", &b"\0\xff"[..])
        .with_attribute("texts", &["a", "b"][..])
        .with_attribute("flags", &[true, false][..])
        .with_attribute("counts", &[1_i64, -2][..])
        .with_attribute("shares", &[0.5, 0.25][..])
        .with_attribute("nested", &nested)
        .with_link(other.context().unwrap())
        .start();
    span.set_attribute("late", 0);
    span.set_attribute("late", 1_usize);
    span.add_event("thing", &[("n", 3.into())]);
    let cause = std::io::Error::other("disk on fire");
    span.record_error(&cause);
    let context = span.context().unwrap().clone();
    span.end();
    let other_context = other.context().unwrap().clone();
    drop(other);
    tracer.flush(DEADLINE).unwrap();
    assert_eq!(fates(tracer.statistics().spans), [2, 2, 0, 0, 0]);

    let requests = server.requests();
    assert!(requests.iter().all(|request| request.header("authorization") == Some("Bearer token")));
    let resource =
        requests.iter().find_map(|request| request.traces().resource_spans.first()?.resource.clone()).unwrap();
    let resource = attributes(&resource.attributes);
    assert_eq!(resource["service.name"], &text("shop"));
    assert_eq!(resource["host.name"], &text("here"));
    assert_eq!(resource["process.pid"], &Any::IntValue(std::process::id().into()));
    let spans = server.spans();
    let span = named(&spans, "all");
    assert_eq!(span.trace_id, context.trace_id().as_bytes());
    assert_eq!(span.span_id, context.span_id().as_bytes());
    assert!(span.parent_span_id.is_empty());
    assert_eq!(span.kind, 2);
    assert!(span.start_time_unix_nano <= span.end_time_unix_nano);
    let told = attributes(&span.attributes);
    assert_eq!(told["text"], &text("größe"));
    assert_eq!(told["bool"], &Any::BoolValue(true));
    assert_eq!(told["int"], &Any::IntValue(-7));
    assert_eq!(told["double"], &Any::DoubleValue(1.5));
    let list = |key: &str| match told[key] {
        Any::ArrayValue(list) => list.values.iter().map(|value| value.value.clone().unwrap()).collect::<Vec<_>>(),
        other => panic!("{key}: {other:?}"),
    };
    assert_eq!(list("flags"), [Any::BoolValue(true), Any::BoolValue(false)]);
    assert_eq!(list("counts"), [Any::IntValue(1), Any::IntValue(-2)]);
    assert_eq!(list("shares"), [Any::DoubleValue(0.5), Any::DoubleValue(0.25)]);
    assert_eq!(told["bytes"], &Any::BytesValue(b"\0\xff".to_vec()));
    assert_eq!(told["late"], &Any::IntValue(1));
    assert_eq!(span.attributes.iter().filter(|entry| entry.key == "late").count(), 1);
    assert_eq!(span.dropped_attributes_count, 0);
    let Any::ArrayValue(texts) = told["texts"] else { panic!("{told:?}") };
    assert_eq!(texts.values.len(), 2);
    let Any::ArrayValue(nested) = told["nested"] else { panic!("{told:?}") };
    assert!(matches!(&nested.values[1].value, Some(Any::KvlistValue(map)) if map.values[0].key == "k"));
    assert_eq!(told["thread.name"], &text(thread::current().name().unwrap()));
    let [thing, exception] = &span.events[..] else { panic!("{:?}", span.events) };
    assert_eq!((thing.name.as_str(), attributes(&thing.attributes)["n"]), ("thing", &Any::IntValue(3)));
    assert!((span.start_time_unix_nano..=span.end_time_unix_nano).contains(&thing.time_unix_nano));
    assert_eq!(attributes(&exception.attributes)["exception.message"], &text("disk on fire"));
    assert_eq!(attributes(&exception.attributes)["exception.type"], &text("std::io::error::Error"));
    let status = span.status.as_ref().unwrap();
    assert_eq!((status.code, status.message.as_str()), (2, "disk on fire"));
    assert_eq!(span.links[0].span_id, other_context.span_id().as_bytes());
}

#[test]
fn children_belong_to_the_span_they_run_in() {
    let server = Server::new(|_| Answer::ok());
    let tracer = Tracer::connect(&server.url()).unwrap();
    let remote: SpanContext = {
        let headers =
            vec![("traceparent".to_owned(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned())];
        propagation::extract(&headers).unwrap()
    };
    let request = tracer.span("request").with_parent(&remote).start();
    let inside = request.enter();
    let task = async {
        let before = current().unwrap();
        tracer.span("in task").start().end();
        before
    };
    let task = task.in_span(tracer.span("task").start());
    tracer.span("beside").start().end();
    drop(inside);
    assert_eq!(current(), None);
    // It is polled by a thread that runs in nothing.
    let of_task = thread::scope(|scope| scope.spawn(|| futures::executor::block_on(task)).join().unwrap());
    assert_eq!(current(), None);
    drop(request);
    tracer.shutdown(DEADLINE).unwrap();
    let spans = server.spans();
    let parent = |name: &str| named(&spans, name).parent_span_id.clone();
    let id = |name: &str| named(&spans, name).span_id.clone();
    assert_eq!(parent("request"), remote.span_id().as_bytes());
    assert_eq!(parent("task"), id("request"));
    assert_eq!(parent("beside"), id("request"));
    assert_eq!(parent("in task"), id("task"));
    assert_eq!(id("task"), of_task.span_id().as_bytes());
    assert!(spans.iter().all(|span| span.trace_id == remote.trace_id().as_bytes()));
    // What crosses threads belongs to none of them.
    assert!(!attributes(&named(&spans, "task").attributes).contains_key("thread.id"));
    assert!(attributes(&named(&spans, "beside").attributes).contains_key("thread.id"));
    assert_eq!(named(&spans, "request").flags & 0x300, 0x300, "its parent is remote");
    assert_eq!(named(&spans, "beside").flags & 0x300, 0x100);
}

#[test]
fn a_span_may_have_begun_before() {
    let server = Server::new(|_| Answer::ok());
    let tracer = Tracer::connect(&server.url()).unwrap();
    let begun = SystemTime::now() - Duration::from_secs(90);
    tracer.span("queued").with_start_time(begun).start().end();
    tracer.flush(DEADLINE).unwrap();
    let spans = server.spans();
    let span = named(&spans, "queued");
    assert_eq!(u128::from(span.start_time_unix_nano), begun.duration_since(UNIX_EPOCH).unwrap().as_nanos());
    assert!(span.end_time_unix_nano - span.start_time_unix_nano >= 90_000_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_spawned_may_run_in_the_current_span() {
    let server = Server::new(|_| Answer::ok());
    let tracer = Tracer::connect(&server.url()).unwrap();
    let outer = tracer.span("outer").start();
    let spawned = {
        let _current = outer.enter();
        let tracer = tracer.clone();
        tokio::spawn(async move { tracer.span("inner").start().end() }.in_current_span())
    };
    spawned.await.unwrap();
    drop(outer);
    tracer.flush(DEADLINE).unwrap();
    let spans = server.spans();
    assert_eq!(named(&spans, "inner").parent_span_id, named(&spans, "outer").span_id);
}

#[test]
fn a_trace_goes_through_metadata_of_tonic() {
    let server = Server::new(|_| Answer::ok());
    let tracer = Tracer::connect(&server.url()).unwrap();
    let span = tracer.span("call").start();
    let mut request = tonic::Request::new(());
    propagation::inject(span.context().unwrap(), request.metadata_mut().as_mut());
    let mut baggage = Baggage::default();
    baggage.set("tier", "gold").unwrap();
    propagation::inject_baggage(&baggage, request.metadata_mut().as_mut());
    assert_eq!(propagation::extract(request.metadata().as_ref()).as_ref(), span.context());
    assert_eq!(propagation::extract_baggage(request.metadata().as_ref()), baggage);
}

#[test]
fn it_is_known_whether_somebody_is_there() {
    let connect = |url: &str| Tracer::builder(url).timeout(Duration::from_secs(5)).connect_checked().map(drop);
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    assert!(matches!(connect(&closed), Err(ConnectError::Unreachable { .. })));
    let refusing = Server::new(|_| Answer::status(404));
    assert!(matches!(connect(&refusing.url()), Err(ConnectError::Refused { status: 404, .. })));
    for wrong in ["localhost:4318", "", "ftp://host", "http://", "http://host/?q=1", "http://ho st"] {
        assert!(matches!(connect(wrong), Err(ConnectError::Endpoint { .. })), "{wrong:?}");
    }
    let header = Tracer::builder("http://localhost:4318").header("bad header", "").connect();
    assert!(matches!(header, Err(ConnectError::Header(name)) if name == "bad header"));
    // Without a check it may come later.
    Tracer::builder(&closed).connect().unwrap().shutdown(Duration::ZERO).ok();
}

#[test]
fn a_span_ends_when_its_thread_panics() {
    let server = Server::new(|_| Answer::ok());
    let tracer = Tracer::connect(&server.url()).unwrap();
    let result = catch_unwind(AssertUnwindSafe(|| {
        let _span = tracer.span("falls").start();
        panic!("for a test");
    }));
    assert!(result.is_err());
    // The last tracer sends what there is.
    drop(tracer);
    let spans = server.spans();
    let status = named(&spans, "falls").status.clone().unwrap();
    assert_eq!((status.code, status.message.as_str()), (2, "panicked"));
}

#[test]
fn samplers_keep_what_they_shall() {
    let server = Server::new(|_| Answer::ok());
    let kept = |sampler: Sampler, parent: Option<bool>| {
        let tracer = Tracer::builder(&server.url()).sampler(sampler).connect().unwrap();
        let flags = glasshouse_client::TraceFlags::from_bits(u8::from(parent == Some(true)));
        let mut kept = 0;
        for i in 1..=1000_u128 {
            let trace = (i.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)).to_be_bytes();
            let trace = glasshouse_client::TraceId::from_bytes(trace).unwrap();
            let id = glasshouse_client::SpanId::from_bytes([1; 8]).unwrap();
            let remote = SpanContext::remote(trace, id, flags, glasshouse_client::TraceState::default());
            let span = tracer.span("work");
            let span = if parent.is_some() { span.with_parent(&remote) } else { span.without_parent() };
            let span = span.start();
            assert_eq!(span.is_recording(), span.context().unwrap().is_sampled());
            kept += u32::from(span.is_recording());
        }
        kept
    };
    let based = |sampler| Sampler::ParentBased(Box::new(sampler));
    assert_eq!(kept(Sampler::Always, Some(false)), 1000);
    assert_eq!(kept(Sampler::Never, Some(true)), 0);
    assert_eq!(kept(based(Sampler::Never), Some(true)), 1000);
    assert_eq!(kept(based(Sampler::Never), None), 0);
    assert_eq!(kept(Sampler::default(), Some(false)), 0);
    assert_eq!(kept(Sampler::default(), None), 1000);
    assert_eq!(kept(Sampler::Ratio(1.0), None), 1000);
    assert_eq!(kept(Sampler::Ratio(0.0), None), 0);
    assert_eq!(kept(Sampler::Ratio(f64::NAN), None), 0);
    let some = kept(Sampler::Ratio(0.25), Some(true));
    assert!((200..300).contains(&some), "{some}");
    assert_eq!(kept(Sampler::Ratio(0.25), Some(true)), some, "it depends on the trace only");
    assert_eq!(kept(Sampler::PerSecond(0.0), None), 0);
    assert_eq!(kept(Sampler::PerSecond(0.0), Some(true)), 1000);
    assert_eq!(kept(Sampler::PerSecond(0.001), None), 1);
    let begun = Instant::now();
    let some = kept(Sampler::PerSecond(10.0), None);
    let most = 10 + 10 * (begun.elapsed().as_secs() as u32 + 1);
    assert!((10..=most).contains(&some), "{some}");
}

#[test]
fn a_span_that_is_not_kept_passes_its_trace_on() {
    let server = Server::new(|_| Answer::ok());
    let tracer = Tracer::builder(&server.url()).sampler(Sampler::Never).connect().unwrap();
    let root = tracer.span("root").start();
    let _root = root.enter();
    let child = tracer.span("child").start();
    let (root, child) = (root.context().unwrap(), child.context().unwrap());
    assert_eq!(child.trace_id(), root.trace_id());
    assert_ne!(child.span_id(), root.span_id());
    assert!(!child.is_sampled());
}

#[test]
fn limits_of_a_span_are_kept_and_told() {
    let server = Server::new(|_| Answer::ok());
    let limits = Limits { span: SpanLimits { attributes: 2, events: 1, links: 0 }, ..Limits::default() };
    let tracer = Tracer::builder(&server.url()).limits(limits).connect().unwrap();
    let mut span = tracer.span("full").with_attribute("a", 1).with_attribute("b", 2).with_attribute("c", 3).start();
    span.add_event("one", &[("a", 1.into()), ("b", 2.into()), ("c", 3.into())]);
    span.add_event("two", &[]);
    span.add_link(&span.context().unwrap().clone());
    span.set_status(StatusCode::Ok, "ignored");
    span.set_status(StatusCode::Error, "too late");
    span.set_status(StatusCode::Unset, "");
    drop(span);
    tracer.shutdown(DEADLINE).unwrap();
    let spans = server.spans();
    let span = named(&spans, "full");
    assert_eq!((span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count), (1, 1, 1));
    assert_eq!(span.events[0].dropped_attributes_count, 1);
    let status = span.status.as_ref().unwrap();
    assert_eq!((status.code, status.message.as_str()), (1, ""));
}

#[test]
fn a_disabled_tracer_does_nothing() {
    let tracer = Tracer::disabled();
    let mut span = tracer.span("nothing").with_attribute("a", 1).start();
    span.set_attribute("b", 2);
    assert!(span.context().is_none() && !span.is_recording());
    let _entered = span.enter();
    assert_eq!(current(), None);
    tracer.shutdown(DEADLINE).unwrap();
    assert_eq!(tracer.statistics(), Statistics::default());
}

#[test]
fn a_span_that_runs_for_long_is_told_of_before_it_ends() {
    let server = Server::new(|_| Answer::ok());
    let builder = Tracer::builder(&server.url()).report_open_spans(Duration::from_millis(1));
    let limits = Limits { batch_time: Duration::from_millis(10), ..Limits::default() };
    let tracer = builder.limits(limits).connect().unwrap();
    let long = tracer.span(format!("long {}", 1)).with_kind(SpanKind::Client).with_attribute("a", 1).start();
    let inner = tracer.span("inner").with_parent(long.context().unwrap()).start();
    eventually("they are told of", || server.spans().len() == 2);
    let (spans, context) = (server.spans(), long.context().unwrap().clone());
    let open = named(&spans, "long 1");
    assert_eq!((open.end_time_unix_nano, open.kind, &open.span_id[..]), (0, 3, &context.span_id().as_bytes()[..]));
    assert!(attributes(&open.attributes).contains_key("a") && open.start_time_unix_nano > 0);
    assert_eq!(named(&spans, "inner").parent_span_id, open.span_id);
    drop((inner, long));
    tracer.shutdown(DEADLINE).unwrap();
    assert_eq!(fates(tracer.statistics().spans), [2, 2, 0, 0, 0]);
    let spans = server.spans();
    let [first, second] = [0, 1].map(|time| spans.iter().filter(|span| span.name == "long 1").nth(time).unwrap());
    assert_eq!((&first.span_id, first.start_time_unix_nano), (&second.span_id, second.start_time_unix_nano));
    assert!(second.end_time_unix_nano >= second.start_time_unix_nano);
}
