//! What native JSON says, field by field.

use std::borrow::Cow;
use std::fmt;

use glasshouse_model::{SpanId, SpanKind, StatusCode, Timestamp, TraceId};
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The request, its spans aside.
#[derive(Deserialize)]
pub(super) struct TopLevel<'a> {
    /// Resource attributes of all spans; a span's own win.
    #[serde(borrow, default)]
    pub resource: Option<&'a RawValue>,
}

/// The spans of a request, one by one.
pub(super) struct SpansOf<S>(pub S);

impl<'de, S: DeserializeSeed<'de, Value = ()>> Visitor<'de> for SpansOf<S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with spans")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut spans = Some(self.0);
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if key == "spans" {
                let each = spans.take().ok_or_else(|| A::Error::duplicate_field("spans"))?;
                map.next_value_seed(each)?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        if spans.is_some() { Err(A::Error::missing_field("spans")) } else { Ok(()) }
    }
}

/// A span. Times are Unix nanoseconds, as decimal strings or numbers.
#[derive(Deserialize)]
pub(super) struct NativeSpan<'a> {
    pub trace_id: TraceId,
    pub span_id: SpanId,
    #[serde(default)]
    pub parent_span_id: Option<SpanId>,
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    #[serde(borrow)]
    pub service_name: Cow<'a, str>,
    pub start_time: Timestamp,
    #[serde(default)]
    pub end_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "kind")]
    pub kind: SpanKind,
    #[serde(default, deserialize_with = "status")]
    pub status: Status,
    #[serde(borrow, default)]
    pub attributes: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub resource: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "list")]
    pub events: Vec<NativeEvent<'a>>,
    #[serde(borrow, default, deserialize_with = "list")]
    pub links: Vec<NativeLink<'a>>,
    #[serde(default)]
    pub thread_id: Option<i64>,
    #[serde(borrow, default)]
    pub thread_name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub scope_name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub scope_version: Cow<'a, str>,
    #[serde(borrow, default)]
    pub trace_state: Cow<'a, str>,
    #[serde(default)]
    pub flags: u32,
    #[serde(default)]
    pub dropped_attributes_count: u32,
    #[serde(default)]
    pub dropped_events_count: u32,
    #[serde(default)]
    pub dropped_links_count: u32,
}

#[derive(Deserialize)]
pub(super) struct NativeEvent<'a> {
    pub time: Timestamp,
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub attributes: Option<&'a RawValue>,
    #[serde(default)]
    pub dropped_attributes_count: u32,
}

#[derive(Deserialize)]
pub(super) struct NativeLink<'a> {
    pub trace_id: TraceId,
    pub span_id: SpanId,
    #[serde(borrow, default)]
    pub trace_state: Cow<'a, str>,
    #[serde(borrow, default)]
    pub attributes: Option<&'a RawValue>,
    #[serde(default)]
    pub flags: u32,
    #[serde(default)]
    pub dropped_attributes_count: u32,
}

#[derive(Default)]
pub(super) struct Status {
    pub code: StatusCode,
    pub message: String,
}

/// `null` is an empty list.
fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A name of a closed set, in either case and with or without OTLP's prefix, or its OTLP number.
struct Label<T> {
    expected: &'static str,
    prefix: &'static str,
    from_name: fn(&str) -> Option<T>,
    from_number: fn(i64) -> Option<T>,
}

const KIND: Label<SpanKind> = Label {
    expected: "UNSPECIFIED, INTERNAL, SERVER, CLIENT, PRODUCER or CONSUMER",
    prefix: "SPAN_KIND_",
    from_name: SpanKind::from_name,
    from_number: |number| SpanKind::ALL.iter().copied().find(|kind| i64::from(kind.otlp()) == number),
};

const STATUS_CODE: Label<StatusCode> = Label {
    expected: "UNSET, OK or ERROR, or an object with code and message",
    prefix: "STATUS_CODE_",
    from_name: StatusCode::from_name,
    from_number: |number| StatusCode::ALL.iter().copied().find(|code| i64::from(code.otlp()) == number),
};

impl<T: Default> Visitor<'_> for Label<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        let name = text.to_ascii_uppercase();
        let name = name.strip_prefix(self.prefix).unwrap_or(&name);
        (self.from_name)(name).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        let value = i64::try_from(number).ok().and_then(self.from_number);
        value.ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
    }
}

fn kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SpanKind, D::Error> {
    deserializer.deserialize_any(KIND)
}

/// A code alone, or `{"code": …, "message": …}`.
fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Status, D::Error> {
    #[derive(Deserialize)]
    struct Code(#[serde(deserialize_with = "status_code")] StatusCode);

    #[derive(Deserialize)]
    struct Object {
        #[serde(default)]
        code: Option<Code>,
        #[serde(default)]
        message: Option<String>,
    }

    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected UNSET, OK or ERROR, or an object with code and message")]
    enum Wire {
        Object(Object),
        Code(Code),
    }

    Ok(match Wire::deserialize(deserializer)? {
        Wire::Code(Code(code)) => Status { code, message: String::new() },
        Wire::Object(Object { code, message }) => Status {
            code: code.map_or_else(StatusCode::default, |Code(code)| code),
            message: message.unwrap_or_default(),
        },
    })
}

fn status_code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<StatusCode, D::Error> {
    deserializer.deserialize_any(STATUS_CODE)
}
