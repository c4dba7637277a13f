//! A strict check of a trace: what trace processor would repair or drop without a word is an error here.

use std::collections::{BTreeMap, HashMap, HashSet};

use prost::Message as _;
use prost::encoding::{decode_key, decode_varint};

use crate::message::{AnnotationValue, DebugAnnotation, EventName, InternedData, TracePacket, TrackEvent};

/// Errors that are told one by one; more are only counted.
const MAX_TOLD: usize = 20;
/// Most bytes of a packet.
const MAX_PACKET: u64 = 8 << 20;
/// Tracks, sequences and interned entries that a trace may have.
const MAX_ENTRIES: usize = 4 << 20;
/// Beginnings of arrows that are remembered; of a trace with more, arrows are not checked beyond.
const MAX_FLOWS: usize = 8 << 20;

/// What is in a trace, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validation {
    /// Packets.
    pub packets: u64,
    /// Tracks that were described.
    pub tracks: u64,
    /// Beginnings of slices.
    pub slices: u64,
    /// Slices that never end.
    pub open_slices: u64,
    /// Points.
    pub instants: u64,
    /// Values of counters.
    pub counters: u64,
    /// Arrows that were drawn.
    pub flows: u64,
    /// Arrows that were not checked, because there were too many.
    pub flows_unchecked: u64,
    /// What is wrong, the first of it.
    pub errors: Vec<String>,
    /// How much is wrong.
    pub error_count: u64,
}

/// Why bytes are not a trace at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a Perfetto trace: {what} at byte {offset}")]
pub struct ValidationError {
    /// What was met.
    pub what: String,
    /// Where.
    pub offset: usize,
}

/// Reads a whole trace.
pub fn validate(trace: &[u8]) -> Result<Validation, ValidationError> {
    let mut validator = Validator::default();
    validator.push(trace)?;
    validator.finish()
}

/// Reads a trace piece by piece. It keeps no more than a packet, and what later packets may refer to.
#[derive(Debug, Default)]
pub struct Validator {
    /// The beginning of a packet whose end did not come yet.
    begun: Vec<u8>,
    /// Where that packet begins.
    offset: usize,
    checker: Checker,
}

impl Validator {
    /// Reads on.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), ValidationError> {
        if self.begun.is_empty() {
            let read = self.read(bytes)?;
            self.begun.extend_from_slice(&bytes[read..]);
        } else {
            let mut begun = std::mem::take(&mut self.begun);
            begun.extend_from_slice(bytes);
            let read = self.read(&begun)?;
            begun.drain(..read);
            self.begun = begun;
        }
        Ok(())
    }

    /// The trace has come to its end.
    pub fn finish(self) -> Result<Validation, ValidationError> {
        if self.begun.is_empty() {
            return Ok(self.checker.end());
        }
        let what = format!("a packet of which only {} bytes are there", self.begun.len());
        Err(ValidationError { what, offset: self.offset })
    }

    /// Reads the whole packets at the beginning of `bytes`; gives how many bytes they are.
    fn read(&mut self, bytes: &[u8]) -> Result<usize, ValidationError> {
        let mut rest = bytes;
        loop {
            let read = bytes.len() - rest.len();
            let offset = self.offset;
            let wrong = |what: String| ValidationError { what, offset };
            match rest.first() {
                // The key of a packet: field 1, its length follows.
                Some(0x0a) => {}
                Some(_) => {
                    let what = match decode_key(&mut rest) {
                        Ok((field, _)) => format!("field {field} where a packet was expected"),
                        Err(error) => error.to_string(),
                    };
                    return Err(wrong(what));
                }
                None => return Ok(read),
            }
            let mut after = &rest[1..];
            let length = match decode_varint(&mut after) {
                Ok(length) => length,
                // A length has ten bytes at most.
                Err(_) if rest.len() <= 10 => return Ok(read),
                Err(error) => return Err(wrong(error.to_string())),
            };
            if length > MAX_PACKET {
                return Err(wrong(format!("a packet of {length} bytes; the most is {MAX_PACKET}")));
            }
            let Some((packet, after)) = after.split_at_checked(length as usize) else { return Ok(read) };
            let packet = TracePacket::decode(packet).map_err(|error| wrong(error.to_string()))?;
            self.checker.packet(&packet, offset);
            if self.checker.entries > MAX_ENTRIES {
                return Err(wrong(format!("more than {MAX_ENTRIES} tracks, sequences and interned names")));
            }
            self.offset += rest.len() - after.len();
            rest = after;
        }
    }
}

