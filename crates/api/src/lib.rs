//! What HTTP and WebSockets carry: JSON bodies with their OpenAPI description.
//!
//! 64-bit integers (times, durations, counts that may pass 2^53) are decimal strings in JSON, because
//! JavaScript would round them. Attributes keep their types in the form of OTLP/JSON.

mod error;
mod health;
mod ingest;
mod metrics;
mod outline;
mod perfetto;
mod processes;
mod query;
mod services;
mod spread;
mod timeline;
mod traces;
mod value;
mod views;

pub use error::{ErrorBody, ErrorDetail, ErrorKind};
pub use health::{Health, HealthState, Liveness, PartHealth};
pub use ingest::{IngestAnswer, Rejection, StreamAnswer, StreamRequest, ZipkinAnswer};
pub use metrics::{
    Metric, MetricAttribute, MetricAttributeList, MetricAttributeValue, MetricExemplar, MetricExemplarList, MetricList,
    MetricSeries, MetricSeriesList, MetricValues,
};
pub use outline::{FoundSpans, OutlineEvents, SpanDetails, TraceOutline};
pub use perfetto::{PerfettoCounts, PerfettoInfo, PerfettoProgress, PerfettoRequest, PerfettoValidation};
pub use processes::{LevelCounts, Process, ProcessCounts, ProcessList, ProcessStatistics};
pub use query::{QueryColumn, QueryRequest, QueryResult, QueryStatistics, QueryValueType};
pub use services::{
    CallFigures, Operation, OperationList, Service, ServiceEdge, ServiceList, ServiceMap, ServiceNode, SpanPoint,
    SpanSeries,
};
pub use spread::{AttributeKey, AttributeSurvey, AttributeValue, Differences, Heatmap, HeatmapCell, ValueDifference};
pub use timeline::{Timeline, TimelineRow, TimelineSlice, TimelineSpans, TimelineTrack};
pub use traces::{
    LogBucket, LogHistogram, LogList, LogPage, LogRecord, Span, SpanEvent, SpanLink, Trace, TraceList, TraceProcess,
    TraceSummary,
};
pub use value::{AnyValue, ArrayValue, KeyValue, KeyValueList};
pub use views::{ChangedView, NewView, SavedView, SavedViewList};
