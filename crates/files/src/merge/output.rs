use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, TimestampNanosecondArray};
use arrow::datatypes::TimestampNanosecondType;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use glasshouse_model::Timestamp;
use glasshouse_tables::Table;

use super::Merged;
use super::duplicates::{Duplicates, Place};
use super::input::{Inputs, Run, Slot};
use crate::encode::FileEncoder;
use crate::gather::{Places, gather};
use crate::layout::BATCH_ROWS;
use crate::{FileColumns, FilesError, Store, WriteOptions};

/// A group longer than this is looked through in parts, so that one giant trace does not fill the memory.
const MAX_GROUP: usize = 64 << 10;

/// Gathers rows in merged order, removes duplicates and encodes the rest.
pub(super) struct Output<'a> {
    store: &'a Store,
    columns: &'a FileColumns,
    options: &'a WriteOptions,
    times: (Timestamp, Timestamp),
    /// The columns that hold one value in all rows of the inputs, or none.
    constant: Vec<bool>,
    duplicates: Option<Duplicates>,
    /// Rows equal in window and keys, which may be duplicates of those to come.
    group: Vec<Place>,
    /// Rows to encode next.
    ready: Vec<Place>,
    /// For `processes`: earliest `first_seen` and `start_time` of each row in `ready`.
    earliest: Vec<[Option<i64>; 2]>,
    encoder: Option<FileEncoder<'a>>,
    merged: Merged,
}

impl<'a> Output<'a> {
    pub fn new(
        store: &'a Store,
        columns: &'a FileColumns,
        options: &'a WriteOptions,
        times: (Timestamp, Timestamp),
        constant: Vec<bool>,
    ) -> Self {
        Self {
            store,
            columns,
            options,
            times,
            constant,
            duplicates: Duplicates::of(columns.table()),
            group: Vec::new(),
            ready: Vec::new(),
            earliest: Vec::new(),
            encoder: None,
            merged: Merged { files: Vec::new(), dropped: 0 },
        }
    }

    pub fn push_run(&mut self, run: &Run, inputs: &mut Inputs) -> Result<(), FilesError> {
        if self.duplicates.is_none() {
            self.ready.extend((run.start..run.end).map(|row| (run.slot, row)));
        } else {
            for row in run.start..run.end {
                let slots = &inputs.slots;
                let continues = self.group.last().is_some_and(|&(slot, last)| {
                    slots[run.slot].keys.compare_group(row, &slots[slot].keys, last).is_eq()
                });
                if !continues || self.group.len() >= MAX_GROUP {
                    self.close_group(slots);
                }
                self.group.push((run.slot, row));
            }
        }
        if self.ready.len() >= BATCH_ROWS {
            self.encode(inputs)?;
        }
        Ok(())
    }

    pub fn finish(mut self, inputs: &mut Inputs) -> Result<Merged, FilesError> {
        self.close_group(&inputs.slots);
        self.encode(inputs)?;
        if let Some(encoder) = self.encoder.take() {
            self.merged.files.push(encoder.finish()?);
        }
        Ok(self.merged)
    }

    fn close_group(&mut self, slots: &[Slot]) {
        let Some(duplicates) = &mut self.duplicates else { return };
        let rows = self.group.len();
        if self.columns.table() == Table::Processes && rows > 0 {
            self.earliest.push(["first_seen", "start_time"].map(|name| earliest(name, &self.group, slots)));
        }
        duplicates.remove(&mut self.group, slots);
        self.merged.dropped += (rows - self.group.len()) as u64;
        self.ready.append(&mut self.group);
    }

    fn encode(&mut self, inputs: &mut Inputs) -> Result<(), FilesError> {
        for start in (0..self.ready.len()).step_by(BATCH_ROWS) {
            let rows = start..self.ready.len().min(start + BATCH_ROWS);
            let batch = self.batch(rows.clone(), &inputs.slots).map_err(|source| FilesError::Encode {
                path: format!("merged rows of {}", self.columns.table().name()),
                source: source.into(),
            })?;
            if let Some(full) = self.encoder.take_if(|encoder| encoder.room() < rows.len()) {
                self.merged.files.push(full.finish()?);
            }
            let encoder = match &mut self.encoder {
                Some(encoder) => encoder,
                None => self.encoder.insert(FileEncoder::begin(
                    self.store,
                    self.columns,
                    self.options,
                    self.times,
                    &batch,
                    Some(&self.constant),
                )?),
            };
            encoder.write(&batch)?;
        }
        self.ready.clear();
        self.earliest.clear();
        inputs.forget_done(&mut self.group);
        Ok(())
    }

    fn batch(&self, rows: std::ops::Range<usize>, slots: &[Slot]) -> Result<RecordBatch, ArrowError> {
        let places: Places = self.ready[rows.clone()].iter().copied().collect();
        let schema = self.columns.schema();
        let mut columns = Vec::with_capacity(schema.fields().len());
        for i in 0..schema.fields().len() {
            let parts: Vec<&dyn Array> = slots.iter().map(|slot| slot.batch.column(i).as_ref()).collect();
            columns.push(gather(&parts, &places)?);
        }
        if self.columns.table() == Table::Processes {
            for (n, name) in ["first_seen", "start_time"].into_iter().enumerate() {
                let times: TimestampNanosecondArray = self.earliest[rows.clone()].iter().map(|row| row[n]).collect();
                columns[schema.index_of(name)?] = Arc::new(times) as ArrayRef;
            }
        }
        RecordBatch::try_new(Arc::clone(schema), columns)
    }
}

fn earliest(name: &str, group: &[Place], slots: &[Slot]) -> Option<i64> {
    let column = Table::Processes.index_of(name).expect("the column is declared");
    let times = group.iter().filter_map(|&(slot, row)| {
        let times = slots[slot].batch.column(column).as_primitive::<TimestampNanosecondType>();
        times.is_valid(row).then(|| times.value(row))
    });
    times.min()
}
