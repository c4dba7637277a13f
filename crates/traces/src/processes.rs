//! The latest state of processes.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{BinaryArray, FixedSizeBinaryArray, PrimitiveArray, StringArray};
use arrow::datatypes::TimestampNanosecondType;
use arrow::record_batch::RecordBatch;
use glasshouse_files::{FileCache, RowRanges};
use glasshouse_model::{AttributeFilter, ProcessId, TimeRange, TraceProcess};
use glasshouse_tables::attributes;
use glasshouse_tables::{Snapshot, Table};

use crate::cells;
use crate::error::Failure;
use crate::spans::texts;

const COLUMNS: &[&str] = &["process_id", "service_name", "last_update_time", "resource", "ingest_time"];

/// Answers questions about processes; keeps what it read from files, which never change.
#[derive(Debug, Default)]
pub(crate) struct Processes {
    files: Mutex<HashMap<String, Arc<Latest>>>,
}

/// The latest row of each process in one file or batch.
#[derive(Debug)]
struct Latest {
    batch: RecordBatch,
    /// When the row was the state, and which it is.
    rows: HashMap<ProcessId, (Moment, usize)>,
}

/// Which of two states is later.
type Moment = (i64, i64);

struct ProcessColumns<'a> {
    process_id: &'a FixedSizeBinaryArray,
    service_name: &'a StringArray,
    last_update_time: &'a PrimitiveArray<TimestampNanosecondType>,
    resource: &'a BinaryArray,
    ingest_time: &'a PrimitiveArray<TimestampNanosecondType>,
}

impl<'a> ProcessColumns<'a> {
    fn new(batch: &'a RecordBatch) -> Result<Self, Failure> {
        Ok(Self {
            process_id: cells::ids(cells::column(batch, "process_id")?)?,
            service_name: texts(batch, "service_name")?,
            last_update_time: cells::times(cells::column(batch, "last_update_time")?)?,
            resource: cells::bytes(cells::column(batch, "resource")?)?,
            ingest_time: cells::times(cells::column(batch, "ingest_time")?)?,
        })
    }

    fn moment(&self, row: usize) -> Moment {
        (self.last_update_time.value(row), self.ingest_time.value(row))
    }
}

impl Latest {
    /// The latest rows of a batch; of the wanted processes only, unless `None`.
    fn of(batch: RecordBatch, wanted: Option<&HashSet<ProcessId>>) -> Result<Self, Failure> {
        let columns = ProcessColumns::new(&batch)?;
        let mut rows: HashMap<ProcessId, (Moment, usize)> = HashMap::new();
        for row in 0..batch.num_rows() {
            let Some(id) = ProcessId::from_slice(columns.process_id.value(row)) else { continue };
            if wanted.is_none_or(|wanted| wanted.contains(&id)) {
                let new = (columns.moment(row), row);
                rows.entry(id).and_modify(|known| *known = new.max(*known)).or_insert(new);
            }
        }
        Ok(Self { batch, rows })
    }
}

impl Processes {
    /// Rows kept in memory; beyond it, files are read again each time.
    const MAX_ROWS: usize = 200_000;

    /// The processes of these ids, as far as they are known.
    pub fn find(
        &self,
        snapshot: &Snapshot,
        files: &FileCache,
        ids: &[ProcessId],
    ) -> Result<Vec<TraceProcess>, Failure> {
        let wanted: HashSet<ProcessId> = ids.iter().copied().collect();
        let latest = self.latest(snapshot, files, Some(&wanted))?;
        latest.iter().map(|(id, latest, row)| process(*id, latest, *row)).collect()
    }

    /// Processes whose resource has an attribute.
    pub fn with(
        &self,
        snapshot: &Snapshot,
        files: &FileCache,
        wanted: &AttributeFilter,
    ) -> Result<HashSet<ProcessId>, Failure> {
        let mut found = HashSet::new();
        for (id, latest, row) in self.latest(snapshot, files, None)? {
            let resource = ProcessColumns::new(&latest.batch)?.resource;
            let value = attributes::get(resource.value(row), &wanted.key).and_then(attributes::ValueRef::to_text);
            if value.as_deref() == Some(wanted.value.as_str()) {
                found.insert(id);
            }
        }
        Ok(found)
    }

    /// The latest row of each wanted process; of every process when `None`.
    fn latest(
        &self,
        snapshot: &Snapshot,
        files: &FileCache,
        wanted: Option<&HashSet<ProcessId>>,
    ) -> Result<Vec<(ProcessId, Arc<Latest>, usize)>, Failure> {
        let mut parts = self.of_files(snapshot, files)?;
        for batch in snapshot.hot_batches(Table::Processes) {
            parts.push(Arc::new(Latest::of(batch.clone(), wanted)?));
        }
        let mut latest: HashMap<ProcessId, (Moment, usize, usize)> = HashMap::new();
        for (part, Latest { rows, .. }) in parts.iter().map(Arc::as_ref).enumerate() {
            let mut note = |id: ProcessId, (moment, row): (Moment, usize)| {
                let new = (moment, part, row);
                latest.entry(id).and_modify(|known| *known = new.max(*known)).or_insert(new);
            };
            if let Some(wanted) = wanted {
                for (id, row) in wanted.iter().filter_map(|id| rows.get_key_value(id)) {
                    note(*id, *row);
                }
            } else {
                for (id, row) in rows {
                    note(*id, *row);
                }
            }
        }
        Ok(latest.into_iter().map(|(id, (_, part, row))| (id, Arc::clone(&parts[part]), row)).collect())
    }

    fn of_files(&self, snapshot: &Snapshot, files: &FileCache) -> Result<Vec<Arc<Latest>>, Failure> {
        let known = self.lock().clone();
        let mut parts = HashMap::new();
        for file in snapshot.files(Table::Processes, TimeRange::ALL) {
            let part = if let Some(part) = known.get(&file.path) {
                Arc::clone(part)
            } else {
                let reader = files.open(file)?;
                Arc::new(Latest::of(reader.read(COLUMNS, &RowRanges::all(reader.rows()))?, None)?)
            };
            parts.insert(file.path.clone(), part);
        }
        let answer = parts.values().cloned().collect();
        let rows: usize = parts.values().map(|part| part.batch.num_rows()).sum();
        *self.lock() = if rows <= Self::MAX_ROWS { parts } else { HashMap::new() };
        Ok(answer)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Latest>>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn process(id: ProcessId, latest: &Latest, row: usize) -> Result<TraceProcess, Failure> {
    let columns = ProcessColumns::new(&latest.batch)?;
    Ok(TraceProcess {
        process_id: id,
        service_name: columns.service_name.value(row).to_owned(),
        resource: attributes::to_model(columns.resource.value(row)),
    })
}
