//! Functions that give tables: `trace_spans(id)`, `process_spans(id, …)` and their like.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{Result, ScalarValue, plan_datafusion_err, plan_err};
use datafusion::datasource::empty::EmptyTable;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::logical_expr::expr::Placeholder;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, col, lit};
use glasshouse_model::{Kinds, ProcessId, Subject, TimeRange, TimelineRequest, Timestamp, TraceId};
use glasshouse_tables::Table;

use crate::perfetto_trace;
use crate::scan::{LakeTable, View, time_scalar};
use crate::trace_spans::{self, TraceSpans};

/// Values of `$1`, `$2`, … and `$name`, by what follows the `$`; `None` while a statement is only described.
#[derive(Debug, Default)]
pub(crate) struct Parameters(pub(crate) Option<HashMap<String, ScalarValue>>);

/// A table function: name, syntax, what it gives.
pub(crate) struct FunctionDoc {
    pub(crate) name: &'static str,
    pub(crate) syntax: &'static str,
    pub(crate) doc: &'static str,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Trace,
    Process,
    ProcessThreads,
    ProcessAsync,
    PerfettoTrace,
}

/// All of them.
pub(crate) const ALL: [FunctionDoc; 5] = [
    FunctionDoc {
        name: "trace_spans",
        syntax: "trace_spans(trace_id)",
        doc: "The spans of a trace, each once, in the order of the tree. Columns of `spans`, then `depth` and `self_time_ns`",
        kind: Kind::Trace,
    },
    FunctionDoc {
        name: "process_spans",
        syntax: "process_spans(process_id[, kinds[, from[, to]]])",
        doc: "The spans of a process. `kinds` is `'thread'` (with a thread), `'async'` (without), or both: `'thread,async'`. \
              With `from` and `to` (times), those that run at any moment of it, open ones too",
        kind: Kind::Process,
    },
    FunctionDoc {
        name: "thread_spans",
        syntax: "thread_spans(process_id[, from[, to]])",
        doc: "The spans of a process that tell their thread; as `process_spans(process_id, 'thread', from, to)`",
        kind: Kind::ProcessThreads,
    },
    FunctionDoc {
        name: "async_spans",
        syntax: "async_spans(process_id[, from[, to]])",
        doc: "The spans of a process that tell no thread; as `process_spans(process_id, 'async', from, to)`",
        kind: Kind::ProcessAsync,
    },
    FunctionDoc {
        name: "perfetto_trace",
        syntax: "perfetto_trace(process_id[, kinds[, begin[, end]]])",
        doc: "A process as a Perfetto trace: its bytes are those of `chunk_data`, in the order of `chunk_id`. `kinds` are some of \
              `'thread,async,logs,metrics'`; NULL is all of them",
        kind: Kind::PerfettoTrace,
    },
];

/// The functions for one query.
pub(crate) fn all(
    view: &Arc<View>,
    parameters: &Arc<Parameters>,
) -> impl Iterator<Item = (&'static str, Arc<dyn TableFunctionImpl>)> {
    ALL.iter().map(|function| {
        let call = SpansFunction {
            name: function.name,
            syntax: function.syntax,
            kind: function.kind,
            view: Arc::clone(view),
            parameters: Arc::clone(parameters),
        };
        (function.name, Arc::new(call) as Arc<dyn TableFunctionImpl>)
    })
}

#[derive(Debug)]
struct SpansFunction {
    name: &'static str,
    syntax: &'static str,
    kind: Kind,
    view: Arc<View>,
    parameters: Arc<Parameters>,
}

/// The value of an argument.
enum Argument {
    Value(ScalarValue),
    /// A parameter of a statement that is only described.
    Unknown,
}

impl TableFunctionImpl for SpansFunction {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let arguments = args.exprs().iter().map(|expr| self.argument(expr)).collect::<Result<Vec<_>>>()?;
        let arguments: Option<Vec<_>> = arguments
            .into_iter()
            .map(|argument| match argument {
                Argument::Value(value) => Some(value),
                Argument::Unknown => None,
            })
            .collect();
        let Some(arguments) = arguments else { return Ok(Arc::new(EmptyTable::new(self.schema()))) };
        match (self.kind, arguments.as_slice()) {
            (Kind::Trace, [id]) => {
                let trace_id: TraceId = self.parse(id, "a trace id of 32 hex digits")?;
                Ok(Arc::new(TraceSpans { view: Arc::clone(&self.view), trace_id }))
            }
            (Kind::Process, [id]) => self.process_spans(id, None, &[]),
            (Kind::Process, [id, kinds, times @ ..]) => self.process_spans(id, Some(kinds), times),
            (Kind::ProcessThreads, [id, times @ ..]) => self.process_spans(id, Some(&"thread".into()), times),
            (Kind::ProcessAsync, [id, times @ ..]) => self.process_spans(id, Some(&"async".into()), times),
            (Kind::PerfettoTrace, [id]) => self.perfetto_trace(id, None, &[]),
            (Kind::PerfettoTrace, [id, kinds, times @ ..]) => self.perfetto_trace(id, Some(kinds), times),
            _ => self.misused(),
        }
    }
}

