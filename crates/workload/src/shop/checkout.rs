//! Placing an order: the longest way through the shop, and what happens to the order afterwards.

use opentelemetry_proto::tonic::logs::v1::SeverityNumber;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use rand::Rng;

use super::journeys::{Product, Tier, cache, convert, grpc, product_details, slow_sql, sql};
use super::service::Service;
use super::story::{Failure, Moment, Outcome, Running, Story};
use crate::otlp::{boolean, double, int, text, texts};

pub(super) fn place_order(
    story: &mut Story<'_>,
    page: &mut Running,
    at: Moment,
    product: Product,
    tier: Tier,
) -> (Moment, Outcome) {
    grpc(story, page, Service::Checkout, "shop.Checkout/PlaceOrder", at, |story, server, at| {
        let order = format!("order-{:08}", story.next_order());
        let total = product.2 * f64::from(story.random.random_range(1..4));
        server.add(text("app.order.id", order.as_str()));
        server.add(double("app.order.amount", total));
        let (at, read) = grpc(story, server, Service::Cart, "shop.Cart/GetCart", at, |story, server, at| {
            cache(story, server, Service::Cart, "HGETALL", "cart", true, at)
        });
        let (at, priced) = price(story, server, at, product);
        let (at, quoted) = quote_shipping(story, server, at, &order);
        if let Err(failure) = read.and(priced).and(quoted) {
            return (at, Err(failure));
        }
        let at = if tier == Tier::Enterprise { apply_contract(story, server, at) } else { at };
        server.event(at, "prepared", vec![double("app.order.amount", total)]);
        let (at, charged) = charge(story, server, at, total);
        if let Err(failure) = &charged {
            server.exception(at, failure, "checkout.(*Server).PlaceOrder(main.go:318)");
            story.log(
                server,
                at,
                SeverityNumber::Error,
                "order failed: card was not charged",
                vec![text("app.order.id", order.as_str()), text("reason", failure.message.as_str())],
            );
            return (at, charged);
        }
        server.event(at, "charged", Vec::new());
        let (at, shipped) =
            grpc(story, server, Service::Shipping, "shop.Shipping/ShipOrder", at, |story, server, at| {
                server.add(text("app.shipping.tracking_id", format!("SHP-{order}")));
                (story.after(at, 4.0), Ok(()))
            });
        let (at, _) = send_email(story, server, at, &order);
        let at = publish(story, server, at, &order, total);
        story.log(
            server,
            at,
            SeverityNumber::Info,
            "order placed",
            vec![
                text("app.order.id", order.as_str()),
                double("app.order.amount", total),
                texts("app.order.items", [product.0]),
            ],
        );
        (at, shipped)
    })
}

/// Customers with a contract have prices of their own, and nobody made an index for finding them: this is what there is
/// to be found in the demo.
fn apply_contract(story: &mut Story<'_>, server: &mut Running, at: Moment) -> Moment {
    let span = story.begin_below(server, Service::Checkout, SpanKind::Internal, "apply_contract", at).with([
        text("code.function.name", "checkout.apply_contract"),
        boolean("app.contract.active", true),
        int("app.contract.lines", 1),
    ]);
    let statement = "SELECT discount FROM contracts WHERE lower(customer_email) = $1";
    let done = slow_sql(story, &span, Service::Checkout, ("SELECT", "contracts"), statement, at, 800.0);
    let end = story.after(done, 0.4);
    story.end(span, end, &Ok(()));
    end
}

fn price(story: &mut Story<'_>, server: &mut Running, at: Moment, product: Product) -> (Moment, Outcome) {
    let (at, outcome) = product_details(story, server, at, product);
    if outcome.is_err() {
        return (at, outcome);
    }
    convert(story, server, at)
}

fn quote_shipping(story: &mut Story<'_>, server: &mut Running, at: Moment, order: &str) -> (Moment, Outcome) {
    grpc(story, server, Service::Shipping, "shop.Shipping/GetQuote", at, |story, server, at| {
        server.add(text("app.order.id", order));
        let client = story.begin_below(server, Service::Shipping, SpanKind::Client, "POST /quotes", at).with([
            text("http.request.method", "POST"),
            text("url.full", "https://quotes.carrier.example/quotes"),
            text("server.address", "quotes.carrier.example"),
            int("http.response.status_code", 200),
        ]);
        let end = story.after(at, 18.0);
        story.end(client, end, &Ok(()));
        (end, Ok(()))
    })
}

