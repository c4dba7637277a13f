//! The port.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::StreamExt;
use futures::stream;
use glasshouse_model::{FlameChart, Subject, Survey, TimelineRequest};
use glasshouse_tables::ports::{
    ByteStream, ExportEncoding, ExportPlan, Exporter, PlanStep, PlanSteps, QueryError, SpanFormat,
};
use glasshouse_traces::Traces;
use glasshouse_traces::timeline::Timeline;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::chunks::chunks;
use crate::flame_chart;
use crate::perfetto::{self, End, Written};
use crate::spans;

/// What estimates are extrapolated from.
const SAMPLE: u64 = 10_000;

/// Exports from the present snapshot of a lake.
#[derive(Debug, Clone)]
pub struct Exports {
    traces: Traces,
    /// Where the work is done: not where a query runs that asks for it.
    runtime: Handle,
}

impl Exports {
    /// Reads as `traces` does, on threads of the runtime that this is called in.
    pub fn new(traces: Traces) -> Self {
        Self { traces, runtime: Handle::current() }
    }

    /// The rows; `None` when the process or trace is not known.
    async fn timeline(&self, request: TimelineRequest) -> Result<Option<Timeline>, QueryError> {
        let timeline = self.traces.timeline(request);
        let work = move || {
            let is_known = match request.subject {
                Subject::Process(id) => timeline.process(id)?.is_some(),
                Subject::Trace(id) => timeline.knows_trace(id)?,
            };
            Ok(is_known.then_some(timeline))
        };
        let done = self.runtime.spawn_blocking(work).await;
        done.unwrap_or_else(|panic| Err(QueryError::Failed(format!("the export failed: {panic}"))))
    }
}

#[async_trait]
impl Exporter for Exports {
    async fn plan(&self, request: TimelineRequest) -> Result<Option<PlanSteps>, QueryError> {
        let Some(timeline) = self.timeline(request).await? else { return Ok(None) };
        let (sender, receiver) = mpsc::channel(1);
        let waiting = sender.clone();
        let timeline = timeline.with_stop(move || waiting.is_closed());
        self.runtime.spawn_blocking(move || {
            let step = |step| match sender.blocking_send(step) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            };
            let planned = timeline
                .survey(|progress, survey| step(Ok(PlanStep::Looked(progress, *survey))))
                .and_then(|survey| survey.map(|survey| plan(&timeline, survey)).transpose());
            // When there is no plan, nobody waited for it.
            if let Some(last) = planned.map(|plan| plan.map(PlanStep::Planned)).transpose() {
                let _ = step(last);
            }
        });
        let steps = stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) });
        Ok(Some(steps.fuse().boxed()))
    }

    async fn perfetto(
        &self,
        request: TimelineRequest,
        encoding: ExportEncoding,
    ) -> Result<Option<ByteStream>, QueryError> {
        let Some(timeline) = self.timeline(request).await? else { return Ok(None) };
        let write = |timeline: &Timeline, out: &mut dyn Write| {
            let Written { figures, .. } = perfetto::write(timeline, out, u64::MAX)?;
            Ok(figures.spans)
        };
        Ok(Some(self.stream(timeline, "perfetto", encoding, write)))
    }

    async fn spans(
        &self,
        request: TimelineRequest,
        format: SpanFormat,
        encoding: ExportEncoding,
    ) -> Result<Option<ByteStream>, QueryError> {
        let Some(timeline) = self.timeline(request).await? else { return Ok(None) };
        let write = move |timeline: &Timeline, out: &mut dyn Write| spans::write(timeline, format, out);
        Ok(Some(self.stream(timeline, format.name(), encoding, write)))
    }

    async fn flame_chart(&self, request: TimelineRequest, columns: u32) -> Result<Option<FlameChart>, QueryError> {
        let Some(timeline) = self.timeline(request).await? else { return Ok(None) };
        let waiting = Arc::new(());
        let caller = Arc::downgrade(&waiting);
        let timeline = timeline.with_stop(move || caller.strong_count() == 0);
        let drawn = self.runtime.spawn_blocking(move || flame_chart::draw(&timeline, columns)).await;
        drop(waiting);
        drawn.unwrap_or_else(|panic| Err(QueryError::Failed(format!("drawing failed: {panic}")))).map(Some)
    }
}

impl Exports {
    /// The bytes that `write` writes, as they are read; it gives how many spans there were.
    fn stream(
        &self,
        timeline: Timeline,
        format: &'static str,
        encoding: ExportEncoding,
        write: impl Fn(&Timeline, &mut dyn Write) -> Result<u64, End> + Send + 'static,
    ) -> ByteStream {
        let (mut writer, stream) = {
            let _runtime = self.runtime.enter();
            chunks()
        };
        let timeline = timeline.with_stop(writer.is_abandoned());
        self.runtime.spawn_blocking(move || {
            let started = Instant::now();
            let written = match encoding {
                ExportEncoding::Plain => write(&timeline, &mut writer),
                ExportEncoding::Gzip => {
                    let mut compressor = GzEncoder::new(&mut writer, Compression::fast());
                    write(&timeline, &mut compressor).and_then(|spans| {
                        compressor.finish()?.flush()?;
                        Ok(spans)
                    })
                }
            };
            let ended = match written {
                Err(End::Failed(error)) if !writer.is_abandoned()() => {
                    tracing::warn!(%error, format, "an export was broken off");
                    return writer.fail(error);
                }
                Ok(spans) => writer.end().map(|()| spans).map_err(End::from),
                Err(end) => Err(end),
            };
            if let Ok(spans) = ended {
                tracing::info!(format, spans, elapsed = ?started.elapsed(), "wrote an export");
            } else {
                tracing::info!(format, "the reader of an export went away or stopped reading");
            }
        });
        stream
    }
}

/// Writes the first rows to nowhere, and extrapolates.
fn plan(timeline: &Timeline, survey: Survey) -> Result<ExportPlan, QueryError> {
    let started = Instant::now();
    let Written { figures, rows } = match perfetto::write(timeline, io::sink(), SAMPLE) {
        Ok(written) => written,
        Err(End::Failed(error)) => return Err(error),
        Err(End::Abandoned) => Written::default(),
    };
    let elapsed = started.elapsed();
    let times = |amount: u128| amount * u128::from(survey.items().max(rows)) / u128::from(rows.max(1));
    let packets = 2 * figures.spans - figures.open_spans + figures.events + figures.links + figures.logs;
    let packets = packets + figures.points;
    Ok(ExportPlan {
        survey,
        packets: times(packets.into()) as u64,
        estimated_bytes: times(figures.bytes.into()) as u64,
        estimated_time: Duration::from_nanos(times(elapsed.as_nanos()) as u64),
    })
}
