//! Calls between sessions of rapace, and the spans that are sent of them.

#![cfg(test)]

#[path = "../../../crates/client/tests/it/server.rs"]
mod server;

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt as _, future, stream};
use glasshouse_client::{Tracer, WithContext as _, context};
use glasshouse_rapace::Caller;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use rapace::{ErrorCode, RpcError, RpcSession, Streaming, Transport};
use server::{Answer, DEADLINE, Server, attributes, eventually, named, text};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

#[rapace::service]
trait Shop {
    async fn price(&self, item: u32) -> u32;
    async fn prices(&self, items: u32) -> Streaming<u32>;
    async fn wait(&self) -> u32;
}

/// A service that the server does not have.
#[rapace::service]
trait Bank {
    async fn pay(&self, sum: u32) -> u32;
    async fn payments(&self) -> Streaming<u32>;
}

const BROKEN: u32 = 13;

struct Prices {
    tracer: Tracer,
    /// A call came that waits for ever.
    waits: Arc<Notify>,
}

impl Shop for Prices {
    async fn price(&self, item: u32) -> u32 {
        let _look_up = self.tracer.span("look up").start();
        assert_ne!(item, BROKEN, "there is none");
        item * 100
    }

    async fn prices(&self, items: u32) -> Streaming<u32> {
        let tracer = self.tracer.clone();
        Box::pin(stream::iter(0..items).map(move |item| {
            tracer.span("next price").start().end();
            let missing = RpcError::Status { code: ErrorCode::NotFound, message: "sold out".to_owned() };
            if item == BROKEN { Err(missing) } else { Ok(item * 100) }
        }))
    }

    async fn wait(&self) -> u32 {
        self.waits.notify_one();
        std::future::pending().await
    }
}

/// A caller, a server and what both send.
struct Pair {
    telemetry: Server,
    tracer: Tracer,
    calls: Caller,
    client: Arc<RpcSession>,
    /// The server's loop.
    serving: JoinHandle<()>,
    waits: Arc<Notify>,
}

impl Pair {
    /// Connected, and the server answers as it is told.
    fn new<F: Future<Output: Send> + Send + 'static>(
        serve: impl FnOnce(&Tracer, Arc<RpcSession>, Prices) -> F,
    ) -> Self {
        let telemetry = Server::new(|_| Answer::ok());
        let tracer = Tracer::connect(&telemetry.url()).unwrap();
        let (near, far) = Transport::mem_pair();
        let (client, server) = (RpcSession::new(near), RpcSession::with_channel_start(far, 2));
        let (client, server) = (Arc::new(client), Arc::new(server));
        let waits = Arc::new(Notify::new());
        let serving = serve(&tracer, server, Prices { tracer: tracer.clone(), waits: Arc::clone(&waits) });
        let serving = tokio::spawn(async { drop(serving.await) });
        tokio::spawn(Arc::clone(&client).run());
        let calls = Caller::new(&tracer, Arc::clone(&client));
        Self { telemetry, tracer, calls, client, serving, waits }
    }

    fn traced() -> Self {
        Self::new(|tracer, session, prices| {
            glasshouse_rapace::serve(tracer, &session, |transport| {
                ShopServer::new(prices).into_session_dispatcher(transport)
            });
            session.run()
        })
    }

    /// All spans, when there are so many.
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

/// The spans of a call at both sides.
fn sides<'a>(spans: &'a [Span], method: &str) -> (&'a Span, &'a Span) {
    let of = |kind: SpanKind| {
        let mut of_kind = spans.iter().filter(|span| span.kind == kind as i32 && span.name == method);
        let span = of_kind.next().unwrap_or_else(|| panic!("no {kind:?} span of {method}"));
        assert!(of_kind.next().is_none(), "one {kind:?} span of {method}");
        span
    };
    let (client, server) = (of(SpanKind::Client), of(SpanKind::Server));
    for span in [client, server] {
        let attributes = attributes(&span.attributes);
        assert_eq!(attributes["rpc.system.name"], &text("rapace"));
        assert_eq!(attributes["rpc.method"], &text(method));
        assert!(span.end_time_unix_nano >= span.start_time_unix_nano);
    }
    (client, server)
}

