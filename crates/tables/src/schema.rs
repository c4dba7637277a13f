use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use glasshouse_model::DurationNs;

/// A table of the lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "Table::doc says what each holds")]
pub enum Table {
    Processes,
    Spans,
    SpanEvents,
    SpanLinks,
    Logs,
    Metrics,
}

/// What a column holds. The *stored* type is what builders make and the hot buffer holds; the
/// *logical* type is what SQL shows. Parquet files hold the stored type, except that attributes are
/// split into one column per frequent key and JSON text for the rest (`docs/adr`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// 16 bytes; shown as 32 lower-case hex digits.
    TraceId,
    /// 8 bytes; shown as 16 lower-case hex digits.
    SpanId,
    /// 16 bytes; shown as a UUID.
    ProcessId,
    /// Nanoseconds since the Unix epoch, UTC.
    Time,
    /// 64-bit signed integer.
    Int64,
    /// 32-bit signed integer.
    Int32,
    /// 64-bit float.
    Float64,
    /// Boolean.
    Boolean,
    /// UTF-8 text.
    Text,
    /// Packed attributes ([`crate::attributes`]); shown as JSON text.
    Attributes,
    /// List of 64-bit floats.
    Floats,
    /// List of 64-bit integers.
    Integers,
    /// Exponential histogram.
    Exponential,
    /// Quantiles of a summary.
    Quantiles,
    /// Exemplars of a data point.
    Exemplars,
}

/// A column: its name is a contract with everyone who writes SQL.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Name in SQL, in Parquet and in the catalog.
    pub name: &'static str,
    /// What it holds.
    pub kind: ColumnType,
    /// Whether a row may lack it.
    pub nullable: bool,
    /// What it means, with units.
    pub doc: &'static str,
}

/// The order of rows in a file: by `floor(time / window)`, then by `keys`, then by time. A window keeps
/// what happened together close by, so that the newest rows are found without reading the file, while
/// rows with equal keys (the spans of a trace) stand together within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SortOrder {
    /// Length of the window.
    pub window: DurationNs,
    /// Columns compared within a window.
    pub keys: &'static [&'static str],
}

use ColumnType::{
    Attributes, Boolean, Exemplars, Exponential, Float64, Floats, Int32, Int64, Integers, ProcessId, Quantiles, SpanId,
    Text, Time, TraceId,
};

const fn column(name: &'static str, kind: ColumnType, doc: &'static str) -> Column {
    Column { name, kind, nullable: false, doc }
}

const fn optional(name: &'static str, kind: ColumnType, doc: &'static str) -> Column {
    Column { name, kind, nullable: true, doc }
}

const PROCESS_ID: Column = column(
    "process_id",
    ProcessId,
    "Process: `service.instance.id` when it is a UUID, else derived from the identifying resource attributes",
);
const SERVICE_NAME: Column =
    column("service_name", Text, "`service.name` of the resource; `unknown_service` when absent");
const INGEST_TIME: Column = column("ingest_time", Time, "When Glasshouse accepted the row");
const ATTRIBUTES: Column = column(
    "attributes",
    Attributes,
    "Attributes as JSON text; `attributes['k']` gives one value as text, `attribute_int(attributes, 'k')` and its like give it typed",
);

const PROCESSES: &[Column] = &[
    PROCESS_ID,
    SERVICE_NAME,
    optional("service_namespace", Text, "`service.namespace`"),
    optional("service_version", Text, "`service.version`"),
    optional("service_instance_id", Text, "`service.instance.id`"),
    optional("environment", Text, "`deployment.environment.name`, or the older `deployment.environment`"),
    optional("host_name", Text, "`host.name`"),
    optional("pid", Int64, "`process.pid`: operating system process id"),
    optional("executable", Text, "`process.executable.path`, else `process.executable.name`"),
    optional(
        "command_line",
        Text,
        "`process.command_line`, else `process.command_args` joined by spaces, else `process.command`",
    ),
    optional("user_name", Text, "`process.owner`"),
    optional("os", Text, "`os.type`"),
    optional("arch", Text, "`host.arch`"),
    optional("sdk_language", Text, "`telemetry.sdk.language`"),
    optional("runtime", Text, "`process.runtime.name` and `process.runtime.version`"),
    optional("start_time", Time, "`process.creation.time`, else the earliest time its telemetry tells of"),
    column("first_seen", Time, "When Glasshouse first heard of the process"),
    column("last_update_time", Time, "When Glasshouse last heard of the process"),
    optional("parent_process_id", ProcessId, "The process that started this one, where the sender says so"),
    column("resource", Attributes, "All resource attributes as JSON text; `resource['k']` gives one value as text"),
    INGEST_TIME,
];

