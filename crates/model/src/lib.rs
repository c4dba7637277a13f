//! The words every other crate speaks: ids, nanosecond times, severities, limits and the plain
//! records that views show. No Arrow, no async, no I/O.

mod flame_chart;
mod id;
mod outline;
mod record;
mod search;
mod service_map;
mod severity;
mod sketch;
mod span;
mod spread;
mod steps;
mod time;
mod time_text;
mod timeline;
mod value;

pub use flame_chart::{FlameChart, FlameRow, FlameSlice, FlameTrack};
pub use id::{IdError, ProcessId, SpanId, TraceId};
pub use outline::{OutlineEvent, OutlineSpan, TraceOutline};
pub use record::{LogRecord, Span, SpanEvent, SpanLink, Trace, TraceProcess};
pub use search::{AttributeFilter, Cursor, CursorError, TraceFilter, TracePage, TraceSummary};
pub use service_map::{CallFigures, NodeKind, ServiceEdge, ServiceMap, ServiceNode};
pub use severity::{Level, Severity};
pub use sketch::DurationSketch;
pub use span::{SpanKind, StatusCode, TraceKind};
pub use spread::{
    AttributeKey, AttributeSurvey, Differences, Heatmap, HeatmapCell, SpanSelection, SpanSeries, ValueDifference,
    ValuePlace,
};
pub use steps::{round_step, round_up};
pub use time::{Clock, DurationNs, SystemClock, TimeError, TimeRange, Timestamp};
pub use time_text::DurationError;
pub use timeline::{Kinds, KindsError, Subject, Survey, SurveyProgress, TimelineRequest};
pub use value::{Attributes, Value};
