//! The least: one trace of two spans, and a log record. `minimal [URL]`

use std::error::Error;
use std::time::Duration;

use glasshouse_client::{Level, Tracer};

fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "http://localhost:4318".to_owned());
    let tracer = Tracer::builder(&url).service("minimal").connect_checked()?;
    {
        let order = tracer.span("place order").with_attribute("order.items", 3).start();
        let _current = order.enter();
        let mut card = tracer.span("charge card").start();
        card.add_event("declined", &[("attempt", 1.into())]);
        tracer.log(Level::Warn, "the card was declined at first").emit();
    }
    tracer.shutdown(Duration::from_secs(5))?;
    println!("{:?}", tracer.statistics());
    Ok(())
}
