use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use glasshouse_tables::{DataFile, Table};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use super::adapt::Adapter;
use super::duplicates::Place;
use crate::sort::SortKeys;
use crate::store::read_at;
use crate::{FileCache, FileColumns, FilesError};

/// Rows decoded of all inputs together, shared among them within bounds.
const DECODED_ROWS: usize = 48 << 10;
const MIN_DECODED_ROWS: usize = 1 << 10;
const MAX_DECODED_ROWS: usize = 8 << 10;

/// A decoded batch, of the output's schema.
#[derive(Debug)]
pub(super) struct Slot {
    pub batch: RecordBatch,
    pub keys: SortKeys,
}

/// Rows of one slot that follow each other in the merged order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub slot: usize,
    pub start: usize,
    pub end: usize,
}

/// The files to merge, each with the batch that it is at.
pub(super) struct Inputs {
    inputs: Vec<Input>,
    /// The batches that the inputs are at, and earlier ones whose rows wait for being written.
    pub slots: Vec<Slot>,
}

struct Input {
    path: String,
    table: Table,
    reader: ParquetRecordBatchReader,
    adapter: Adapter,
    /// Slot and row that come next; `None` at the end.
    next: Option<(usize, usize)>,
}

impl Inputs {
    pub fn open(cache: &FileCache, files: &[Arc<DataFile>], columns: &FileColumns) -> Result<Self, FilesError> {
        let rows = (DECODED_ROWS / files.len()).clamp(MIN_DECODED_ROWS, MAX_DECODED_ROWS);
        let mut inputs = Self { inputs: Vec::with_capacity(files.len()), slots: Vec::new() };
        for file in files {
            let footer = cache.open(file)?;
            let chunks = FileChunks { file: Arc::new(cache.store().open_file(&file.path)?), bytes: file.bytes };
            let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(chunks, footer.arrow_metadata().clone())
                .with_batch_size(rows)
                .build()
                .map_err(|error| FilesError::damaged(&file.path, error))?;
            let adapter = Adapter::new(footer.columns(), columns);
            let mut input = Input { path: file.path.clone(), table: file.table, reader, adapter, next: None };
            input.advance(&mut inputs.slots)?;
            inputs.inputs.push(input);
        }
        Ok(inputs)
    }

    /// The rows that come next in the order of all inputs; of equal rows, the earlier input's come first.
    pub fn next_run(&mut self) -> Result<Option<Run>, FilesError> {
        let Some(first) = self.least(None) else { return Ok(None) };
        let second = self.least(Some(first)).and_then(|second| Some((second, self.inputs[second].next?)));
        let Some((slot, start)) = self.inputs[first].next else { return Ok(None) };
        let keys = &self.slots[slot].keys;
        let mut end = start + 1;
        match second {
            None => end = keys.len(),
            Some((second, (other, row))) => {
                let bound = &self.slots[other].keys;
                let wins = if first < second { Ordering::is_le } else { Ordering::is_lt };
                while end < keys.len() && wins(keys.compare(end, bound, row)) {
                    end += 1;
                }
            }
        }
        if end < keys.len() {
            self.inputs[first].next = Some((slot, end));
        } else {
            self.inputs[first].advance(&mut self.slots)?;
        }
        Ok(Some(Run { slot, start, end }))
    }

    /// The input whose next row is the least, `but` not this one.
    fn least(&self, but: Option<usize>) -> Option<usize> {
        let mut least: Option<(usize, (usize, usize))> = None;
        for (i, input) in self.inputs.iter().enumerate() {
            let Some((slot, row)) = input.next.filter(|_| Some(i) != but) else { continue };
            let is_less = least.is_none_or(|(_, (other, other_row))| {
                self.slots[slot].keys.compare(row, &self.slots[other].keys, other_row).is_lt()
            });
            if is_less {
                least = Some((i, (slot, row)));
            }
        }
        least.map(|(i, _)| i)
    }

    /// Forgets the slots that no input is at and no waiting row is in. Slots are numbered anew: here, in the
    /// inputs, and in `waiting`; nobody else may hold a number.
    pub fn forget_done(&mut self, waiting: &mut [Place]) {
        let mut numbers: Vec<Option<usize>> = vec![None; self.slots.len()];
        let mut kept = 0;
        let held = self.inputs.iter_mut().filter_map(|input| input.next.as_mut()).chain(waiting);
        for (slot, _) in held {
            let number = numbers[*slot].get_or_insert_with(|| {
                kept += 1;
                kept - 1
            });
            *slot = *number;
        }
        let mut slots: Vec<_> =
            std::mem::take(&mut self.slots).into_iter().zip(numbers).filter_map(|(slot, n)| Some((n?, slot))).collect();
        slots.sort_unstable_by_key(|(number, _)| *number);
        self.slots = slots.into_iter().map(|(_, slot)| slot).collect();
    }
}

impl Input {
    /// Goes to the first row of the next batch.
    fn advance(&mut self, slots: &mut Vec<Slot>) -> Result<(), FilesError> {
        self.next = None;
        for batch in &mut self.reader {
            let batch = batch.and_then(|batch| self.adapter.adapt(&batch));
            let batch = batch.map_err(|error| FilesError::damaged(&self.path, error))?;
            if batch.num_rows() > 0 {
                slots.push(Slot { keys: SortKeys::of(self.table, &batch), batch });
                self.next = Some((slots.len() - 1, 0));
                break;
            }
        }
        Ok(())
    }
}

/// A file that is read from its beginning to its end, page by page.
struct FileChunks {
    file: Arc<File>,
    bytes: u64,
}

impl Length for FileChunks {
    fn len(&self) -> u64 {
        self.bytes
    }
}

impl ChunkReader for FileChunks {
    type T = BufReader<FileFrom>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(BufReader::new(FileFrom { file: Arc::clone(&self.file), position: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        Ok(read_at(&self.file, &(start..start + length as u64))?)
    }
}

/// Reads a file from a position of its own.
struct FileFrom {
    file: Arc<File>,
    position: u64,
}

impl Read for FileFrom {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}