const SPANS: &[Column] = &[
    column("trace_id", TraceId, "Trace: 32 hex digits"),
    column("span_id", SpanId, "Span: 16 hex digits"),
    optional("parent_span_id", SpanId, "Parent span; NULL for a root"),
    PROCESS_ID,
    SERVICE_NAME,
    column("name", Text, "Operation"),
    column("kind", Text, "UNSPECIFIED, INTERNAL, SERVER, CLIENT, PRODUCER or CONSUMER"),
    column("start_time", Time, "When the span started"),
    optional("end_time", Time, "When the span ended; NULL while it is open"),
    optional("duration_ns", Int64, "`end_time - start_time` in nanoseconds; NULL while open"),
    column("status_code", Text, "UNSET, OK or ERROR"),
    column("status_message", Text, "What went wrong; empty when not said"),
    optional("thread_id", Int64, "`thread.id`"),
    optional("thread_name", Text, "`thread.name`"),
    column("scope_name", Text, "Instrumentation scope"),
    column("scope_version", Text, "Version of the instrumentation scope"),
    column("trace_state", Text, "W3C `tracestate`"),
    column("flags", Int64, "OTLP span flags; the lowest 8 bits are the W3C trace flags"),
    ATTRIBUTES,
    column("dropped_attributes_count", Int64, "Attributes the sender dropped"),
    column("dropped_events_count", Int64, "Events the sender dropped"),
    column("dropped_links_count", Int64, "Links the sender dropped"),
    column(
        "sample_weight",
        Float64,
        "How many spans this one stands for (`ot=th` of `trace_state`); 1 when not sampled",
    ),
    INGEST_TIME,
];

const SPAN_EVENTS: &[Column] = &[
    column("trace_id", TraceId, "Trace of the span"),
    column("span_id", SpanId, "Span"),
    PROCESS_ID,
    SERVICE_NAME,
    column("time", Time, "When the event happened"),
    column("name", Text, "Name of the event"),
    ATTRIBUTES,
    column("dropped_attributes_count", Int64, "Attributes the sender dropped"),
    INGEST_TIME,
];

const SPAN_LINKS: &[Column] = &[
    column("trace_id", TraceId, "Trace of the span that carries the link"),
    column("span_id", SpanId, "Span that carries the link"),
    PROCESS_ID,
    SERVICE_NAME,
    column("start_time", Time, "Start of the span that carries the link"),
    column("linked_trace_id", TraceId, "Trace linked to"),
    column("linked_span_id", SpanId, "Span linked to"),
    column("trace_state", Text, "W3C `tracestate` of the link"),
    ATTRIBUTES,
    column("flags", Int64, "OTLP link flags"),
    column("dropped_attributes_count", Int64, "Attributes the sender dropped"),
    INGEST_TIME,
];

const LOGS: &[Column] = &[
    column("time", Time, "When it happened; the observed time when the sender gave none"),
    optional("observed_time", Time, "When the collection system saw it"),
    PROCESS_ID,
    SERVICE_NAME,
    column("severity_number", Int32, "OpenTelemetry severity number, 1 to 24; 0 when not given"),
    column("severity_text", Text, "Severity as the sender wrote it"),
    optional(
        "level",
        Int32,
        "1 FATAL, 2 ERROR, 3 WARN, 4 INFO, 5 DEBUG, 6 TRACE; NULL when no severity number was given",
    ),
    column("scope_name", Text, "Instrumentation scope"),
    column("scope_version", Text, "Version of the instrumentation scope"),
    column("event_name", Text, "Name of the event, when the record is one"),
    optional("body", Text, "Body; a structured body as JSON text"),
    optional(
        "body_type",
        Text,
        "Type of the body as sent: STRING, or JSON when `body` holds the JSON text of any other type",
    ),
    optional("trace_id", TraceId, "Trace the record belongs to"),
    optional("span_id", SpanId, "Span the record belongs to"),
    column("flags", Int64, "OTLP log record flags; the lowest 8 bits are the W3C trace flags"),
    ATTRIBUTES,
    column("dropped_attributes_count", Int64, "Attributes the sender dropped"),
    INGEST_TIME,
];

