//! The port.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::StreamExt;
use futures::stream;
use glasshouse_model::{Subject, Survey, TimelineRequest};
use glasshouse_perfetto::Figures;
use glasshouse_tables::ports::{ByteStream, ExportEncoding, ExportPlan, Exporter, PlanStep, PlanSteps, QueryError};
use glasshouse_traces::Traces;
use glasshouse_traces::timeline::Timeline;
use tokio::sync::mpsc;

use crate::chunks::chunks;
use crate::perfetto::{self, End};

/// What estimates are extrapolated from.
const SAMPLE: u64 = 10_000;

/// Exports from the present snapshot of a lake.
#[derive(Debug, Clone)]
pub struct Exports {
    traces: Traces,
}

impl Exports {
    /// Reads as `traces` does.
    pub fn new(traces: Traces) -> Self {
        Self { traces }
    }

    /// The rows; `None` when the process or trace is not known.
    async fn timeline(&self, request: TimelineRequest) -> Result<Option<Timeline>, QueryError> {
        let timeline = self.traces.timeline(request);
        blocking(move || {
            let is_known = match request.subject {
                Subject::Process(id) => timeline.process(id)?.is_some(),
                Subject::Trace(id) => timeline.knows_trace(id)?,
            };
            Ok(is_known.then_some(timeline))
        })
        .await
    }
}

#[async_trait]
impl Exporter for Exports {
    async fn plan(&self, request: TimelineRequest) -> Result<Option<PlanSteps>, QueryError> {
        let Some(timeline) = self.timeline(request).await? else { return Ok(None) };
        let (sender, receiver) = mpsc::channel(1);
        tokio::task::spawn_blocking(move || {
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
        let (mut writer, stream) = chunks();
        tokio::task::spawn_blocking(move || {
            let started = Instant::now();
            let written = match encoding {
                ExportEncoding::Plain => whole(&timeline, &mut writer),
                ExportEncoding::Gzip => {
                    let mut compressor = GzEncoder::new(&mut writer, Compression::fast());
                    whole(&timeline, &mut compressor).and_then(|figures| {
                        compressor.finish()?.flush()?;
                        Ok(figures)
                    })
                }
            };
            let ended = match written {
                Err(End::Failed(error)) => {
                    tracing::warn!(%error, "a Perfetto trace was broken off");
                    return writer.fail(error);
                }
                Ok(figures) => writer.end().map(|()| figures).map_err(End::from),
                abandoned => abandoned,
            };
            if let Ok(figures) = ended {
                tracing::info!(?figures, elapsed = ?started.elapsed(), "wrote a Perfetto trace");
            } else {
                tracing::info!("the reader of a Perfetto trace went away");
            }
        });
        Ok(Some(stream))
    }
}

fn whole(timeline: &Timeline, out: impl Write) -> Result<Figures, End> {
    perfetto::write(timeline, out, |_| false)
}

/// Writes the first rows to nowhere, and extrapolates.
fn plan(timeline: &Timeline, survey: Survey) -> Result<ExportPlan, QueryError> {
    let started = Instant::now();
    let items = |figures: &Figures| {
        figures.spans + figures.events + figures.links + figures.logs + figures.points + figures.points_left_out
    };
    let sample = match perfetto::write(timeline, io::sink(), |figures| items(figures) >= SAMPLE) {
        Ok(figures) => figures,
        Err(End::Failed(error)) => return Err(error),
        Err(End::Abandoned) => Figures::default(),
    };
    let elapsed = started.elapsed();
    let times = |amount: u128| amount * u128::from(survey.items()) / u128::from(items(&sample).max(1));
    let spans = survey.spans();
    Ok(ExportPlan {
        survey,
        packets: survey.items() + spans - survey.open_spans.min(spans),
        estimated_bytes: times(sample.bytes.into()) as u64,
        estimated_time: Duration::from_nanos(times(elapsed.as_nanos()) as u64),
    })
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, QueryError> + Send + 'static,
) -> Result<T, QueryError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|panic| Err(QueryError::Failed(format!("the export failed: {panic}"))))
}
