//! The messages of OTLP, as tables: what a field is called in JSON and in the `.proto` files, its number,
//! and how its value is written in each encoding.

/// A message.
#[derive(Debug)]
pub(crate) struct MessageType {
    pub name: &'static str,
    pub fields: &'static [FieldType],
}

/// A field of a message.
#[derive(Debug)]
pub(crate) struct FieldType {
    /// lowerCamelCase, as the specification wants it.
    pub json_name: &'static str,
    /// As in the `.proto` file; parsers of proto3 JSON accept it too.
    pub proto_name: &'static str,
    pub number: u32,
    pub kind: Kind,
    pub repeated: bool,
}

/// How a value is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Text,
    /// Bytes that OTLP/JSON writes as hex digits: trace and span ids.
    Hex,
    /// Bytes in base64.
    Base64,
    Bool,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Fixed32,
    Fixed64,
    Sfixed64,
    Double,
    /// Names of the numbers from 0.
    Enum(&'static [&'static str]),
    Message(&'static MessageType),
}

use Kind::{Base64, Bool, Double, Enum, Fixed32, Fixed64, Hex, Int64, Message, Sfixed64, Sint32, Text, Uint32, Uint64};

const fn one(number: u32, json_name: &'static str, proto_name: &'static str, kind: Kind) -> FieldType {
    FieldType { json_name, proto_name, number, kind, repeated: false }
}

const fn many(number: u32, json_name: &'static str, proto_name: &'static str, kind: Kind) -> FieldType {
    FieldType { json_name, proto_name, number, kind, repeated: true }
}