const METRICS: &[Column] = &[
    column("time", Time, "When the point was taken"),
    optional("start_time", Time, "Start of the interval that a sum or histogram covers"),
    PROCESS_ID,
    SERVICE_NAME,
    column("name", Text, "Name of the metric"),
    column("unit", Text, "Unit (UCUM)"),
    column("description", Text, "What the metric measures"),
    column("kind", Text, "GAUGE, SUM, HISTOGRAM, EXPONENTIAL_HISTOGRAM or SUMMARY"),
    optional("temporality", Text, "DELTA or CUMULATIVE; NULL where it does not apply"),
    optional("is_monotonic", Boolean, "Whether a sum only grows; NULL for other kinds"),
    optional("value", Float64, "Value of a gauge or sum"),
    optional("value_int", Int64, "The same, exact, when it was sent as an integer"),
    optional("count", Int64, "Observations in a histogram or summary"),
    optional("sum", Float64, "Sum of the observations"),
    optional("min", Float64, "Least observation"),
    optional("max", Float64, "Greatest observation"),
    optional("bucket_bounds", Floats, "Upper bounds of the histogram's buckets, the last bucket open"),
    optional("bucket_counts", Integers, "Observations in each bucket"),
    optional("exponential", Exponential, "Buckets of an exponential histogram"),
    optional("quantiles", Quantiles, "Quantiles of a summary"),
    optional("exemplars", Exemplars, "Example observations with their trace and span"),
    column("flags", Int64, "OTLP data point flags; bit 0: no recorded value"),
    column("scope_name", Text, "Instrumentation scope"),
    column("scope_version", Text, "Version of the instrumentation scope"),
    ATTRIBUTES,
    INGEST_TIME,
];

impl Table {
    /// Every table.
    pub const ALL: [Self; 6] =
        [Self::Processes, Self::Spans, Self::SpanEvents, Self::SpanLinks, Self::Logs, Self::Metrics];

    /// Name in SQL and in the catalog.
    pub fn name(self) -> &'static str {
        match self {
            Self::Processes => "processes",
            Self::Spans => "spans",
            Self::SpanEvents => "span_events",
            Self::SpanLinks => "span_links",
            Self::Logs => "logs",
            Self::Metrics => "metrics",
        }
    }

    /// The table of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    /// What a row is.
    pub fn doc(self) -> &'static str {
        match self {
            Self::Processes => "One row for each resource instance (one run of a program), latest state",
            Self::Spans => {
                "One row for each span; one that was reported while open, or sent again, may have its earlier row beside it until their files are merged (the functions below give each span once)"
            }
            Self::SpanEvents => "One row for each event of a span",
            Self::SpanLinks => "One row for each link from a span to another",
            Self::Logs => "One row for each log record",
            Self::Metrics => "One row for each metric data point",
        }
    }

    /// The columns, in order.
    pub fn columns(self) -> &'static [Column] {
        match self {
            Self::Processes => PROCESSES,
            Self::Spans => SPANS,
            Self::SpanEvents => SPAN_EVENTS,
            Self::SpanLinks => SPAN_LINKS,
            Self::Logs => LOGS,
            Self::Metrics => METRICS,
        }
    }

    /// The column that says when a row happened: files are partitioned, pruned and expired by it.
    pub fn time_column(self) -> &'static str {
        match self {
            Self::Processes => "last_update_time",
            Self::Spans | Self::SpanLinks => "start_time",
            Self::SpanEvents | Self::Logs | Self::Metrics => "time",
        }
    }

    /// The order of rows in files.
    pub fn sort_order(self) -> SortOrder {
        let (seconds, keys): (i64, &'static [&'static str]) = match self {
            Self::Processes => (i64::MAX / 1_000_000_000, &["process_id"]),
            Self::Spans | Self::SpanEvents | Self::SpanLinks => (1, &["trace_id"]),
            Self::Logs => (60, &["service_name", "process_id"]),
            Self::Metrics => (3600, &["name", "process_id"]),
        };
        SortOrder { window: DurationNs::from_secs(seconds), keys }
    }

    /// The column whose frequent keys get columns of their own in files; `None` when it stays whole.
    pub fn shredded_column(self) -> Option<&'static str> {
        matches!(self, Self::Spans | Self::Logs | Self::Metrics).then_some("attributes")
    }

    /// Position of a column in the stored schema.
    pub fn index_of(self, column: &str) -> Option<usize> {
        self.columns().iter().position(|c| c.name == column)
    }

    /// Schema of batches as builders make them and the hot buffer holds them.
    pub fn stored_schema(self) -> SchemaRef {
        static SCHEMAS: LazyLock<[SchemaRef; 6]> =
            LazyLock::new(|| Table::ALL.map(|table| table.schema_of(ColumnType::stored_type)));
        Arc::clone(&SCHEMAS[self as usize])
    }

    /// Schema that SQL shows.
    pub fn logical_schema(self) -> SchemaRef {
        static SCHEMAS: LazyLock<[SchemaRef; 6]> =
            LazyLock::new(|| Table::ALL.map(|table| table.schema_of(ColumnType::logical_type)));
        Arc::clone(&SCHEMAS[self as usize])
    }

    fn schema_of(self, data_type: fn(ColumnType) -> DataType) -> SchemaRef {
        let field = |c: &Column| Field::new(c.name, data_type(c.kind), c.nullable);
        Arc::new(Schema::new(self.columns().iter().map(field).collect::<Fields>()))
    }
}

