//! How many rows there are, without visiting them.

use std::ops::ControlFlow;

use arrow::array::Array;
use glasshouse_model::{Kinds, Survey, SurveyProgress, Timestamp};
use glasshouse_tables::Table;
use glasshouse_tables::ports::QueryError;

use super::Timeline;
use super::place::{Place, Times};
use crate::cells;
use crate::error::Failure;

impl Timeline {
    /// Counts the rows: those of spans that were sent more than once as often as they were kept. `None` when `progress`
    /// broke it off.
    pub fn survey(
        &self,
        mut progress: impl FnMut(SurveyProgress, &Survey) -> ControlFlow<()>,
    ) -> Result<Option<Survey>, QueryError> {
        Ok(self.try_survey(&mut progress)?)
    }

    fn try_survey(
        &self,
        progress: &mut impl FnMut(SurveyProgress, &Survey) -> ControlFlow<()>,
    ) -> Result<Option<Survey>, Failure> {
        let mut survey = Survey::default();
        let tables: Vec<Table> = Table::ALL.into_iter().filter(|table| self.has(*table)).collect();
        let range = |table| {
            let mut range = self.request.range;
            if self.times(table).with_crossing {
                range.from = Timestamp::MIN;
            }
            range
        };
        let files = |table| self.snapshot.files(table, range(table));
        let batches = |table| self.snapshot.hot_batches(table);
        let total = tables.iter().map(|table| files(*table).count() + batches(*table).count()).sum::<usize>() as u64;
        let mut done = 0;
        for table in tables {
            let times = self.times(table);
            for batch in batches(table) {
                done += 1;
                self.count(table, times, &Place::hot(table, batch.clone()), &mut survey)?;
            }
            for file in files(table) {
                if progress(SurveyProgress { done, total }, &survey).is_break() {
                    return Ok(None);
                }
                done += 1;
                let reader = self.files.open(file)?;
                for place in Place::of_file(table, &self.files, &reader, self.request.subject, times)? {
                    self.count(table, times, &place, &mut survey)?;
                }
            }
        }
        Ok(progress(SurveyProgress { done, total }, &survey).is_continue().then_some(survey))
    }

    fn has(&self, table: Table) -> bool {
        let Kinds { logs, metrics, .. } = self.request.kinds;
        match table {
            Table::Processes => false,
            Table::Spans | Table::SpanEvents | Table::SpanLinks => self.request.kinds.has_spans(),
            Table::Logs => logs,
            Table::Metrics => metrics && !self.is_of_trace(),
        }
    }

    fn count(&self, table: Table, times: Times, place: &Place, survey: &mut Survey) -> Result<(), Failure> {
        self.stop.check()?;
        let keys = place.keys(self.request.subject, times, &self.snapshot, &self.files)?;
        let (Some(first), Some(last)) = (keys.first(), keys.last()) else { return Ok(()) };
        let (mut first, mut latest) = (first.time, last.time);
        let rows = keys.len() as u64;
        match table {
            Table::Spans => {
                let mut rows: Vec<u32> = keys.iter().map(|key| key.row).collect();
                rows.sort_unstable();
                let batch = place.read(&["thread_id", "start_time", "end_time"], &rows)?;
                let thread = batch.column(0);
                let (start, end) = (cells::times(batch.column(1))?, cells::times(batch.column(2))?);
                (first, latest) = (i64::MAX, i64::MIN);
                let Kinds { thread: threads, asynchronous, .. } = self.request.kinds;
                let is_chosen = |row: &usize| if thread.is_valid(*row) { threads } else { asynchronous };
                for row in (0..batch.num_rows()).filter(is_chosen) {
                    let count = if thread.is_valid(row) { &mut survey.thread_spans } else { &mut survey.async_spans };
                    *count += 1;
                    let start = start.value(row).max(times.from);
                    (first, latest) = (first.min(start), latest.max(start));
                    match cells::value(end, row) {
                        Some(end) => latest = latest.max(end.min(times.to)),
                        None => survey.open_spans += 1,
                    }
                }
            }
            Table::SpanEvents => survey.events += rows,
            Table::SpanLinks => {
                // They are where their spans start.
                survey.links += rows;
                return Ok(());
            }
            Table::Logs => survey.logs += rows,
            Table::Metrics => survey.points += rows,
            Table::Processes => {}
        }
        if first > latest {
            return Ok(());
        }
        let (first, latest) = (Timestamp::from_nanos(first), Timestamp::from_nanos(latest));
        let (from, to) = survey.range.unwrap_or((first, latest));
        survey.range = Some((from.min(first), to.max(latest)));
        Ok(())
    }
}
