//! What Glasshouse sends to itself: the measured workload of `glasshouse bench`, with the answers that
//! a correct server gives, and the small shop of `glasshouse demo`. Pure: makes OTLP, sends nothing.

pub mod bench;
mod otlp;
pub mod shop;