#[derive(Debug, Default)]
struct Checker {
    found: Validation,
    tracks: HashMap<u64, Track>,
    sequences: HashMap<u32, Sequence>,
    flows: HashSet<u64>,
    /// Tracks, sequences and interned entries so far.
    entries: usize,
}

#[derive(Debug)]
struct Track {
    is_counter: bool,
    open: u64,
    last: i64,
}

#[derive(Debug, Default)]
struct Sequence {
    is_begun: bool,
    clock: Option<u32>,
    /// What each of its clocks says; only those that count from packet to packet.
    clocks: BTreeMap<u32, i64>,
    categories: HashSet<u64>,
    names: HashSet<u64>,
    annotations: HashSet<u64>,
    texts: HashSet<u64>,
    locations: HashSet<u64>,
}

impl Sequence {
    /// How many entries are interned.
    fn interned(&self) -> usize {
        [&self.categories, &self.names, &self.annotations, &self.texts, &self.locations].map(HashSet::len).iter().sum()
    }
}

impl Checker {
    fn error(&mut self, offset: usize, what: &str) {
        self.found.error_count += 1;
        if self.found.errors.len() < MAX_TOLD {
            self.found.errors.push(format!("packet at byte {offset}: {what}"));
        }
    }

    fn packet(&mut self, packet: &TracePacket, offset: usize) {
        self.found.packets += 1;
        let id = packet.trusted_packet_sequence_id.unwrap_or_default();
        let mut sequence = self.sequences.remove(&id).unwrap_or_else(|| {
            self.entries += 1;
            Sequence::default()
        });
        let flags = packet.sequence_flags.unwrap_or_default();
        if flags & 1 != 0 {
            self.entries -= sequence.interned();
            sequence = Sequence { is_begun: true, clocks: std::mem::take(&mut sequence.clocks), ..Sequence::default() };
        }
        if flags & 2 != 0 && !sequence.is_begun {
            self.error(offset, "needs incremental state that was never begun");
        }
        if let Some(defaults) = &packet.trace_packet_defaults {
            sequence.clock = defaults.timestamp_clock_id;
        }
        for clock in packet.clock_snapshot.iter().flat_map(|snapshot| &snapshot.clocks) {
            if let (Some(id), Some(time), Some(true)) = (clock.clock_id, clock.timestamp, clock.is_incremental) {
                sequence.clocks.insert(id, time as i64);
            }
        }
        if let Some(data) = &packet.interned_data {
            self.interned(data, &mut sequence, offset);
        }
        if let Some(track) = &packet.track_descriptor {
            self.found.tracks += 1;
            self.entries += 1;
            let uuid = track.uuid.unwrap_or_default();
            if let Some(parent) = track.parent_uuid
                && !self.tracks.contains_key(&parent)
            {
                self.error(offset, &format!("track {uuid} has the unknown parent {parent}"));
            }
            let described = Track { is_counter: track.counter.is_some(), open: 0, last: i64::MIN };
            if self.tracks.insert(uuid, described).is_some() {
                self.error(offset, &format!("track {uuid} is described twice"));
            }
        }
        if let Some(event) = &packet.track_event {
            match time_of(packet, &mut sequence) {
                Some(time) => self.event(event, time, &sequence, offset),
                None => self.error(offset, "an event without a time that can be known"),
            }
        }
        self.sequences.insert(id, sequence);
    }

    fn interned(&mut self, data: &InternedData, sequence: &mut Sequence, offset: usize) {
        let mut twice = Vec::new();
        let entries = &mut self.entries;
        let mut learn = |known: &mut HashSet<u64>, iid: Option<u64>, what: &str| {
            let iid = iid.unwrap_or_default();
            if iid != 0 && known.insert(iid) {
                *entries += 1;
            } else {
                twice.push(format!("{what} {iid} is interned twice, or is 0"));
            }
        };
        for entry in &data.event_categories {
            learn(&mut sequence.categories, entry.iid, "category");
        }
        for entry in &data.event_names {
            learn(&mut sequence.names, entry.iid, "name");
        }
        for entry in &data.debug_annotation_names {
            learn(&mut sequence.annotations, entry.iid, "annotation");
        }
        for entry in &data.debug_annotation_string_values {
            learn(&mut sequence.texts, entry.iid, "text");
        }
        for entry in &data.source_locations {
            learn(&mut sequence.locations, entry.iid, "source location");
        }
        for what in twice {
            self.error(offset, &what);
        }
    }