impl SpansFunction {
    fn schema(&self) -> SchemaRef {
        match self.kind {
            Kind::Trace => trace_spans::schema(),
            Kind::PerfettoTrace => perfetto_trace::schema(),
            _ => Table::Spans.logical_schema(),
        }
    }

    fn misused<T>(&self) -> Result<T> {
        plan_err!("{} is called as {}", self.name, self.syntax)
    }

    fn argument(&self, expr: &Expr) -> Result<Argument> {
        match expr {
            Expr::Literal(value, _) => Ok(Argument::Value(value.clone())),
            Expr::Placeholder(Placeholder { id, .. }) => {
                let Some(values) = &self.parameters.0 else { return Ok(Argument::Unknown) };
                values
                    .get(id.trim_start_matches('$'))
                    .map(|value| Argument::Value(value.clone()))
                    .ok_or_else(|| plan_datafusion_err!("no value was given for {id}"))
            }
            _ => plan_err!("the arguments of {} must be constants", self.name),
        }
    }

    fn parse<T: std::str::FromStr>(&self, value: &ScalarValue, expected: &str) -> Result<T> {
        let parsed = value.try_as_str().flatten().and_then(|text| text.parse().ok());
        parsed.ok_or_else(|| plan_datafusion_err!("{} expects {expected}, not {value}", self.name))
    }

    fn process_spans(
        &self,
        id: &ScalarValue,
        kinds: Option<&ScalarValue>,
        times: &[ScalarValue],
    ) -> Result<Arc<dyn TableProvider>> {
        let process_id: ProcessId = self.parse(id, "the UUID of a process")?;
        let mut filter = col("process_id").eq(lit(process_id.to_string()));
        if let Some(kinds) = kinds.filter(|kinds| !kinds.is_null()) {
            let kinds: String = self.parse(kinds, "kinds as text")?;
            let kinds: Vec<_> = kinds.split(',').map(str::trim).collect();
            if let Some(unknown) = kinds.iter().find(|kind| !matches!(**kind, "thread" | "async")) {
                return plan_err!("{} knows the kinds 'thread' and 'async', not '{unknown}'", self.name);
            }
            match (kinds.contains(&"thread"), kinds.contains(&"async")) {
                (true, false) => filter = filter.and(col("thread_id").is_not_null()),
                (false, true) => filter = filter.and(col("thread_id").is_null()),
                _ => {}
            }
        }
        let range = self.range(times)?;
        if range.to < Timestamp::MAX {
            filter = filter.and(col("start_time").lt(lit(time_scalar(range.to))));
        }
        if range.from > Timestamp::MIN {
            let ends_inside = col("end_time").gt_eq(lit(time_scalar(range.from)));
            filter = filter.and(ends_inside.or(col("end_time").is_null()));
        }
        let spans = LakeTable { table: Table::Spans, view: Arc::clone(&self.view) };
        let plan = LogicalPlanBuilder::scan(Table::Spans.name(), provider_as_source(Arc::new(spans)), None)?
            .filter(filter)?
            .build()?;
        Ok(Arc::new(ViewTable::new(plan, None)))
    }

    fn perfetto_trace(
        &self,
        id: &ScalarValue,
        kinds: Option<&ScalarValue>,
        times: &[ScalarValue],
    ) -> Result<Arc<dyn TableProvider>> {
        let process_id: ProcessId = self.parse(id, "the UUID of a process")?;
        let kinds = match kinds.filter(|kinds| !kinds.is_null()) {
            Some(kinds) => {
                let text: String = self.parse(kinds, "kinds as text")?;
                text.parse::<Kinds>().map_err(|error| plan_datafusion_err!("{}: {error}", self.name))?
            }
            None => Kinds::ALL,
        };
        let TimeRange { from, to } = self.range(times)?;
        let range = TimeRange { from: from.max(self.view.range.from), to: to.min(self.view.range.to) };
        if range.from >= range.to {
            return Ok(Arc::new(EmptyTable::new(self.schema())));
        }
        let Some(maker) = self.view.traces.clone() else {
            return plan_err!("{} reads the present rows, not an earlier snapshot", self.name);
        };
        perfetto_trace::table(maker, TimelineRequest { subject: Subject::Process(process_id), kinds, range })
    }

    fn range(&self, times: &[ScalarValue]) -> Result<TimeRange> {
        let (from, to) = match times {
            [] => (None, None),
            [from] => (self.time(from)?, None),
            [from, to] => (self.time(from)?, self.time(to)?),
            _ => return self.misused(),
        };
        let range = TimeRange { from: from.unwrap_or(Timestamp::MIN), to: to.unwrap_or(Timestamp::MAX) };
        if range.from >= range.to {
            return plan_err!("the time range of {} is empty: it ends before it begins", self.name);
        }
        Ok(range)
    }

    /// A moment; `None` for NULL.
    fn time(&self, value: &ScalarValue) -> Result<Option<Timestamp>> {
        if value.is_null() {
            return Ok(None);
        }
        let utc = time_scalar(Timestamp::MIN).data_type();
        let Ok(ScalarValue::TimestampNanosecond(Some(nanos), _)) = value.cast_to(&utc) else {
            return plan_err!("{} expects a time such as '2026-01-31T12:00:00.000000001Z', not {value}", self.name);
        };
        Ok(Some(Timestamp::from_nanos(nanos)))
    }
}
