//! What OTLP answers: `ExportTraceServiceResponse` and its two sisters, which have one wire form
//! (opentelemetry/proto/collector/*/v1/*_service.proto).

use bytes::Bytes;
use glasshouse_tables::ports::WireFormat;
use prost::Message;

use super::Accepted;

/// Signals of OTLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Traces,
    Logs,
    Metrics,
}

impl Signal {
    pub(crate) fn protobuf(self) -> WireFormat {
        match self {
            Self::Traces => WireFormat::OtlpTracesProtobuf,
            Self::Logs => WireFormat::OtlpLogsProtobuf,
            Self::Metrics => WireFormat::OtlpMetricsProtobuf,
        }
    }

    pub(crate) fn json(self) -> WireFormat {
        match self {
            Self::Traces => WireFormat::OtlpTracesJson,
            Self::Logs => WireFormat::OtlpLogsJson,
            Self::Metrics => WireFormat::OtlpMetricsJson,
        }
    }

    fn rejected_field(self) -> &'static str {
        match self {
            Self::Traces => "rejectedSpans",
            Self::Logs => "rejectedLogRecords",
            Self::Metrics => "rejectedDataPoints",
        }
    }
}

#[derive(Clone, PartialEq, Message)]
struct ExportResponse {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<PartialSuccess>,
}

#[derive(Clone, PartialEq, Message)]
struct PartialSuccess {
    #[prost(int64, tag = "1")]
    rejected: i64,
    #[prost(string, tag = "2")]
    error_message: String,
}

/// The answer in protobuf: empty when everything was kept.
pub(crate) fn protobuf_answer(accepted: &Accepted) -> Bytes {
    if accepted.rejected == 0 {
        return Bytes::new();
    }
    let partial_success =
        PartialSuccess { rejected: accepted.rejected as i64, error_message: accepted.rejection_message() };
    ExportResponse { partial_success: Some(partial_success) }.encode_to_vec().into()
}

/// The answer in JSON: `{}` when everything was kept.
pub(crate) fn json_answer(signal: Signal, accepted: &Accepted) -> serde_json::Value {
    if accepted.rejected == 0 {
        return serde_json::json!({});
    }
    serde_json::json!({ "partialSuccess": {
        signal.rejected_field(): accepted.rejected.to_string(),
        "errorMessage": accepted.rejection_message(),
    } })
}
