//! What a start finds: who this writer is, and the rows in the log that are not in files yet.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use glasshouse_model::Clock;
use glasshouse_tables::ports::Decoder;
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::LakeError;
use crate::admission::Budget;
use crate::health::Counters;
use crate::hot::Generation;
use crate::view::View;
use crate::wal::{
    RecentRequests, RecordHeader, Segment, keep_undecodable, list_segments, read_segment, release, set_aside,
};

const WRITER_ID: &str = "writer_id";

/// This data folder's name in the catalog: made once, kept in `data_dir/writer_id`.
pub(crate) fn writer_id(data_dir: &Path) -> Result<Uuid, LakeError> {
    if let Some(known) = known_writer(data_dir)? {
        return Ok(known);
    }
    let id = Uuid::new_v4();
    write_id(data_dir, WRITER_ID, id)?;
    Ok(id)
}

/// Keeps an id in a file of the data folder.
pub(crate) fn write_id(data_dir: &Path, name: &str, id: Uuid) -> Result<(), LakeError> {
    let path = data_dir.join(name);
    let temporary = path.with_added_extension("new");
    std::fs::write(&temporary, format!("{id}\n"))
        .and_then(|()| File::open(&temporary)?.sync_all())
        .and_then(|()| std::fs::rename(&temporary, &path))
        .and_then(|()| File::open(data_dir)?.sync_all())
        .map_err(|source| LakeError::Folder { path, source })
}

/// The name that a data folder has already.
pub(crate) fn known_writer(data_dir: &Path) -> Result<Option<Uuid>, LakeError> {
    known_id(data_dir, WRITER_ID)
}

/// An id that a file of the data folder keeps.
pub(crate) fn known_id(data_dir: &Path, name: &str) -> Result<Option<Uuid>, LakeError> {
    let path = data_dir.join(name);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(LakeError::Folder { path, source }),
    };
    let id = Uuid::try_parse(text.trim())
        .map_err(|error| LakeError::Folder { path, source: io::Error::new(io::ErrorKind::InvalidData, error) })?;
    Ok(Some(id))
}

/// Reads the log back.
pub(crate) struct Replay {
    pub wal_dir: PathBuf,
    /// Rows of records up to here are in files.
    pub watermark: u64,
    pub decoder: Arc<dyn Decoder>,
    pub budget: Arc<Budget>,
    pub generation_bytes: usize,
    pub view: Arc<View>,
    pub recent: Arc<Mutex<RecentRequests>>,
    pub counters: Arc<Counters>,
    pub clock: Arc<dyn Clock>,
    /// Where waiting for memory happens: a flush may have to end first.
    pub runtime: Handle,
}

/// Where the log goes on.
pub(crate) struct Replayed {
    /// Rows that are in memory again.
    pub generation: Generation,
    /// The sequence of the next record.
    pub next_sequence: u64,
}

impl Replay {
    /// Brings back the rows above the watermark, and the memory of recent requests. Blocks.
    pub(crate) fn run(self) -> Result<Replayed, LakeError> {
        if !self.recent.lock().expect("nothing else has it yet").load(&self.wal_dir)? {
            tracing::warn!("the list of recent requests is damaged: requests sent again may be kept twice");
        }
        let mut generation = Generation::default();
        let mut last_sequence = self.watermark;
        let mut obsolete = Vec::new();
        let mut replayed = 0;
        for found in list_segments(&self.wal_dir)? {
            let mut last_of_segment = None;
            let damages = read_segment(&found, |header, body| {
                last_of_segment = Some(header.sequence);
                self.recent.lock().expect("nothing else has it yet").insert(header.hash, header.received);
                if header.sequence > self.watermark {
                    replayed += 1;
                    self.bring_back(&header, body, &mut generation)?;
                }
                Ok::<_, LakeError>(())
            })?;
            for damage in damages {
                self.counters.wal_damages.add(1);
                if let Some(aside) = set_aside(&damage)? {
                    tracing::warn!("{damage}; kept in {}", aside.display());
                } else {
                    tracing::info!("{damage}");
                }
            }
            last_sequence = last_sequence.max(last_of_segment.unwrap_or(0));
            let segment = Segment { path: found.path, last_sequence: last_of_segment.unwrap_or(0) };
            if segment.last_sequence > self.watermark {
                generation.add_segment(segment);
            } else {
                obsolete.push(segment);
            }
        }
        let encoded = {
            let mut recent = self.recent.lock().expect("nothing else has it yet");
            recent.expire(self.clock.now());
            recent.encode()
        };
        if !obsolete.is_empty()
            && let Err(error) = release(&self.wal_dir, &encoded, &mut obsolete)
        {
            // Their rows are in files, so they only take room: the next start tries again.
            tracing::warn!("segments that are not needed any more: {error}");
        }
        if replayed > 0 {
            tracing::info!(records = replayed, "brought back what was not in files yet");
        }
        self.view.show_active(&generation, self.clock.now());
        Ok(Replayed { generation, next_sequence: last_sequence + 1 })
    }

    fn bring_back(&self, header: &RecordHeader, body: &[u8], generation: &mut Generation) -> Result<(), LakeError> {
        let decoded = match self.decoder.decode(header.format, body, header.received) {
            Ok(decoded) => decoded,
            Err(error) => {
                let kept = keep_undecodable(&self.wal_dir, header, body)?;
                self.counters.wal_damages.add(1);
                tracing::error!(
                    "record {} does not decode any more: {error}; kept in {}",
                    header.sequence,
                    kept.display()
                );
                return Ok(());
            }
        };
        let bytes = decoded.batches.memory();
        // Memory that the generation itself holds comes back only when it is flushed.
        let is_in_the_way = generation.bytes() > 0 && !self.budget.has_room(bytes);
        if generation.bytes() >= self.generation_bytes || is_in_the_way {
            self.view.freeze(std::mem::take(generation).freeze());
        }
        generation.hold(self.runtime.block_on(self.budget.wait(bytes)));
        generation.reach(header.sequence);
        generation.push(vec![Arc::new(decoded.batches)], header.received);
        Ok(())
    }
}
