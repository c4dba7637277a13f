//! `glasshouse perfetto`: a process, a trace or the spans of a query as a Perfetto trace.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures::stream::{self, BoxStream};
use futures::{StreamExt as _, TryStreamExt as _};
use glasshouse_api::{PerfettoProgress, PerfettoRequest, QueryRequest};
use glasshouse_export::{PacketCounter, SpanRows};
use glasshouse_model::{Kinds, Subject, TimeRange, TimelineRequest};
use glasshouse_tables::ports::{ExportEncoding, PlanStep, QueryEngine as _, QueryError, SqlRequest, SqlStream};
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};

use crate::cli::PerfettoArguments;
use crate::client::{Client, ClientError, success};
use crate::draft_file::DraftFile;
use crate::failure::Failure;
use crate::place::{self, Place};
use crate::serve::{LocalLake, stop_signal};

const WHAT: &str = "no trace was written";

/// What comes on the way to a trace.
enum Step {
    /// So many of all batches and files were looked at.
    Looked(u64, u64),
    /// So many packets will come, about.
    Planned(u64),
    /// The trace goes on.
    Bytes(Bytes),
}

type Steps = BoxStream<'static, Result<Step, Failure>>;

/// Runs the command.
pub async fn run(arguments: PerfettoArguments) -> Result<(), Failure> {
    let range = place::range(arguments.from.as_deref(), arguments.to.as_deref())?;
    let place = Place::find(&arguments.place)?;
    let output = DraftFile::create(&arguments.output)?;
    match &place {
        Place::Server(endpoint) | Place::UsualServer { endpoint, .. } => {
            let failed = |error: &ClientError| place.failure(WHAT, error);
            let steps = remote(&Client::new(endpoint), &arguments).await.map_err(|error| failed(&error))?;
            write(output, steps).await
        }
        Place::Folder(data_dir) => {
            let lake = LocalLake::open(data_dir).await?;
            let written = match local(&lake, &arguments, range).await {
                Ok(steps) => write(output, steps).await,
                Err(error) => Err(Failure::new(WHAT, error)),
            };
            lake.close().await;
            written
        }
    }
}

async fn remote(client: &Client, arguments: &PerfettoArguments) -> Result<Steps, ClientError> {
    let kinds = arguments.kinds.map(|kinds| kinds.to_string());
    let (begin, end) = (arguments.from.clone(), arguments.to.clone());
    if let Some(sql) = &arguments.sql {
        let sql = SpanRows::in_order(sql);
        let rows = client.query(&QueryRequest { sql, from: begin, to: end, ..Default::default() }).await?;
        return Ok(of_rows(rows));
    }
    let broken = |error: reqwest::Error| Failure::new(WHAT, ClientError::from(error));
    if let Some(trace) = arguments.trace {
        let mut query = vec![("format", "perfetto".to_owned())];
        let given = [("kinds", kinds), ("begin", begin), ("end", end)];
        query.extend(given.into_iter().filter_map(|(name, value)| Some((name, value?))));
        let answer = success(client.get(&format!("/v1/traces/{trace}")).query(&query).send().await?).await?;
        return Ok(answer.bytes_stream().map(move |chunk| chunk.map(Step::Bytes).map_err(broken)).boxed());
    }
    let process = arguments.process.expect("one of the three is given");
    let kinds = kinds.map(|kinds| kinds.split(',').map(str::to_owned).collect());
    let request = client.post(&format!("/api/perfetto/{process}/generate"));
    let answer = success(request.json(&PerfettoRequest { kinds, begin, end }).send().await?).await?;
    let mut lines = Some(BytesMut::new());
    let steps = answer.bytes_stream().map(move |chunk| {
        let chunk = chunk.map_err(broken)?;
        let Some(begun) = &mut lines else { return Ok(vec![Ok(Step::Bytes(chunk))]) };
        begun.extend_from_slice(&chunk);
        let (steps, is_trace) = read_lines(begun)?;
        if is_trace {
            lines = None;
        }
        Ok(steps)
    });
    Ok(steps.map_ok(stream::iter).try_flatten().boxed())
}

