//! Whole spans in order of their start.

use std::collections::HashSet;
use std::ops::ControlFlow;

use glasshouse_model::{Span, TimeRange, Timestamp};
use glasshouse_tables::Table;
use glasshouse_tables::ports::QueryError;

use super::Timeline;
use super::cursor::{Cursor, Reading};
use super::place::each_of_spans;
use crate::error::Failure;
use crate::spans;
use crate::trace::{Details, EVENTS, LINKS};

/// Spans that are put together at once.
const SPANS: usize = 4 << 10;

impl Timeline {
    /// Visits the spans in order of their start, some at once, each once (of rows of a span that tell the same start) and
    /// with all its events and links, wherever those are in time. A break ends the visit; gives whether it went to the end.
    pub fn visit_spans_whole(
        &self,
        visit: impl FnMut(&[Span]) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, QueryError> {
        Ok(self.try_visit_whole(visit)?)
    }

    fn try_visit_whole(&self, mut visit: impl FnMut(&[Span]) -> ControlFlow<()>) -> Result<ControlFlow<()>, Failure> {
        let (subject, kinds) = (self.request.subject, self.request.kinds);
        let (times, stop) = (self.times(Table::Spans), self.stop.clone());
        let reading =
            Reading { subject, times, first_rows: self.first_rows, most_rows: Some(SPANS), is_divided: false, stop };
        let mut cursor = Cursor::new(&self.snapshot, &self.files, Table::Spans, spans::WHOLE, reading);
        // Rows of a span tell the same start, and rows of the same start come in the same slice.
        while let Some(slice) = cursor.next_slice()? {
            let mut spans = spans::load_whole(&slice.batches)?;
            spans.retain(|span| if span.thread_id.is_some() { kinds.thread } else { kinds.asynchronous });
            for spans in spans.chunks_mut(SPANS) {
                self.stop.check()?;
                self.complete(spans)?;
                if visit(spans).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Adds the spans' events and links.
    fn complete(&self, spans: &mut [Span]) -> Result<(), Failure> {
        let keys: HashSet<_> = spans.iter().map(|span| (span.trace_id, span.span_id)).collect();
        let mut details = Details::default();
        let (snapshot, files) = (&self.snapshot, &self.files);
        each_of_spans(snapshot, files, Table::SpanEvents, TimeRange::ALL, &keys, EVENTS, |batch| {
            self.stop.check()?;
            details.add_events(batch)
        })?;
        // Links are kept with the start of their span.
        let behind = |last: &Span| Timestamp::from_nanos(last.start_time.nanos().saturating_add(1));
        let range = TimeRange {
            from: spans.first().map_or(Timestamp::MIN, |first| first.start_time),
            to: spans.last().map_or(Timestamp::MAX, behind),
        };
        each_of_spans(snapshot, files, Table::SpanLinks, range, &keys, LINKS, |batch| {
            self.stop.check()?;
            details.add_links(batch)
        })?;
        details.hand_out(spans);
        Ok(())
    }
}