fn assert_child(child: &Span, parent: &Span) {
    assert_eq!((&child.trace_id, &child.parent_span_id), (&parent.trace_id, &parent.span_id), "{child:?}");
}

/// Code, type of error and message.
fn failure(span: &Span) -> (Option<&str>, Option<&str>, &str) {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    let attributes = attributes(&span.attributes);
    let text = |key: &str| match attributes.get(key)? {
        Value::StringValue(text) => Some(text.as_str()),
        other => panic!("{key}: {other:?}"),
    };
    let message = span.status.as_ref().map_or("", |status| status.message.as_str());
    (text("rpc.response.status_code"), text("error.type"), message)
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_of_a_caller_are_one_trace() {
    let pair = Pair::traced();
    let order = pair.calls.run(async |session| {
        let shop = ShopClient::new(session);
        let (one, two) = tokio::join!(shop.price(1), shop.price(2));
        assert_eq!((one?, two?), (100, 200));
        let prices: Vec<_> = shop.prices(3).await?.collect().await;
        assert_eq!(prices.into_iter().collect::<Result<Vec<_>, _>>()?, [0, 100, 200]);
        Ok::<_, RpcError>(())
    });
    order.in_span(pair.tracer.span("order").start()).await.unwrap();

    let spans = pair.spans(1 + 2 * 3 + 2 + 3);
    let order = named(&spans, "order");
    let callers: Vec<_> = spans.iter().filter(|span| span.kind == SpanKind::Client as i32).collect();
    for caller in &callers {
        assert_child(caller, order);
        let server = spans.iter().find(|span| span.parent_span_id == caller.span_id).unwrap();
        assert_eq!((server.kind, &server.name), (SpanKind::Server as i32, &caller.name));
        assert_child(server, caller);
        assert!(server.end_time_unix_nano <= caller.end_time_unix_nano, "the answer came after it was given");
        let works: Vec<_> = spans.iter().filter(|span| span.parent_span_id == server.span_id).collect();
        let expected = if server.name == "Shop.prices" { vec!["next price"; 3] } else { vec!["look up"] };
        assert_eq!(works.iter().map(|span| &*span.name).collect::<Vec<_>>(), expected);
    }
    assert!(spans.iter().all(|span| failure(span) == (None, None, "")));
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_told_by_both_sides() {
    let pair = Pair::traced();
    BankServer::new(NoBank);
    let calls = &pair.calls;

    let refused = calls.run(async |session| BankClient::new(session).pay(1).await).await.unwrap_err();
    let prices = calls.run(async |session| {
        let mut prices = ShopClient::new(session).prices(BROKEN + 1).await?;
        while let Some(price) = prices.next().await {
            price?;
        }
        Ok::<_, RpcError>(())
    });
    let sold_out = prices.await.unwrap_err();
    let broken = calls.run(async |session| ShopClient::new(session).price(BROKEN).await).await.unwrap_err();
    let payments = calls.run(async |session| BankClient::new(session).payments().await?.next().await.unwrap());
    payments.await.unwrap_err();

    let spans = pair.spans(2 * 4 + 1 + BROKEN as usize + 1);
    let (client, server) = sides(&spans, "Bank.payments");
    assert_eq!((failure(client).1, failure(server).1), (Some("Unimplemented"), Some("Unimplemented")));
    let (client, server) = sides(&spans, "Bank.pay");
    assert_child(server, client);
    let unknown = (Some("Unimplemented"), Some("Unimplemented"), &*refused.to_string());
    assert_eq!((failure(client), failure(server)), (unknown, unknown));
    let (client, server) = sides(&spans, "Shop.prices");
    assert_eq!(failure(client), (Some("NotFound"), Some("NotFound"), &*sold_out.to_string()));
    assert_eq!(failure(server), (Some("NotFound"), None, ""), "it is the caller's mistake");
    let (client, server) = sides(&spans, "Shop.price");
    assert_eq!(failure(client), (Some("Internal"), Some("Internal"), &*broken.to_string()));
    assert!(failure(server).2.contains("panic"), "{server:?}");
}

struct NoBank;

impl Bank for NoBank {
    async fn pay(&self, sum: u32) -> u32 {
        sum
    }

    async fn payments(&self) -> Streaming<u32> {
        Box::pin(stream::empty())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_wait_any_more_has_cancelled() {
    let pair = Pair::traced();
    let waiting = pair.calls.run(async |session| ShopClient::new(session).wait().await);
    tokio::select! {
        answer = waiting => panic!("{answer:?}"),
        () = pair.waits.notified() => {}
    }
    let client = &pair.spans(1)[0];
    assert_eq!(failure(client), (None, Some("cancelled"), ""));
    assert_eq!((client.kind, &*client.name), (SpanKind::Client as i32, "Shop.wait"));
    // What else came by that session is not disturbed.
    assert_eq!(pair.calls.run(async |session| ShopClient::new(session).price(1).await).await.unwrap(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn work_ends_at_once_however_many_answers_are_on_their_way() {
    let pair = Pair::traced();
    let work = pair.calls.run(async |session| {
        let shop = Arc::new(ShopClient::new(session));
        let call = async |item: u32| if item == 150 { Err(()) } else { shop.price(item % 10).await.map_err(drop) };
        future::try_join_all((0..300).map(call)).await
    });
    assert_eq!(timeout(DEADLINE, work).await.expect("it does not hang"), Err(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_not_read_to_its_end_was_cancelled() {
    let pair = Pair::traced();
    let first = pair.calls.run(async |session| ShopClient::new(session).prices(5).await?.next().await.unwrap());
    assert_eq!(first.await.unwrap(), 0);
    // The server gives all of it.
    let spans = pair.spans(2 + 5);
    let (client, server) = sides(&spans, "Shop.prices");
    assert!(matches!(failure(client), (None, None | Some("cancelled"), "")), "{client:?}");
    assert_eq!(failure(server), (None, None, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_may_be_made_by_tasks() {
    let pair = Pair::traced();
    let calls = pair.calls.clone();
    let task = async move { calls.run(async |session| ShopClient::new(session).price(3).await).await };
    assert_eq!(tokio::spawn(task.in_span(pair.tracer.span("task").start())).await.unwrap().unwrap(), 300);
    let spans = pair.spans(4);
    assert_child(sides(&spans, "Shop.price").0, named(&spans, "task"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_caller_passes_the_trace_on() {
    let pair = Pair::traced();
    let calls = Caller::new(&Tracer::disabled(), Arc::clone(&pair.client));
    let call = calls.run(async |session| ShopClient::new(session).price(3).await);
    assert_eq!(call.in_span(pair.tracer.span("outer").start()).await.unwrap(), 300);
    let spans = pair.spans(3);
    assert_child(named(&spans, "Shop.price"), named(&spans, "outer"));
}

/// It runs once more, in a process in which rapace waits for a moment only.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_takes_too_long_is_an_error() {
    const LIMIT: &str = "RAPACE_CALL_TIMEOUT_MS";
    if std::env::var_os(LIMIT).is_none() {
        let mut again = std::process::Command::new(std::env::current_exe().unwrap());
        let test = "a_call_that_takes_too_long_is_an_error";
        let ended = again.args(["--exact", test, "--nocapture"]).env(LIMIT, "50").status().unwrap();
        assert!(ended.success());
        return;
    }
    let pair = Pair::traced();
    let error = pair.calls.run(async |session| ShopClient::new(session).wait().await).await.unwrap_err();
    assert!(matches!(error, RpcError::DeadlineExceeded));
    let span = &pair.spans(1)[0];
    assert_eq!(failure(span), (Some("DeadlineExceeded"), Some("DeadlineExceeded"), "deadline exceeded"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_gone_is_an_error() {
    let pair = Pair::traced();
    pair.serving.abort();
    let gone = async {
        while pair.client.send_chunk(1, vec![]).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, gone).await.expect("it is gone");
    let error = pair.calls.run(async |session| ShopClient::new(session).price(1).await).await.unwrap_err();
    let span = &pair.spans(1)[0];
    assert_eq!(failure(span), (None, Some("transport"), "transport error: transport closed"));
    assert!(error.to_string().contains("transport closed"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_knows_nothing_of_it_answers_all_the_same() {
    let by_session = |_: &Tracer, session: Arc<RpcSession>, prices: Prices| {
        let dispatcher = ShopServer::new(prices).into_session_dispatcher(session.transport().clone());
        session.set_dispatcher(dispatcher);
        session.run()
    };
    let by_loop = |_: &Tracer, session: Arc<RpcSession>, prices: Prices| {
        ShopServer::new(prices).serve(session.transport().clone())
    };
    for (pair, propagates) in [(Pair::new(by_session), true), (Pair::new(by_loop), true), (Pair::new(by_loop), false)] {
        let calls = if propagates { pair.calls.clone() } else { pair.calls.clone().without_propagation() };
        let sum = calls.run(async |session| {
            let shop = ShopClient::new(session);
            let price = shop.price(1).await?;
            let prices = shop.prices(2).await?.collect::<Vec<_>>().await;
            prices.into_iter().try_fold(price, |sum, price| Ok::<_, RpcError>(sum + price?))
        });
        assert_eq!(sum.await.unwrap(), 200);
        let spans = pair.spans(2 + 3);
        assert_eq!(spans.iter().filter(|span| span.kind == SpanKind::Client as i32).count(), 2);
        assert_eq!(spans.iter().filter(|span| span.parent_span_id.is_empty()).count(), 5);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_knows_nothing_of_it_is_answered() {
    let pair = Pair::traced();
    let (near, far) = Transport::mem_pair();
    let (client, server) = (Arc::new(RpcSession::new(near)), Arc::new(RpcSession::with_channel_start(far, 2)));
    let prices = Prices { tracer: pair.tracer.clone(), waits: Arc::default() };
    glasshouse_rapace::serve(&pair.tracer, &server, |transport| {
        ShopServer::new(prices).into_session_dispatcher(transport)
    });
    tokio::spawn(Arc::clone(&client).run());
    tokio::spawn(server.run());
    assert!(context::current().is_none());
    assert_eq!(ShopClient::new(client).price(2).await.unwrap(), 200);
    let spans = pair.spans(2);
    let server = named(&spans, "Shop.price");
    assert!(server.parent_span_id.is_empty());
    assert_child(named(&spans, "look up"), server);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_answers_is_sent_before_the_work_is_over() {
    const COUNT: usize = 60;
    let pair = Pair::traced();
    let payload = rapace::facet_postcard::to_vec(&7u32).unwrap();
    let work = pair.calls.run(async |session| {
        for _ in 0..COUNT {
            session.notify(SHOP_METHOD_ID_PRICE, payload.clone()).await?;
        }
        Ok::<_, RpcError>(())
    });
    work.await.unwrap();
    let spans = pair.spans(3 * COUNT);
    assert!(spans.iter().all(|span| failure(span) == (None, None, "")));
    // The server is not told of the trace.
    let servers: Vec<_> = spans.iter().filter(|span| span.kind == SpanKind::Server as i32).collect();
    assert!(servers.len() == COUNT && servers.iter().all(|server| server.parent_span_id.is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn tunnels_are_refused() {
    let pair = Pair::traced();
    pair.calls
        .run(async |session| {
            let channel = session.next_channel_id();
            let mut answers = session.register_tunnel(channel);
            session.send_chunk(channel, vec![1]).await.unwrap();
            let answer = answers.recv().await.unwrap();
            assert!(answer.is_error());
            assert!(rapace::parse_error_payload(answer.payload_bytes()).to_string().contains("tunnels"));
        })
        .await;
}
