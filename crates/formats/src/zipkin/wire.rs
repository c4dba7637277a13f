//! What Zipkin v2 JSON says, field by field.

use std::borrow::Cow;
use std::fmt;

use glasshouse_model::{SpanId, SpanKind, TraceId};
use serde::de::{Error, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use crate::json_error::reason;

/// A span with its ids read. Times are microseconds.
pub(super) struct ZipkinSpan<'a> {
    pub trace_id: TraceId,
    pub id: SpanId,
    pub parent_id: Option<SpanId>,
    pub kind: Option<SpanKind>,
    pub name: Cow<'a, str>,
    pub timestamp: Option<u64>,
    pub duration: Option<u64>,
    pub shared: bool,
    pub local_endpoint: Option<Endpoint<'a>>,
    pub remote_endpoint: Option<Endpoint<'a>>,
    pub annotations: Vec<Annotation<'a>>,
    pub tags: Tags<'a>,
}

impl ZipkinSpan<'_> {
    pub fn service_name(&self) -> Option<&str> {
        self.local_endpoint.as_ref()?.service_name()
    }

    /// Address and port of the program that reports the span, as far as known.
    pub fn local_address(&self) -> String {
        let Some(endpoint) = &self.local_endpoint else { return String::new() };
        format!("{} {}", endpoint.ip().unwrap_or_default(), endpoint.port.unwrap_or_default())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Endpoint<'a> {
    #[serde(borrow, default)]
    service_name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    ipv4: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    ipv6: Option<Cow<'a, str>>,
    #[serde(default)]
    pub port: Option<u16>,
}

impl Endpoint<'_> {
    pub fn service_name(&self) -> Option<&str> {
        self.service_name.as_deref().filter(|name| !name.is_empty())
    }

    pub fn ip(&self) -> Option<&str> {
        self.ipv4.as_deref().or(self.ipv6.as_deref())
    }
}

#[derive(Deserialize)]
pub(super) struct Annotation<'a> {
    #[serde(deserialize_with = "required_micros")]
    pub timestamp: u64,
    #[serde(borrow)]
    pub value: Cow<'a, str>,
}

/// Tags in the sender's order.
#[derive(Default)]
pub(super) struct Tags<'a>(pub Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl Tags<'_> {
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_ref())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a span (a JSON object)")]
struct Wire<'a> {
    #[serde(borrow)]
    trace_id: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    parent_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "micros")]
    timestamp: Option<u64>,
    #[serde(default, deserialize_with = "micros")]
    duration: Option<u64>,
    #[serde(default)]
    shared: Option<bool>,
    #[serde(borrow, default)]
    local_endpoint: Option<Endpoint<'a>>,
    #[serde(borrow, default)]
    remote_endpoint: Option<Endpoint<'a>>,
    #[serde(borrow, default)]
    annotations: Option<Vec<Annotation<'a>>>,
    #[serde(borrow, default)]
    tags: Option<Tags<'a>>,
}

/// Reads a span, or says why it cannot be kept.
pub(super) fn read(json: &str) -> Result<ZipkinSpan<'_>, String> {
    let wire: Wire<'_> = serde_json::from_str(json).map_err(|error| reason(&error))?;
    let id = |what: &str, text: &str| {
        SpanId::parse_hex(&padded(text, 16)).map_err(|error| format!("{what} {text:?}: {error}"))
    };
    let trace_id = match wire.trace_id.len() {
        0..=16 => padded(&wire.trace_id, 16),
        _ => padded(&wire.trace_id, 32),
    };
    // 64-bit trace ids are the low half of a 128-bit one.
    let trace_id =
        TraceId::parse_hex(&padded(&trace_id, 32)).map_err(|error| format!("traceId {:?}: {error}", wire.trace_id))?;
    Ok(ZipkinSpan {
        trace_id,
        id: id("id", &wire.id)?,
        parent_id: match wire.parent_id.as_deref() {
            None | Some("") => None,
            Some(text) if text.bytes().all(|digit| digit == b'0') => None,
            Some(text) => Some(id("parentId", text)?),
        },
        kind: match wire.kind.as_deref() {
            None | Some("") => None,
            Some(name @ ("CLIENT" | "SERVER" | "PRODUCER" | "CONSUMER")) => SpanKind::from_name(name),
            Some(other) => return Err(format!("kind {other:?} is not CLIENT, SERVER, PRODUCER or CONSUMER")),
        },
        name: wire.name.unwrap_or_default(),
        timestamp: wire.timestamp.filter(|micros| *micros != 0),
        duration: wire.duration,
        shared: wire.shared.unwrap_or_default(),
        local_endpoint: wire.local_endpoint,
        remote_endpoint: wire.remote_endpoint,
        annotations: wire.annotations.unwrap_or_default(),
        tags: wire.tags.unwrap_or_default(),
    })
}

/// Zipkin's ids may lack leading zeros.
fn padded(digits: &str, width: usize) -> Cow<'_, str> {
    if digits.len() >= width || digits.is_empty() {
        Cow::Borrowed(digits)
    } else {
        Cow::Owned(format!("{digits:0>width$}"))
    }
}

struct Micros;

impl Visitor<'_> for Micros {
    type Value = Option<u64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("microseconds, as a number")
    }

    fn visit_unit<E>(self) -> Result<Option<u64>, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, micros: u64) -> Result<Option<u64>, E> {
        Ok(Some(micros))
    }

    fn visit_f64<E: Error>(self, micros: f64) -> Result<Option<u64>, E> {
        if micros >= 0.0 && micros < u64::MAX as f64 {
            Ok(Some(micros as u64))
        } else {
            Err(E::invalid_value(Unexpected::Float(micros), &self))
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<u64>, E> {
        text.parse().map(Some).map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}

fn micros<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    deserializer.deserialize_any(Micros)
}

fn required_micros<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    micros(deserializer)?.ok_or_else(|| D::Error::invalid_type(Unexpected::Unit, &Micros))
}

impl<'de: 'a, 'a> Deserialize<'de> for Tags<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TagsVisitor;
        impl<'de> Visitor<'de> for TagsVisitor {
            type Value = Tags<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tags<'de>, A::Error> {
                let mut tags = Tags::default();
                while let Some((Text(key), Text(value))) = map.next_entry()? {
                    tags.0.push((key, value));
                }
                Ok(tags)
            }
        }
        deserializer.deserialize_map(TagsVisitor)
    }
}

/// A string, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
