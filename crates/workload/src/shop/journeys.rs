//! What customers do, and the calls that it takes.

use opentelemetry_proto::tonic::logs::v1::SeverityNumber;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use rand::Rng;

use super::checkout;
use super::service::Service;
use super::story::{Failure, Moment, Outcome, Running, Story};
use crate::otlp::{boolean, double, int, text};

/// A product: id, name, price in US dollars.
pub(super) type Product = (&'static str, &'static str, f64);

pub(super) const PRODUCTS: [Product; 8] = [
    ("OLJCESPC7Z", "Explorascope 60mm Refractor", 101.96),
    ("66VCHSJNUP", "Starsense Smartphone Telescope", 349.95),
    ("1YMWWN1N4O", "Eclipsmart Travel Refractor", 129.95),
    ("L9ECAV7KIM", "Lens Cleaning Kit", 21.95),
    ("2ZYFJ3GM2N", "Roof Binoculars", 209.95),
    ("0PUK6V6EV0", "Solar System Color Imager", 175.0),
    ("LS4PSXUNUM", "Red Flashlight", 57.08),
    ("9SIQT8TOJO", "Optical Tube Assembly", 3599.0),
];

pub(super) const CURRENCIES: [&str; 5] = ["USD", "EUR", "JPY", "GBP", "CHF"];

/// What customers have paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tier {
    Free,
    Plus,
    Enterprise,
}

impl Tier {
    /// Its name in `customer.tier`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Plus => "plus",
            Self::Enterprise => "enterprise",
        }
    }
}

/// A customer and what is known of them.
struct Customer {
    id: String,
    tier: Tier,
}

/// One page that a customer asks for.
struct Page {
    method: &'static str,
    route: &'static str,
    target: String,
}

/// One visit: a page is asked for, and answered.
pub(super) fn visit(story: &mut Story<'_>) {
    let product = story.pick(&PRODUCTS);
    let number = story.random.random_range(0..20_000);
    let tier = match number % 100 {
        0..70 => Tier::Free,
        70..92 => Tier::Plus,
        _ => Tier::Enterprise,
    };
    let user = Customer { id: format!("customer-{number:05}"), tier };
    match story.random.random_range(0..100) {
        0..35 => page(story, &user, &Page { method: "GET", route: "/", target: "/".to_owned() }, home),
        35..70 => {
            let target = format!("/product/{}?currency={}", product.0, story.pick(&CURRENCIES));
            page(story, &user, &Page { method: "GET", route: "/product/{id}", target }, |story, page, at| {
                product_page(story, page, at, product)
            });
        }
        70..88 => {
            let cart = Page { method: "POST", route: "/api/cart", target: "/api/cart".to_owned() };
            page(story, &user, &cart, |story, page, at| add_to_cart(story, page, at, product));
        }
        _ => {
            let order = Page { method: "POST", route: "/api/checkout", target: "/api/checkout".to_owned() };
            page(story, &user, &order, |story, page, at| checkout::place_order(story, page, at, product, tier));
        }
    }
}

