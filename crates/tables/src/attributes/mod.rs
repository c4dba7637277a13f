//! Attributes as the lake holds them.
//!
//! *Packed* attributes are what OTLP sends, byte for byte: each `KeyValue` message
//! (opentelemetry/proto/common/v1/common.proto) behind its length as a varint. Decoding copies them
//! without looking inside, every type survives, and an OTLP export copies them out again.
//!
//! *JSON* attributes are what files, SQL and people see: one object, in which every type is told by its
//! form. Text, integers, booleans and `null` (no value) are JSON's; a double always has a `.` or an
//! exponent; what JSON cannot say is an object with one `$` key: `{"$double":"NaN"}` and
//! `{"$bytes":"…base64…"}`. A key of a nested map that begins with `$` gets one more `$`.
//! Both forms hold the same, so each turns into the other without loss.

mod columns;
mod json;
mod packed;

pub use columns::{
    AttributeColumn, AttributeColumns, AttributeRow, AttributeValues, Places, Repeats, Text, TextColumn,
};
pub use json::{JsonError, JsonObject, json_get, json_to_packed, packed_to_json};
pub use packed::{PackedWriter, RawValue, ValueRef, get, iter, raw_iter, to_model, validate};