/// Takes the lines that are whole, and what follows the last of them; tells whether the trace has begun.
fn read_lines(begun: &mut BytesMut) -> Result<(Vec<Result<Step, Failure>>, bool), Failure> {
    let mut steps = Vec::new();
    while let Some(end) = begun.iter().position(|byte| *byte == b'\n') {
        let line = begun.split_to(end + 1);
        let progress = serde_json::from_slice(&line)
            .map_err(|error| Failure::new(WHAT, format!("the server's answer makes no sense: {error}")))?;
        match progress {
            PerfettoProgress::Progress { done, total, .. } => steps.push(Ok(Step::Looked(done, total))),
            PerfettoProgress::Plan(info) => steps.push(Ok(Step::Planned(info.packets))),
            PerfettoProgress::Error { message } => return Err(Failure::new(WHAT, message)),
            PerfettoProgress::BinaryStart => {
                steps.push(Ok(Step::Bytes(begun.split().freeze())));
                return Ok((steps, true));
            }
        }
    }
    Ok((steps, false))
}

async fn local(lake: &LocalLake, arguments: &PerfettoArguments, range: TimeRange) -> Result<Steps, QueryError> {
    if let Some(sql) = &arguments.sql {
        let sql = SpanRows::in_order(sql);
        return Ok(of_rows(lake.engine.query(SqlRequest { sql, range, ..Default::default() }).await?));
    }
    let subject = match (arguments.process, arguments.trace) {
        (Some(id), _) => Subject::Process(id),
        (_, trace) => Subject::Trace(trace.expect("one of the three is given")),
    };
    let unknown = move || {
        QueryError::Invalid(match subject {
            Subject::Process(id) => format!("no process {id}"),
            Subject::Trace(id) => format!("no trace {id}"),
        })
    };
    let exports = Arc::clone(&lake.exporter);
    let request = TimelineRequest { subject, kinds: arguments.kinds.unwrap_or(Kinds::ALL), range };
    let plan = exports.plan(request).await?.ok_or_else(unknown)?;
    let plan = plan.map_ok(|step| match step {
        PlanStep::Looked(progress, _) => Step::Looked(progress.done, progress.total),
        PlanStep::Planned(plan) => Step::Planned(plan.packets),
    });
    let trace =
        stream::once(async move { exports.perfetto(request, ExportEncoding::Plain).await?.ok_or_else(unknown) });
    let steps = plan.chain(trace.try_flatten().map_ok(Step::Bytes));
    Ok(steps.map_err(|error| Failure::new(WHAT, error)).boxed())
}

/// The spans among the rows of a query, as they come.
fn of_rows(rows: SqlStream) -> Steps {
    let batches = rows.batches.map(Some).chain(stream::once(async { None }));
    let mut spans = Some(SpanRows::default());
    let steps = batches.map(move |batch| {
        let bytes = match batch {
            Some(batch) => spans.as_mut().map(|spans| spans.push(&batch?)).transpose()?,
            None => spans.take().map(SpanRows::finish),
        };
        Ok(Step::Bytes(bytes.unwrap_or_default().into()))
    });
    steps.map_err(|error: QueryError| Failure::new(WHAT, error)).boxed()
}

/// Writes all steps to a file, showing how far it is.
async fn write(file: DraftFile, mut steps: Steps) -> Result<(), Failure> {
    let started = Instant::now();
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(200));
    let mut out = file.sink();
    let (mut counter, mut bytes, mut has_begun) = (PacketCounter::default(), 0, false);
    let mut interrupted = pin!(stop_signal());
    loop {
        let step = tokio::select! {
            step = steps.try_next() => step?,
            signal = &mut interrupted => return Err(Failure::new(WHAT, signal)),
        };
        let Some(step) = step else { break };
        match step {
            Step::Looked(done, total) => bar.set_message(format!("counting: {done} of {total} files")),
            Step::Planned(packets) => {
                bar.set_length(packets);
                bar.set_message("writing");
                bar.set_style(ProgressStyle::with_template(BAR).expect("the template is a constant"));
            }
            Step::Bytes(chunk) => {
                has_begun = true;
                counter.push(&chunk);
                bytes += chunk.len() as u64;
                out.write_all(&chunk).map_err(|error| file.cannot(error))?;
                bar.set_position(counter.packets().min(bar.length().unwrap_or(u64::MAX)));
            }
        }
    }
    bar.finish_and_clear();
    if !counter.is_whole() || !has_begun {
        return Err(Failure::new(WHAT, "the answer ends before the trace does"));
    }
    out.finish().map_err(|error| file.cannot(error))?;
    let path = file.keep()?;
    eprintln!(
        "{}: {} packets, {}, in {:.1?}; open it at https://ui.perfetto.dev",
        path.display(),
        HumanCount(counter.packets()),
        HumanBytes(bytes),
        started.elapsed()
    );
    Ok(())
}

const BAR: &str = "{msg} {wide_bar} {percent}% {human_pos} of {human_len} packets, {eta} left";