    fn event(&mut self, event: &TrackEvent, time: i64, sequence: &Sequence, offset: usize) {
        let mut unknown = Vec::new();
        let mut check = |known: &HashSet<u64>, iid: u64, what: &str| {
            if !known.contains(&iid) {
                unknown.push(format!("{what} {iid} is not interned"));
            }
        };
        event.category_iids.iter().for_each(|iid| check(&sequence.categories, *iid, "category"));
        if let Some(EventName::Interned(iid)) = event.name {
            check(&sequence.names, iid, "name");
        }
        if let Some(iid) = event.source_location_iid {
            check(&sequence.locations, iid, "source location");
        }
        for annotation in &event.debug_annotations {
            check_annotation(annotation, sequence, &mut check);
        }
        for what in unknown {
            self.error(offset, &what);
        }
        let uuid = event.track_uuid.unwrap_or_default();
        let Some(track) = self.tracks.get_mut(&uuid) else {
            return self.error(offset, &format!("an event on the unknown track {uuid}"));
        };
        let is_late = time < track.last;
        track.last = time;
        let (kind, is_counter) = (event.r#type.unwrap_or_default(), track.is_counter);
        let mut wrong = None;
        match kind {
            1 => {
                track.open += 1;
                self.found.slices += 1;
            }
            2 if track.open == 0 => wrong = Some("a slice ends that never began"),
            2 => track.open -= 1,
            3 => self.found.instants += 1,
            4 => self.found.counters += 1,
            _ => wrong = Some("an event of unknown type"),
        }
        if is_counter != (kind == 4) {
            wrong = Some("a counter's value on a track of slices, or a slice on a counter's");
        }
        if is_counter && event.counter_value.is_none() && event.double_counter_value.is_none() {
            wrong = Some("a counter without a value");
        }
        if let Some(what) = wrong {
            self.error(offset, &format!("{what} (track {uuid})"));
        }
        if is_late {
            self.error(offset, &format!("time goes back on track {uuid}"));
        }
        for flow in &event.flow_ids {
            if self.flows.len() < MAX_FLOWS && !self.flows.insert(*flow) {
                self.error(offset, &format!("flow {flow} begins twice"));
            }
        }
        if let Some(bind) = event.legacy_event.as_ref().and_then(|legacy| legacy.bind_id) {
            self.found.flows += 1;
            if self.flows.len() >= MAX_FLOWS {
                self.found.flows_unchecked += 1;
            } else if !self.flows.contains(&bind) {
                self.error(offset, &format!("flow {bind} ends before it began"));
            }
        }
    }

    fn end(mut self) -> Validation {
        self.found.open_slices = self.tracks.values().map(|track| track.open).sum();
        self.found
    }
}

/// When a packet's event happened; counts its sequence's clock on.
fn time_of(packet: &TracePacket, sequence: &mut Sequence) -> Option<i64> {
    let stamp = packet.timestamp? as i64;
    let clock = packet.timestamp_clock_id.or(sequence.clock);
    match clock.and_then(|clock| sequence.clocks.get_mut(&clock)) {
        Some(now) => {
            *now = now.checked_add(stamp)?;
            Some(*now)
        }
        // A clock of the sequence that no snapshot told of.
        None if clock.is_some_and(|clock| clock >= 64) => None,
        None => Some(stamp),
    }
}

fn check_annotation(
    annotation: &DebugAnnotation,
    sequence: &Sequence,
    check: &mut impl FnMut(&HashSet<u64>, u64, &str),
) {
    if let Some(iid) = annotation.name_iid {
        check(&sequence.annotations, iid, "annotation");
    }
    if let Some(AnnotationValue::InternedText(iid)) = annotation.value {
        check(&sequence.texts, iid, "text");
    }
    for nested in annotation.dict_entries.iter().chain(&annotation.array_values) {
        check_annotation(nested, sequence, check);
    }
}