macro_rules! messages {
    ($($(#[$doc:meta])* $visibility:vis $name:ident = $type_name:literal { $($field:expr;)* })*) => {
        $($(#[$doc])* $visibility static $name: MessageType = MessageType { name: $type_name, fields: &[$($field),*] };)*
    };
}

messages! {
    pub(crate) TRACES_REQUEST = "ExportTraceServiceRequest" {
        many(1, "resourceSpans", "resource_spans", Message(&RESOURCE_SPANS));
    }
    pub(crate) LOGS_REQUEST = "ExportLogsServiceRequest" {
        many(1, "resourceLogs", "resource_logs", Message(&RESOURCE_LOGS));
    }
    pub(crate) METRICS_REQUEST = "ExportMetricsServiceRequest" {
        many(1, "resourceMetrics", "resource_metrics", Message(&RESOURCE_METRICS));
    }

    RESOURCE_SPANS = "ResourceSpans" {
        one(1, "resource", "resource", Message(&RESOURCE));
        many(2, "scopeSpans", "scope_spans", Message(&SCOPE_SPANS));
        one(3, "schemaUrl", "schema_url", Text);
    }
    RESOURCE_LOGS = "ResourceLogs" {
        one(1, "resource", "resource", Message(&RESOURCE));
        many(2, "scopeLogs", "scope_logs", Message(&SCOPE_LOGS));
        one(3, "schemaUrl", "schema_url", Text);
    }
    RESOURCE_METRICS = "ResourceMetrics" {
        one(1, "resource", "resource", Message(&RESOURCE));
        many(2, "scopeMetrics", "scope_metrics", Message(&SCOPE_METRICS));
        one(3, "schemaUrl", "schema_url", Text);
    }
    RESOURCE = "Resource" {
        many(1, "attributes", "attributes", Message(&KEY_VALUE));
        one(2, "droppedAttributesCount", "dropped_attributes_count", Uint32);
    }
    SCOPE_SPANS = "ScopeSpans" {
        one(1, "scope", "scope", Message(&SCOPE));
        many(2, "spans", "spans", Message(&SPAN));
        one(3, "schemaUrl", "schema_url", Text);
    }
    SCOPE_LOGS = "ScopeLogs" {
        one(1, "scope", "scope", Message(&SCOPE));
        many(2, "logRecords", "log_records", Message(&LOG_RECORD));
        one(3, "schemaUrl", "schema_url", Text);
    }
    SCOPE_METRICS = "ScopeMetrics" {
        one(1, "scope", "scope", Message(&SCOPE));
        many(2, "metrics", "metrics", Message(&METRIC));
        one(3, "schemaUrl", "schema_url", Text);
    }
    SCOPE = "InstrumentationScope" {
        one(1, "name", "name", Text);
        one(2, "version", "version", Text);
        many(3, "attributes", "attributes", Message(&KEY_VALUE));
        one(4, "droppedAttributesCount", "dropped_attributes_count", Uint32);
    }

    KEY_VALUE = "KeyValue" {
        one(1, "key", "key", Text);
        one(2, "value", "value", Message(&ANY_VALUE));
    }
    pub(super) ANY_VALUE = "AnyValue" {
        one(1, "stringValue", "string_value", Text);
        one(2, "boolValue", "bool_value", Bool);
        one(3, "intValue", "int_value", Int64);
        one(4, "doubleValue", "double_value", Double);
        one(5, "arrayValue", "array_value", Message(&ARRAY_VALUE));
        one(6, "kvlistValue", "kvlist_value", Message(&KEY_VALUE_LIST));
        one(7, "bytesValue", "bytes_value", Base64);
    }
    ARRAY_VALUE = "ArrayValue" {
        many(1, "values", "values", Message(&ANY_VALUE));
    }
    KEY_VALUE_LIST = "KeyValueList" {
        many(1, "values", "values", Message(&KEY_VALUE));
    }

    SPAN = "Span" {
        one(1, "traceId", "trace_id", Hex);
        one(2, "spanId", "span_id", Hex);
        one(3, "traceState", "trace_state", Text);
        one(4, "parentSpanId", "parent_span_id", Hex);
        one(5, "name", "name", Text);
        one(6, "kind", "kind", Enum(SPAN_KINDS));
        one(7, "startTimeUnixNano", "start_time_unix_nano", Fixed64);
        one(8, "endTimeUnixNano", "end_time_unix_nano", Fixed64);
        many(9, "attributes", "attributes", Message(&KEY_VALUE));
        one(10, "droppedAttributesCount", "dropped_attributes_count", Uint32);
        many(11, "events", "events", Message(&EVENT));
        one(12, "droppedEventsCount", "dropped_events_count", Uint32);
        many(13, "links", "links", Message(&LINK));
        one(14, "droppedLinksCount", "dropped_links_count", Uint32);
        one(15, "status", "status", Message(&STATUS));
        one(16, "flags", "flags", Fixed32);
    }
    EVENT = "Span.Event" {
        one(1, "timeUnixNano", "time_unix_nano", Fixed64);
        one(2, "name", "name", Text);
        many(3, "attributes", "attributes", Message(&KEY_VALUE));
        one(4, "droppedAttributesCount", "dropped_attributes_count", Uint32);
    }
    LINK = "Span.Link" {
        one(1, "traceId", "trace_id", Hex);
        one(2, "spanId", "span_id", Hex);
        one(3, "traceState", "trace_state", Text);
        many(4, "attributes", "attributes", Message(&KEY_VALUE));
        one(5, "droppedAttributesCount", "dropped_attributes_count", Uint32);
        one(6, "flags", "flags", Fixed32);
    }
    STATUS = "Status" {
        one(2, "message", "message", Text);
        one(3, "code", "code", Enum(STATUS_CODES));
    }

    LOG_RECORD = "LogRecord" {
        one(1, "timeUnixNano", "time_unix_nano", Fixed64);
        one(2, "severityNumber", "severity_number", Enum(SEVERITY_NUMBERS));
        one(3, "severityText", "severity_text", Text);
        one(5, "body", "body", Message(&ANY_VALUE));
        many(6, "attributes", "attributes", Message(&KEY_VALUE));
        one(7, "droppedAttributesCount", "dropped_attributes_count", Uint32);
        one(8, "flags", "flags", Fixed32);
        one(9, "traceId", "trace_id", Hex);
        one(10, "spanId", "span_id", Hex);
        one(11, "observedTimeUnixNano", "observed_time_unix_nano", Fixed64);
        one(12, "eventName", "event_name", Text);
    }

    METRIC = "Metric" {
        one(1, "name", "name", Text);
        one(2, "description", "description", Text);
        one(3, "unit", "unit", Text);
        one(5, "gauge", "gauge", Message(&GAUGE));
        one(7, "sum", "sum", Message(&SUM));
        one(9, "histogram", "histogram", Message(&HISTOGRAM));
        one(10, "exponentialHistogram", "exponential_histogram", Message(&EXPONENTIAL_HISTOGRAM));
        one(11, "summary", "summary", Message(&SUMMARY));
        many(12, "metadata", "metadata", Message(&KEY_VALUE));
    }
    GAUGE = "Gauge" {
        many(1, "dataPoints", "data_points", Message(&NUMBER_DATA_POINT));
    }
    SUM = "Sum" {
        many(1, "dataPoints", "data_points", Message(&NUMBER_DATA_POINT));
        one(2, "aggregationTemporality", "aggregation_temporality", Enum(TEMPORALITIES));
        one(3, "isMonotonic", "is_monotonic", Bool);
    }
    HISTOGRAM = "Histogram" {
        many(1, "dataPoints", "data_points", Message(&HISTOGRAM_DATA_POINT));
        one(2, "aggregationTemporality", "aggregation_temporality", Enum(TEMPORALITIES));
    }
    EXPONENTIAL_HISTOGRAM = "ExponentialHistogram" {
        many(1, "dataPoints", "data_points", Message(&EXPONENTIAL_HISTOGRAM_DATA_POINT));
        one(2, "aggregationTemporality", "aggregation_temporality", Enum(TEMPORALITIES));
    }
    SUMMARY = "Summary" {
        many(1, "dataPoints", "data_points", Message(&SUMMARY_DATA_POINT));
    }
    NUMBER_DATA_POINT = "NumberDataPoint" {
        one(2, "startTimeUnixNano", "start_time_unix_nano", Fixed64);
        one(3, "timeUnixNano", "time_unix_nano", Fixed64);
        one(4, "asDouble", "as_double", Double);
        many(5, "exemplars", "exemplars", Message(&EXEMPLAR));
        one(6, "asInt", "as_int", Sfixed64);
        many(7, "attributes", "attributes", Message(&KEY_VALUE));
        one(8, "flags", "flags", Uint32);
    }
    HISTOGRAM_DATA_POINT = "HistogramDataPoint" {
        one(2, "startTimeUnixNano", "start_time_unix_nano", Fixed64);
        one(3, "timeUnixNano", "time_unix_nano", Fixed64);
        one(4, "count", "count", Fixed64);
        one(5, "sum", "sum", Double);
        many(6, "bucketCounts", "bucket_counts", Fixed64);
        many(7, "explicitBounds", "explicit_bounds", Double);
        many(8, "exemplars", "exemplars", Message(&EXEMPLAR));
        many(9, "attributes", "attributes", Message(&KEY_VALUE));
        one(10, "flags", "flags", Uint32);
        one(11, "min", "min", Double);
        one(12, "max", "max", Double);
    }
    EXPONENTIAL_HISTOGRAM_DATA_POINT = "ExponentialHistogramDataPoint" {
        many(1, "attributes", "attributes", Message(&KEY_VALUE));
        one(2, "startTimeUnixNano", "start_time_unix_nano", Fixed64);
        one(3, "timeUnixNano", "time_unix_nano", Fixed64);
        one(4, "count", "count", Fixed64);
        one(5, "sum", "sum", Double);
        one(6, "scale", "scale", Sint32);
        one(7, "zeroCount", "zero_count", Fixed64);
        one(8, "positive", "positive", Message(&BUCKETS));
        one(9, "negative", "negative", Message(&BUCKETS));
        one(10, "flags", "flags", Uint32);
        many(11, "exemplars", "exemplars", Message(&EXEMPLAR));
        one(12, "min", "min", Double);
        one(13, "max", "max", Double);
        one(14, "zeroThreshold", "zero_threshold", Double);
    }
    BUCKETS = "Buckets" {
        one(1, "offset", "offset", Sint32);
        many(2, "bucketCounts", "bucket_counts", Uint64);
    }
    SUMMARY_DATA_POINT = "SummaryDataPoint" {
        one(2, "startTimeUnixNano", "start_time_unix_nano", Fixed64);
        one(3, "timeUnixNano", "time_unix_nano", Fixed64);
        one(4, "count", "count", Fixed64);
        one(5, "sum", "sum", Double);
        many(6, "quantileValues", "quantile_values", Message(&VALUE_AT_QUANTILE));
        many(7, "attributes", "attributes", Message(&KEY_VALUE));
        one(8, "flags", "flags", Uint32);
    }
    VALUE_AT_QUANTILE = "SummaryDataPoint.ValueAtQuantile" {
        one(1, "quantile", "quantile", Double);
        one(2, "value", "value", Double);
    }
    EXEMPLAR = "Exemplar" {
        one(2, "timeUnixNano", "time_unix_nano", Fixed64);
        one(3, "asDouble", "as_double", Double);
        one(4, "spanId", "span_id", Hex);
        one(5, "traceId", "trace_id", Hex);
        one(6, "asInt", "as_int", Sfixed64);
        many(7, "filteredAttributes", "filtered_attributes", Message(&KEY_VALUE));
    }
}

const SPAN_KINDS: &[&str] = &[
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
];

const STATUS_CODES: &[&str] = &["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"];

const TEMPORALITIES: &[&str] =
    &["AGGREGATION_TEMPORALITY_UNSPECIFIED", "AGGREGATION_TEMPORALITY_DELTA", "AGGREGATION_TEMPORALITY_CUMULATIVE"];

const SEVERITY_NUMBERS: &[&str] = &[
    "SEVERITY_NUMBER_UNSPECIFIED",
    "SEVERITY_NUMBER_TRACE",
    "SEVERITY_NUMBER_TRACE2",
    "SEVERITY_NUMBER_TRACE3",
    "SEVERITY_NUMBER_TRACE4",
    "SEVERITY_NUMBER_DEBUG",
    "SEVERITY_NUMBER_DEBUG2",
    "SEVERITY_NUMBER_DEBUG3",
    "SEVERITY_NUMBER_DEBUG4",
    "SEVERITY_NUMBER_INFO",
    "SEVERITY_NUMBER_INFO2",
    "SEVERITY_NUMBER_INFO3",
    "SEVERITY_NUMBER_INFO4",
    "SEVERITY_NUMBER_WARN",
    "SEVERITY_NUMBER_WARN2",
    "SEVERITY_NUMBER_WARN3",
    "SEVERITY_NUMBER_WARN4",
    "SEVERITY_NUMBER_ERROR",
    "SEVERITY_NUMBER_ERROR2",
    "SEVERITY_NUMBER_ERROR3",
    "SEVERITY_NUMBER_ERROR4",
    "SEVERITY_NUMBER_FATAL",
    "SEVERITY_NUMBER_FATAL2",
    "SEVERITY_NUMBER_FATAL3",
    "SEVERITY_NUMBER_FATAL4",
];