/// The frontend answers a page; `work` does what it takes and says when it is done.
fn page(
    story: &mut Story<'_>,
    user: &Customer,
    page: &Page,
    work: impl FnOnce(&mut Story<'_>, &mut Running, Moment) -> (Moment, Outcome),
) {
    let agent = story.pick(&[
        "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
        "shop-android/7.31.2",
    ]);
    let name = format!("{} {}", page.method, page.route);
    let mut server = story.begin(Service::Frontend, SpanKind::Server, &name, 0).with([
        text("http.request.method", page.method),
        text("http.route", page.route),
        text("url.path", page.target.split('?').next().unwrap_or_default()),
        text("http.target", page.target.as_str()),
        text("url.scheme", "https"),
        text("server.address", "shop.example.com"),
        text("client.address", format!("198.51.100.{}", story.random.random_range(1..255))),
        text("user_agent.original", agent),
        text("user.id", user.id.as_str()),
        text("customer.tier", user.tier.as_str()),
    ]);
    let at = story.after(0, 0.4);
    let (at, outcome) = work(story, &mut server, at);
    let end = story.after(at, 1.5);
    server.add(int("http.response.status_code", if outcome.is_ok() { 200 } else { 500 }));
    let (severity, line) = match &outcome {
        Ok(()) => (SeverityNumber::Info, format!("{name} 200")),
        Err(failure) => (SeverityNumber::Error, format!("{name} 500: {}", failure.message)),
    };
    story.log(&server, end, severity, &line, vec![text("user.id", user.id.as_str()), text("http.route", page.route)]);
    story.end(server, end, &outcome);
}

fn home(story: &mut Story<'_>, page: &mut Running, at: Moment) -> (Moment, Outcome) {
    let (at, outcome) = grpc(story, page, Service::Catalog, "shop.Catalog/ListProducts", at, |story, server, at| {
        let statement = "SELECT id, name, picture, price FROM products ORDER BY position LIMIT 24";
        (sql(story, server, Service::Catalog, "SELECT", "products", statement, at), Ok(()))
    });
    if outcome.is_err() {
        return (at, outcome);
    }
    grpc(story, page, Service::Recommendation, "shop.Recommendation/List", at, |story, server, at| {
        let rank = story.begin_below(server, Service::Recommendation, SpanKind::Internal, "rank_products", at).with([
            text("code.function.name", "recommender.rank_products"),
            int("app.candidates", 24),
            boolean("app.model.warm", true),
        ]);
        let done = story.after(at, 6.0);
        story.end(rank, done, &Ok(()));
        if story.chance(0.01) {
            story.log(
                server,
                done,
                SeverityNumber::Warn,
                "model is older than a day",
                vec![int("model.age_hours", 26)],
            );
        }
        (done, Ok(()))
    })
}

fn product_page(story: &mut Story<'_>, page: &mut Running, at: Moment, product: Product) -> (Moment, Outcome) {
    page.add(text("app.product.id", product.0));
    let (at, outcome) = product_details(story, page, at, product);
    if outcome.is_err() {
        return (at, outcome);
    }
    convert(story, page, at)
}

/// The catalog looks in its cache, and in its database when the cache does not have it.
pub(super) fn product_details(
    story: &mut Story<'_>,
    caller: &mut Running,
    at: Moment,
    product: Product,
) -> (Moment, Outcome) {
    grpc(story, caller, Service::Catalog, "shop.Catalog/GetProduct", at, |story, server, at| {
        server.add(text("app.product.id", product.0));
        let hit = story.chance(0.9);
        let (at, _) = cache(story, server, Service::Catalog, "GET", &format!("product:{}", product.0), hit, at);
        if hit {
            return (at, Ok(()));
        }
        server.event(at, "cache.miss", vec![text("cache.key", format!("product:{}", product.0))]);
        let statement = format!("SELECT * FROM products WHERE id = '{}'", product.0);
        let at = sql(story, server, Service::Catalog, "SELECT", "products", &statement, at);
        if story.chance(0.03) {
            let failure = Failure { kind: "sql.ErrConnDone", message: "sql: connection is already closed".to_owned() };
            server.exception(at, &failure, "catalog.(*Server).GetProduct(server.go:211)");
            let attributes = vec![text("app.product.id", product.0)];
            story.log(server, at, SeverityNumber::Error, "cannot read product: connection is closed", attributes);
            return (at, Err(failure));
        }
        (at, Ok(()))
    })
}

pub(super) fn convert(story: &mut Story<'_>, caller: &mut Running, at: Moment) -> (Moment, Outcome) {
    let currency = story.pick(&CURRENCIES);
    grpc(story, caller, Service::Currency, "shop.Currency/Convert", at, |story, server, at| {
        server.add(text("app.currency.from", "USD"));
        server.add(text("app.currency.to", currency));
        (story.after(at, 0.3), Ok(()))
    })
}

fn add_to_cart(story: &mut Story<'_>, page: &mut Running, at: Moment, product: Product) -> (Moment, Outcome) {
    let (at, outcome) = product_details(story, page, at, product);
    if outcome.is_err() {
        return (at, outcome);
    }
    let quantity = story.random.random_range(1..5);
    grpc(story, page, Service::Cart, "shop.Cart/AddItem", at, |story, server, at| {
        server.add(text("app.product.id", product.0));
        server.add(int("app.product.quantity", quantity));
        cache(story, server, Service::Cart, "HSET", "cart", true, at)
    })
}

/// A gRPC call: the caller's client span around the callee's server span.
pub(super) fn grpc(
    story: &mut Story<'_>,
    caller: &Running,
    callee: Service,
    method: &str,
    at: Moment,
    work: impl FnOnce(&mut Story<'_>, &mut Running, Moment) -> (Moment, Outcome),
) -> (Moment, Outcome) {
    let (rpc_service, rpc_method) = method.split_once('/').expect("methods are named service/method");
    let attributes = || [text("rpc.system", "grpc"), text("rpc.service", rpc_service), text("rpc.method", rpc_method)];
    let mut client = story.begin_below(caller, caller.service(), SpanKind::Client, method, at).with(attributes());
    client.add(text("server.address", callee.address()));
    client.add(int("server.port", 8080));
    let arrived = story.after(at, 0.25);
    let mut server = story.begin_below(&client, callee, SpanKind::Server, method, arrived).with(attributes());
    server.add(text("network.transport", "tcp"));
    let (done, outcome) = work(story, &mut server, arrived);
    let done = story.after(done, 0.2);
    let status = if outcome.is_ok() { 0 } else { 13 };
    server.add(int("rpc.grpc.status_code", status));
    client.add(int("rpc.grpc.status_code", status));
    story.end(server, done, &outcome);
    let returned = story.after(done, 0.25);
    story.end(client, returned, &outcome);
    (returned, outcome)
}

/// A statement in the service's PostgreSQL database.
pub(super) fn sql(
    story: &mut Story<'_>,
    caller: &Running,
    service: Service,
    operation: &str,
    table: &str,
    statement: &str,
    at: Moment,
) -> Moment {
    slow_sql(story, caller, service, (operation, table), statement, at, 2.2)
}

/// The same for a statement that takes about so many milliseconds.
pub(super) fn slow_sql(
    story: &mut Story<'_>,
    caller: &Running,
    service: Service,
    (operation, table): (&str, &str),
    statement: &str,
    at: Moment,
    median_ms: f64,
) -> Moment {
    let span = story.begin_below(caller, service, SpanKind::Client, &format!("{operation} {table}"), at).with([
        text("db.system.name", "postgresql"),
        text("db.namespace", service.name()),
        text("db.operation.name", operation),
        text("db.collection.name", table),
        text("db.query.text", statement),
        text("server.address", "postgres.shop.svc.cluster.local"),
        int("server.port", 5432),
    ]);
    let end = story.after(at, median_ms);
    story.end(span, end, &Ok(()));
    end
}

/// A command to the shop's Redis; seldom it takes too long.
pub(super) fn cache(
    story: &mut Story<'_>,
    caller: &mut Running,
    service: Service,
    command: &str,
    key: &str,
    hit: bool,
    at: Moment,
) -> (Moment, Outcome) {
    let mut span = story.begin_below(caller, service, SpanKind::Client, command, at).with([
        text("db.system.name", "redis"),
        text("db.operation.name", command),
        text("cache.key", key),
        boolean("cache.hit", hit),
        text("server.address", "redis.shop.svc.cluster.local"),
        int("server.port", 6379),
    ]);
    if story.chance(0.002) {
        let failure = Failure { kind: "RedisTimeoutException", message: format!("timeout performing {command} {key}") };
        let end = story.after(at, 900.0);
        span.exception(end, &failure, "CartStore.Execute(CartStore.cs:94)");
        let attributes = vec![text("cache.key", key), double("timeout_seconds", 1.0)];
        story.log(&span, end, SeverityNumber::Warn, "redis is slow to answer", attributes);
        let outcome = Err(failure);
        story.end(span, end, &outcome);
        return (end, outcome);
    }
    let end = story.after(at, 0.5);
    story.end(span, end, &Ok(()));
    (end, Ok(()))
}