fn charge(story: &mut Story<'_>, server: &mut Running, at: Moment, total: f64) -> (Moment, Outcome) {
    let declined = story.chance(0.05);
    let card = story.pick(&["visa", "mastercard", "amex"]);
    grpc(story, server, Service::Payment, "shop.Payment/Charge", at, |story, server, at| {
        server.add(text("app.payment.card_type", card));
        server.add(double("app.payment.amount", total));
        server.add(boolean("app.payment.charged", !declined));
        let done = story.after(at, 45.0);
        if declined {
            let failure = Failure { kind: "CardDeclined", message: format!("{card} was declined by its issuer") };
            server.exception(done, &failure, "charge (/app/charge.js:73:11)");
            story.log(server, done, SeverityNumber::Error, &failure.message, vec![text("card_type", card)]);
            return (done, Err(failure));
        }
        (done, Ok(()))
    })
}

fn send_email(story: &mut Story<'_>, server: &mut Running, at: Moment, order: &str) -> (Moment, Outcome) {
    let route = "/send_order_confirmation";
    let attributes = || [text("http.request.method", "POST"), int("http.response.status_code", 200)];
    let mut client = story.begin_below(server, Service::Checkout, SpanKind::Client, "POST", at).with(attributes());
    client.add(text("url.full", format!("http://{}:6060{route}", Service::Email.address())));
    let arrived = story.after(at, 0.3);
    let mut answer = story
        .begin_below(&client, Service::Email, SpanKind::Server, &format!("POST {route}"), arrived)
        .with(attributes());
    answer.add(text("http.route", route));
    let done = story.after(arrived, 11.0);
    story.log(&answer, done, SeverityNumber::Info, "order confirmation sent", vec![text("app.order.id", order)]);
    story.end(answer, done, &Ok(()));
    let returned = story.after(done, 0.3);
    story.end(client, returned, &Ok(()));
    (returned, Ok(()))
}

/// Puts the order on the queue. Its readers work later, in traces of their own that link back.
fn publish(story: &mut Story<'_>, server: &Running, at: Moment, order: &str, total: f64) -> Moment {
    let producer = story.begin_below(server, Service::Checkout, SpanKind::Producer, "send orders", at).with([
        text("messaging.system", "kafka"),
        text("messaging.operation.type", "send"),
        text("messaging.destination.name", "orders"),
        text("messaging.message.id", order),
        int("messaging.message.body.size", 412),
    ]);
    let sent = story.after(at, 1.2);
    for reader in [Service::Accounting, Service::FraudDetection] {
        work_off(story, &producer, sent, reader, order, total);
    }
    story.end(producer, sent, &Ok(()));
    sent
}

fn work_off(story: &mut Story<'_>, producer: &Running, sent: Moment, reader: Service, order: &str, total: f64) {
    let start = story.after(sent, 120.0);
    let mut consumer = story.begin(reader, SpanKind::Consumer, "process orders", start).with([
        text("messaging.system", "kafka"),
        text("messaging.operation.type", "process"),
        text("messaging.destination.name", "orders"),
        text("messaging.consumer.group.name", reader.name()),
        text("messaging.message.id", order),
        int("messaging.kafka.offset", story.random.random_range(10_000..2_000_000)),
    ]);
    consumer.link_to(producer, vec![text("messaging.message.id", order)]);
    let end = if reader == Service::Accounting {
        let statement = format!("INSERT INTO bookings (order_id, amount) VALUES ('{order}', {total:.2})");
        sql(story, &consumer, reader, "INSERT", "bookings", &statement, start)
    } else {
        let score = story.random.random_range(0.0..1.0);
        consumer.add(double("app.fraud.score", score));
        let end = story.after(start, 9.0);
        if score > 0.97 {
            let attributes = vec![text("app.order.id", order), double("app.fraud.score", score)];
            story.log(&consumer, end, SeverityNumber::Warn, "order looks fraudulent", attributes);
        }
        end
    };
    story.end(consumer, end, &Ok(()));
}
