//! Spans, whole, in the forms of other tools.

use std::collections::hash_map::Entry;
use std::io::Write;
use std::ops::ControlFlow;

use glasshouse_formats::{Processes, span_writer};
use glasshouse_model::{Attributes, Span, TraceProcess, Value};
use glasshouse_tables::ports::{QueryError, SpanFormat};
use glasshouse_traces::timeline::Timeline;

use crate::perfetto::End;

/// Writes the spans of a timeline to `out`; gives how many there are.
pub(crate) fn write(timeline: &Timeline, format: SpanFormat, out: &mut dyn Write) -> Result<u64, End> {
    let mut writer = span_writer(format);
    let (mut processes, mut written, mut failure) = (Processes::new(), 0, None);
    let mut bytes = Vec::new();
    let mut write = |spans: &[Span]| -> Result<(), End> {
        for span in spans {
            if let Entry::Vacant(unknown) = processes.entry(span.process_id) {
                // The row of a process may have expired before its spans.
                let process = timeline.process(span.process_id)?;
                unknown.insert(process.unwrap_or_else(|| named_by(span)));
            }
        }
        // So much at once as a reader waits for.
        for spans in spans.chunks(SPANS) {
            bytes.clear();
            let written = writer.write(spans, &processes, &mut bytes);
            written.map_err(|error| QueryError::Invalid(format!("{} cannot tell it: {error}", format.name())))?;
            out.write_all(&bytes)?;
        }
        written += spans.len() as u64;
        Ok(())
    };
    let visited = timeline.visit_spans_whole(|spans| match write(spans) {
        Ok(()) => ControlFlow::Continue(()),
        Err(end) => {
            failure = Some(end);
            ControlFlow::Break(())
        }
    });
    if visited?.is_break() {
        return Err(failure.unwrap_or(End::Abandoned));
    }
    bytes.clear();
    writer.finish(&mut bytes);
    out.write_all(&bytes)?;
    out.flush()?;
    Ok(written)
}

/// A process of which only a span tells.
fn named_by(span: &Span) -> TraceProcess {
    let name = ("service.name".to_owned(), Value::String(span.service_name.clone()));
    TraceProcess {
        process_id: span.process_id,
        service_name: span.service_name.clone(),
        resource: Attributes(vec![name]),
    }
}

/// Spans whose bytes are held at once.
const SPANS: usize = 512;
