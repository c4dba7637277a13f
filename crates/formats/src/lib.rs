//! Wire formats to rows: OTLP (protobuf and JSON), native JSON, Zipkin v2 JSON; spans, and any rows, to the
//! forms of other tools.
//!
//! Everything here is a pure function of the bytes and the time they were received, because replaying
//! the write-ahead log runs it again. A request is refused whole when its bytes are malformed
//! ([`DecodeError`]); single items that cannot be kept are listed as rejections.

mod json_error;
mod json_items;
mod native;
mod otlp;
mod outcome;
mod process;
mod rows;
mod sampling;
mod spans;
mod thread;
mod traces_json;
mod wire;
mod zipkin;

use glasshouse_model::Timestamp;
use glasshouse_tables::ports::{DecodeError, Decoded, Decoder, WireFormat};

pub use process::{PROCESS_ID_NAMESPACE, process_id};
pub use rows::{RowFormat, RowWriteError, RowWriter};
pub use spans::{Processes, SpanWriter, jaeger_to_otlp, span_writer};
pub use traces_json::traces_json_format;

/// The decoders of every [`WireFormat`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Formats;

impl Decoder for Formats {
    fn decode(&self, format: WireFormat, body: &[u8], received: Timestamp) -> Result<Decoded, DecodeError> {
        match format {
            WireFormat::OtlpTracesProtobuf => otlp::decode_traces(body, received),
            WireFormat::OtlpLogsProtobuf => otlp::decode_logs(body, received),
            WireFormat::OtlpMetricsProtobuf => otlp::decode_metrics(body, received),
            WireFormat::OtlpTracesJson => {
                otlp::decode_traces(&otlp::to_protobuf(body, &otlp::TRACES_REQUEST)?, received)
            }
            WireFormat::OtlpLogsJson => otlp::decode_logs(&otlp::to_protobuf(body, &otlp::LOGS_REQUEST)?, received),
            WireFormat::OtlpMetricsJson => {
                otlp::decode_metrics(&otlp::to_protobuf(body, &otlp::METRICS_REQUEST)?, received)
            }
            WireFormat::NativeSpansJson => native::decode_native(body, received),
            WireFormat::ZipkinV2Json => zipkin::decode_zipkin(body, received),
        }
    }
}