impl ColumnType {
    /// Arrow type in builders and the hot buffer.
    pub fn stored_type(self) -> DataType {
        match self {
            TraceId | ProcessId => DataType::FixedSizeBinary(16),
            SpanId => DataType::FixedSizeBinary(8),
            Attributes => DataType::Binary,
            other => other.logical_type(),
        }
    }

    /// Arrow type in SQL: plain types that every client reads.
    pub fn logical_type(self) -> DataType {
        match self {
            TraceId | SpanId | ProcessId | Text | Attributes => DataType::Utf8,
            Time => time_type(),
            Int64 => DataType::Int64,
            Int32 => DataType::Int32,
            Float64 => DataType::Float64,
            Boolean => DataType::Boolean,
            Floats => list_of(DataType::Float64),
            Integers => list_of(DataType::Int64),
            Exponential => DataType::Struct(exponential_fields()),
            Quantiles => list_of(DataType::Struct(quantile_fields())),
            Exemplars => list_of(DataType::Struct(exemplar_fields())),
        }
    }
}

/// Nanoseconds since the epoch, UTC.
pub(crate) fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
}

pub(crate) fn list_item(data_type: DataType) -> Arc<Field> {
    Arc::new(Field::new("item", data_type, true))
}

fn list_of(data_type: DataType) -> DataType {
    DataType::List(list_item(data_type))
}

pub(crate) fn exponential_fields() -> Fields {
    vec![
        Field::new("scale", DataType::Int32, true),
        Field::new("zero_count", DataType::Int64, true),
        Field::new("zero_threshold", DataType::Float64, true),
        Field::new("positive_offset", DataType::Int32, true),
        Field::new("positive_counts", list_of(DataType::Int64), true),
        Field::new("negative_offset", DataType::Int32, true),
        Field::new("negative_counts", list_of(DataType::Int64), true),
    ]
    .into()
}

pub(crate) fn quantile_fields() -> Fields {
    vec![Field::new("quantile", DataType::Float64, true), Field::new("value", DataType::Float64, true)].into()
}

pub(crate) fn exemplar_fields() -> Fields {
    vec![
        Field::new("time", time_type(), true),
        Field::new("value", DataType::Float64, true),
        Field::new("value_int", DataType::Int64, true),
        Field::new("trace_id", DataType::Utf8, true),
        Field::new("span_id", DataType::Utf8, true),
        Field::new("attributes", DataType::Utf8, true),
    ]
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_hold_together() {
        for table in Table::ALL {
            assert_eq!(Table::from_name(table.name()), Some(table));
            assert_eq!(table.stored_schema().fields().len(), table.columns().len());
            let time = table.index_of(table.time_column()).expect("time column is declared");
            assert_eq!(table.columns()[time].kind, Time);
            for key in table.sort_order().keys {
                assert!(table.index_of(key).is_some(), "{} sorts by {key}", table.name());
            }
            let mut names: Vec<_> = table.columns().iter().map(|column| column.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), table.columns().len(), "{} repeats a column", table.name());
        }
    }
}
