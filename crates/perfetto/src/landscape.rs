//! What events are on, as the reader is told of it: processes, threads, counters and the other tracks.

use std::collections::HashSet;

use foldhash::{HashMap, HashMapExt as _};
use glasshouse_tables::attributes::{self, ValueRef};

use crate::input::{MetricPoint, Process, ProcessIndex};
use crate::packets::Packets;
use crate::tracks::{Family, MAX_DEPTH, Placed, TrackIndex, Tracks};

const ORDER_EXPLICIT: u64 = 3;

/// Counters that a trace may have; points of more are left out and counted.
const MAX_COUNTERS: usize = 10_000;
/// Process ids of processes that have none or share theirs count down from here, …
const LAST_PID: i32 = i32::MAX;
/// … and thread ids from here: a thread with the number of its process would be the main one.
const LAST_TID: i32 = 1 << 30;

/// Threads that a process may have; spans of more go where those without a thread go.
pub(crate) const MAX_THREADS: usize = 10_000;

/// The uuid of every track, and what was told of it.
#[derive(Debug, Default)]
pub(crate) struct Landscape {
    last_uuid: u64,
    processes: Vec<ProcessTracks>,
    pids: Numbers,
    /// Those of the tracks of spans, by their index; 0 while a track has none.
    spans: Vec<u64>,
    counters: HashMap<u128, u64>,
}

#[derive(Debug)]
struct ProcessTracks {
    uuid: u64,
    pid: i32,
    spans: Family,
    threads: HashMap<i64, Thread>,
    tids: Numbers,
    logs: PointTracks,
    events: PointTracks,
}

/// Tracks for points in time. Those of the same time stand on top of each other, so a track takes only so many of them.
#[derive(Debug, Default)]
struct PointTracks {
    uuids: Vec<u64>,
    time: i64,
    points: usize,
}

#[derive(Debug)]
struct Thread {
    family: Family,
    uuid: u64,
    name: String,
}

/// Order among the tracks of a process.
#[derive(Debug, Clone, Copy)]
enum Rank {
    Logs = 1,
    Spans = 2,
    Events = 3,
    Counters = 4,
}

/// Tracks of a process for points in time.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SideTrack {
    /// Log records.
    Logs,
    /// Events of spans that are not on top of a track.
    Events,
}

impl Landscape {
    /// Announces a process.
    pub fn process(&mut self, process: &Process<'_>, tracks: &mut Tracks, packets: &mut Packets) -> ProcessIndex {
        let known = process.pid.and_then(|pid| i32::try_from(pid).ok()).filter(|pid| *pid > 0);
        let pid = self.pids.take(known, LAST_PID);
        let uuid = self.uuid();
        let pid_label = process.pid.filter(|shown| *shown != i64::from(pid)).map(|shown| format!("pid {shown}"));
        packets.descriptor(uuid, |track| {
            track.nested(3, |descriptor| {
                descriptor.int(1, pid.into());
                if let Some(command_line) = process.command_line {
                    descriptor.text(2, command_line);
                }
                descriptor.text(6, process.name);
                if let Some(start) = process.start_time {
                    descriptor.int(7, start);
                }
                for label in process.labels.iter().copied().chain(pid_label.as_deref()) {
                    descriptor.text(8, label);
                }
            });
            track.varint(11, ORDER_EXPLICIT);
        });
        self.processes.push(ProcessTracks {
            uuid,
            pid,
            spans: tracks.family_of_async(),
            threads: HashMap::new(),
            tids: Numbers::default(),
            logs: PointTracks::default(),
            events: PointTracks::default(),
        });
        ProcessIndex(self.processes.len() as u32 - 1)
    }

    /// The family of tracks for what a process does asynchronously.
    pub fn async_spans(&self, process: ProcessIndex) -> Family {
        self.processes[process.0 as usize].spans
    }

    /// The family of tracks of a thread; announces the thread when it is new. `None` when there are too many.
    pub fn thread(
        &mut self,
        process: ProcessIndex,
        (id, name): (i64, &str),
        tracks: &mut Tracks,
        packets: &mut Packets,
    ) -> Option<Family> {
        let uuid = self.last_uuid + 1;
        let of_process = &mut self.processes[process.0 as usize];
        if let Some(thread) = of_process.threads.get(&id) {
            return Some(thread.family);
        }
        if of_process.threads.len() >= MAX_THREADS {
            return None;
        }
        self.last_uuid = uuid;
        // 0 is the idle thread to trace processor, and a number of more than 32 bits does not fit everywhere.
        let tid = of_process.tids.take(i32::try_from(id).ok().filter(|tid| *tid > 0), LAST_TID);
        let name = match (name, i64::from(tid) == id) {
            ("", _) => format!("thread {id}"),
            (name, true) => name.to_owned(),
            (name, false) => format!("{name} ({id})"),
        };
        let family = tracks.family_of_thread();
        packets.descriptor(uuid, |track| {
            track.varint(5, of_process.uuid);
            track.nested(4, |thread| {
                thread.int(1, of_process.pid.into());
                thread.int(2, tid.into());
                thread.text(5, &name);
            });
            track.varint(11, ORDER_EXPLICIT);
        });
        of_process.threads.insert(id, Thread { family, uuid, name });
        Some(family)
    }

