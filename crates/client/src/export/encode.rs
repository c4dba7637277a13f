//! Records in their form for the wire, as fields of OTLP's `ScopeSpans` and `ScopeLogs`.

use glasshouse_model::{Level, SpanId};

use crate::otlp::{Wire as _, fixed32_field, fixed64_field, varint_len};
use crate::ring::{LogRecord, SpanRecord};

/// Bytes of a span's fields that are always there, with their tags: 1, 2, 6, 7, 8 and 16.
const SPAN_HEAD: usize = 54;

/// A field of `ScopeSpans`.
pub(super) fn span(out: &mut Vec<u8>, span: &SpanRecord, (first, second): (&[u8], &[u8]), thread: &[u8]) {
    let thread = if span.is_of_thread { thread } else { &[] };
    let parent = if span.parent.is_none() { 0 } else { 2 + SpanId::LEN };
    let name = if span.name.is_empty() { 0 } else { 1 + varint_len(span.name.len() as u64) + span.name.len() };
    let len = SPAN_HEAD + parent + name + first.len() + second.len() + thread.len();
    out.tag(2, 2);
    out.varint(len as u64);
    let begin = out.len();
    out.reserve(len);
    out.extend_from_slice(&span_head(span));
    if !span.parent.is_none() {
        out.bytes_field(4, &span.parent.to_bytes());
    }
    if !span.name.is_empty() {
        out.bytes_field(5, span.name.as_bytes());
    }
    for fields in [first, second, thread] {
        out.extend_from_slice(fields);
    }
    debug_assert_eq!(out.len() - begin, len);
}

fn span_head(span: &SpanRecord) -> [u8; SPAN_HEAD] {
    let mut bytes = [0; SPAN_HEAD];
    bytes[0..2].copy_from_slice(&[0x0a, 16]);
    bytes[2..18].copy_from_slice(&span.trace.to_bytes());
    bytes[18..20].copy_from_slice(&[0x12, 8]);
    bytes[20..28].copy_from_slice(&span.span.to_bytes());
    bytes[28..30].copy_from_slice(&[0x30, span.kind.otlp() as u8]);
    bytes[30] = 0x39;
    bytes[31..39].copy_from_slice(&span.start.to_le_bytes());
    bytes[39] = 0x41;
    // 0 while it runs.
    bytes[40..48].copy_from_slice(&span.end.to_le_bytes());
    bytes[48..50].copy_from_slice(&[0x85, 0x01]);
    bytes[50..54].copy_from_slice(&span.flags.to_le_bytes());
    bytes
}

/// A field of `ScopeLogs`.
pub(super) fn log(out: &mut Vec<u8>, log: &LogRecord, (first, second): (&[u8], &[u8]), thread: &[u8]) {
    // Ids with flags; then two times and a severity, as a number and by name.
    let ids = if log.span.is_some() { 5 + 18 + 10 } else { 0 };
    let severity = log.severity.level().map_or("", Level::as_str);
    let len = 9 + 9 + 2 + 2 + severity.len() + ids + first.len() + second.len() + thread.len();
    out.tag(2, 2);
    out.varint(len as u64);
    let begin = out.len();
    out.reserve(len);
    fixed64_field(out, 1, log.time);
    fixed64_field(out, 11, log.observed);
    out.varint_field(2, log.severity.0.clamp(0, 24) as u64);
    out.bytes_field(3, severity.as_bytes());
    if let Some((trace, span, flags)) = log.span {
        fixed32_field(out, 8, flags.into());
        out.bytes_field(9, &trace.to_bytes());
        out.bytes_field(10, &span.to_bytes());
    }
    for fields in [first, second, thread] {
        out.extend_from_slice(fields);
    }
    debug_assert_eq!(out.len() - begin, len);
}
