//! How a trace goes from one program to the next: W3C Trace Context and Baggage, in the headers of any protocol.

mod baggage;
mod traceparent;
mod tracestate;

use std::collections::{BTreeMap, HashMap};

pub use baggage::{BAGGAGE, Baggage, BaggageError};
use http::{HeaderMap, HeaderName, HeaderValue};
pub use traceparent::TRACEPARENT;
pub use tracestate::{TRACESTATE, TraceState, TraceStateError};

use crate::context::SpanContext;

/// Headers that are read. Names are asked for in lower case.
pub trait Extractor {
    /// All values of a header, in their order; a value that is not ASCII as `None`.
    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Option<&'a str>>;
}

/// Headers that are written. Names are in lower case.
pub trait Injector {
    /// Sets a header, in place of what it was.
    fn set(&mut self, name: &'static str, value: String);

    /// Removes a header.
    fn remove(&mut self, name: &'static str);
}

/// Writes a span's context into headers, so that what the request causes becomes part of the trace.
pub fn inject(context: &SpanContext, headers: &mut impl Injector) {
    headers.set(TRACEPARENT, traceparent::write(context.trace_id(), context.span_id(), context.flags()));
    if context.trace_state().is_empty() {
        // It would be taken for one that belongs to this trace.
        headers.remove(TRACESTATE);
    } else {
        headers.set(TRACESTATE, context.trace_state().as_str().to_owned());
    }
}

/// Reads the context of the span that sent a request; `None` when there is none that is valid.
pub fn extract(headers: &impl Extractor) -> Option<SpanContext> {
    let mut parents = headers.values(TRACEPARENT);
    let (Some(parent), None) = (parents.next()?, parents.next()) else { return None };
    let (trace, span, flags) = traceparent::parse(parent)?;
    let states: Option<Vec<&str>> = headers.values(TRACESTATE).collect();
    let state = TraceState::parse(states.unwrap_or_default().into_iter());
    Some(SpanContext::remote(trace, span, flags, state))
}

/// Writes baggage into headers.
pub fn inject_baggage(baggage: &Baggage, headers: &mut impl Injector) {
    if baggage.is_empty() {
        headers.remove(BAGGAGE);
    } else {
        headers.set(BAGGAGE, baggage.header());
    }
}

/// Reads the baggage of a request.
pub fn extract_baggage(headers: &impl Extractor) -> Baggage {
    Baggage::parse(headers.values(BAGGAGE).flatten())
}

impl Extractor for HeaderMap {
    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Option<&'a str>> {
        self.get_all(name).iter().map(|value| value.to_str().ok())
    }
}

impl Injector for HeaderMap {
    fn set(&mut self, name: &'static str, value: String) {
        // What is written here is visible ASCII; what is not, of whoever else calls this, is no header.
        if let Ok(value) = HeaderValue::from_str(&value) {
            self.insert(HeaderName::from_static(name), value);
        }
    }

    fn remove(&mut self, name: &'static str) {
        Self::remove(self, name);
    }
}

macro_rules! map {
    ($map:ty, $self:ident, $name:ident, $value:ident => $set:expr, $is_other:expr) => {
        /// Names in any case are found.
        impl Extractor for $map {
            fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Option<&'a str>> {
                let named = self.iter().filter(move |entry| entry.0.eq_ignore_ascii_case(name));
                named.map(|entry| entry.1.is_ascii().then_some(entry.1.as_str()))
            }
        }

        impl Injector for $map {
            fn set(&mut $self, $name: &'static str, $value: String) {
                Injector::remove($self, $name);
                $set
            }

            fn remove(&mut self, name: &'static str) {
                self.retain($is_other(name));
            }
        }
    };
}

/// Whether an entry of a map is of another header.
fn of_map(name: &str) -> impl FnMut(&String, &mut String) -> bool + '_ {
    move |known, _| !known.eq_ignore_ascii_case(name)
}

/// The same of a list.
fn of_list(name: &str) -> impl FnMut(&(String, String)) -> bool + '_ {
    move |(known, _)| !known.eq_ignore_ascii_case(name)
}

map!(HashMap<String, String>, self, name, value => { self.insert(name.to_owned(), value); }, of_map);
map!(BTreeMap<String, String>, self, name, value => { self.insert(name.to_owned(), value); }, of_map);
map!(Vec<(String, String)>, self, name, value => { self.push((name.to_owned(), value)); }, of_list);

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn headers(headers: &[(&str, &str)]) -> Vec<(String, String)> {
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_context_goes_through_every_kind_of_headers() {
        fn check<H: Extractor + Injector + Default>() {
            let context =
                extract(&headers(&[(TRACEPARENT, PARENT), (TRACESTATE, "a=1"), (TRACESTATE, "b=2")])).unwrap();
            let mut baggage = Baggage::default();
            baggage.set("user", "Amélie").unwrap();
            let mut sent = H::default();
            sent.set(TRACEPARENT, "what was there".to_owned());
            inject(&context, &mut sent);
            inject_baggage(&baggage, &mut sent);
            let received = extract(&sent).unwrap();
            assert_eq!(received, context);
            assert!(received.is_remote() && received.is_sampled());
            assert_eq!(received.trace_state().as_str(), "a=1,b=2");
            assert_eq!(extract_baggage(&sent), baggage);
        }
        check::<HeaderMap>();
        check::<HashMap<String, String>>();
        check::<BTreeMap<String, String>>();
        check::<Vec<(String, String)>>();
    }

    #[test]
    fn names_of_headers_have_no_case() {
        let context = extract(&headers(&[("TraceParent", PARENT), ("TRACESTATE", "a=1")])).unwrap();
        assert_eq!(context.trace_state().get("a"), Some("1"));
    }

    #[test]
    fn without_one_valid_parent_nothing_is_taken_over() {
        assert_eq!(extract(&headers(&[(TRACESTATE, "a=1")])), None);
        assert_eq!(extract(&headers(&[(TRACEPARENT, PARENT), (TRACEPARENT, PARENT)])), None);
        assert_eq!(extract(&headers(&[(TRACEPARENT, &format!("{PARENT}é"))])), None);
    }

    #[test]
    fn a_state_that_is_not_valid_does_not_harm_the_parent() {
        let context = extract(&headers(&[(TRACEPARENT, PARENT), (TRACESTATE, "a=1,B=2")])).unwrap();
        assert!(context.trace_state().is_empty());
    }
}