    /// The track that a span was placed on; announces it when the span is its first. `thread` is the span's.
    pub fn of_span(
        &mut self,
        placed: Placed,
        process: ProcessIndex,
        thread: Option<i64>,
        packets: &mut Packets,
    ) -> u64 {
        if !placed.is_new {
            return self.known(placed.track);
        }
        let tracks = &self.processes[process.0 as usize];
        let (parent, name) = match thread.and_then(|id| tracks.threads.get(&id)) {
            // The first track of a thread is the thread.
            Some(thread) if placed.position == 0 => {
                let uuid = thread.uuid;
                self.tell(placed.track, uuid);
                return uuid;
            }
            Some(thread) => (thread.uuid, format!("{} (overlapping)", thread.name)),
            None => (tracks.uuid, "spans".to_owned()),
        };
        let uuid = self.uuid();
        track(uuid, parent, &name, Rank::Spans, packets);
        self.tell(placed.track, uuid);
        uuid
    }

    /// The track of spans that were placed there before.
    pub fn known(&self, track: TrackIndex) -> u64 {
        self.spans[track.0]
    }

    fn tell(&mut self, track: TrackIndex, uuid: u64) {
        if self.spans.len() <= track.0 {
            self.spans.resize(track.0 + 1, 0);
        }
        self.spans[track.0] = uuid;
    }

    /// A track of a process for a point in time.
    pub fn side_track(&mut self, process: ProcessIndex, which: SideTrack, time: i64, packets: &mut Packets) -> u64 {
        let tracks = &mut self.processes[process.0 as usize];
        let parent = tracks.uuid;
        let (points, name, rank) = match which {
            SideTrack::Logs => (&mut tracks.logs, "logs", Rank::Logs),
            SideTrack::Events => (&mut tracks.events, "span events", Rank::Events),
        };
        if points.time != time {
            (points.time, points.points) = (time, 0);
        }
        let position = points.points / MAX_DEPTH;
        points.points += 1;
        if let Some(uuid) = points.uuids.get(position) {
            return *uuid;
        }
        self.last_uuid += 1;
        points.uuids.push(self.last_uuid);
        track(self.last_uuid, parent, name, rank, packets);
        self.last_uuid
    }

    /// The track of a counter; `None` when there are too many.
    pub fn counter(&mut self, point: &MetricPoint<'_>, packets: &mut Packets) -> Option<u64> {
        let mut name = point.name.to_owned();
        let mut labels: Vec<_> =
            attributes::iter(point.attributes).map(|(key, value)| format!("{key}={}", text_of(value))).collect();
        labels.sort_unstable();
        if !labels.is_empty() {
            name = format!("{name}{{{}}}", labels.join(","));
        }
        let key = format!("{}\0{}\0{name}", point.process.0, point.unit);
        let key = xxhash_rust::xxh3::xxh3_128(key.as_bytes());
        if let Some(uuid) = self.counters.get(&key) {
            return Some(*uuid);
        }
        if self.counters.len() >= MAX_COUNTERS {
            return None;
        }
        let uuid = self.uuid();
        self.counters.insert(key, uuid);
        let parent = self.processes[point.process.0 as usize].uuid;
        packets.descriptor(uuid, |track| {
            track.text(2, &name);
            track.varint(5, parent);
            track.nested(8, |counter| {
                if !point.unit.is_empty() {
                    counter.text(6, point.unit);
                }
            });
            track.int(12, Rank::Counters as i64);
            if !point.description.is_empty() {
                track.text(14, point.description);
            }
        });
        Some(uuid)
    }

    fn uuid(&mut self) -> u64 {
        self.last_uuid += 1;
        self.last_uuid
    }
}

/// Announces a track.
fn track(uuid: u64, parent: u64, name: &str, rank: Rank, packets: &mut Packets) {
    packets.descriptor(uuid, |track| {
        track.text(2, name);
        track.varint(5, parent);
        track.int(12, rank as i64);
    });
}

/// Numbers of processes or threads.
#[derive(Debug, Default)]
struct Numbers {
    taken: HashSet<i32>,
    /// How many below the last one were given to those whose wish was taken.
    given: i32,
}

impl Numbers {
    /// The number that is wished for, if nothing has it yet, else one that nothing is likely to wish for, from `last`
    /// downwards.
    fn take(&mut self, wished: Option<i32>, last: i32) -> i32 {
        let free = wished.filter(|number| !self.taken.contains(number));
        let number = free.unwrap_or_else(|| {
            loop {
                let number = last - self.given;
                self.given += 1;
                if !self.taken.contains(&number) {
                    return number;
                }
            }
        });
        self.taken.insert(number);
        number
    }
}

fn text_of(value: ValueRef<'_>) -> String {
    value.to_text().map_or_else(|| value.to_json(), std::borrow::Cow::into_owned)
}
