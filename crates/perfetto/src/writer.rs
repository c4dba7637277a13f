//! The writer.

use std::collections::{HashMap, HashSet};

use glasshouse_model::{SpanKind, StatusCode};
use glasshouse_tables::attributes::{self, ValueRef};

use crate::flows::Flows;
use crate::input::{CounterValue, LogRecord, MetricPoint, Process, ProcessIndex, Span, SpanEvent, SpanKey, SpanLink};
use crate::interned::{Interner, Kind, Location};
use crate::tracks::{Family, TrackIndex, Tracks};
use crate::wire::Message;

/// All packets are one sequence.
const SEQUENCE: u64 = 1;
/// Its clock, which counts from packet to packet.
const DELTA_CLOCK: u64 = 64;
const CLOCK_REALTIME: u64 = 1;
const CLOCK_BOOTTIME: u64 = 6;

const FLAG_STATE_CLEARED: u64 = 1;
const FLAG_NEEDS_STATE: u64 = 2;

const TYPE_SLICE_BEGIN: u64 = 1;
const TYPE_SLICE_END: u64 = 2;
const TYPE_INSTANT: u64 = 3;
const TYPE_COUNTER: u64 = 4;

const ORDER_EXPLICIT: u64 = 3;
const FLOW_IN: u64 = 1;

/// Counters that a trace may have; points of more are left out and counted.
const MAX_COUNTERS: usize = 10_000;
/// Bytes of a log record's body that become the name of its instant.
const MAX_NAME: usize = 160;
/// Process ids of processes that have none or share theirs count down from here, …
const LAST_PID: i32 = i32::MAX;
/// … and thread ids from here: a thread with the number of its process would be the main one.
const LAST_TID: i32 = 1 << 30;

/// The part of time that is shown, in nanoseconds since the Unix epoch. Spans that reach beyond are cut there, and say
/// so in their annotations `glasshouse.start_time` and `glasshouse.end_time`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// From here …
    pub from: i64,
    /// … to here.
    pub to: i64,
}

impl Window {
    /// All of time.
    pub const ALL: Self = Self { from: i64::MIN, to: i64::MAX };
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Spans.
    pub spans: u64,
    /// Of them, those that had not ended.
    pub open_spans: u64,
    /// Of them, those that reach beyond the window.
    pub cut_spans: u64,
    /// Events of spans.
    pub events: u64,
    /// Links of spans.
    pub links: u64,
    /// Arrows from parents and from spans linked to.
    pub flows: u64,
    /// Log records.
    pub logs: u64,
    /// Metric points.
    pub points: u64,
    /// Metric points left out because there were too many counters.
    pub points_left_out: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Writes a trace. Everything comes in order of time; spans by their start, those of the same start as
/// [`crate::order_equal_starts`] orders them.
#[derive(Debug)]
pub struct Writer {
    window: Window,
    trace: Message,
    /// The event that is being written.
    event: Message,
    interner: Interner,
    tracks: Tracks,
    uuids: HashMap<TrackIndex, u64>,
    next_uuid: u64,
    processes: Vec<ProcessTracks>,
    pids: HashSet<i32>,
    counters: HashMap<u128, u64>,
    flows: Flows,
    /// What the sequence's clock says; `None` before the first packet and when state was cleared.
    clock: Option<i64>,
    figures: Figures,
}

#[derive(Debug)]
struct ProcessTracks {
    uuid: u64,
    pid: i32,
    spans: Family,
    threads: HashMap<i64, Thread>,
    tids: HashSet<i32>,
    logs: Option<u64>,
    events: Option<u64>,
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

impl Writer {
    /// A writer that cuts spans at the window's edges.
    pub fn new(window: Window) -> Self {
        Self {
            window,
            trace: Message::default(),
            event: Message::default(),
            interner: Interner::new(),
            tracks: Tracks::default(),
            uuids: HashMap::new(),
            next_uuid: 1,
            processes: Vec::new(),
            pids: HashSet::new(),
            counters: HashMap::new(),
            flows: Flows::default(),
            clock: None,
            figures: Figures::default(),
        }
    }

    /// Bytes written and not taken yet.
    pub fn len(&self) -> usize {
        self.trace.len()
    }

    /// Whether there is nothing to take.
    pub fn is_empty(&self) -> bool {
        self.trace.len() == 0
    }

    /// Takes what was written: whole packets, which may be joined with those before and after.
    pub fn take(&mut self) -> Vec<u8> {
        self.figures.bytes += self.trace.len() as u64;
        self.trace.take()
    }

    /// What was written so far.
    pub fn figures(&self) -> Figures {
        Figures { bytes: self.figures.bytes + self.trace.len() as u64, ..self.figures }
    }

    /// Spans that are open: what memory depends on.
    pub fn open_spans(&self) -> usize {
        self.tracks.open()
    }

    /// Announces a process.
    pub fn process(&mut self, process: &Process<'_>) -> ProcessIndex {
        let known = process.pid.and_then(|pid| i32::try_from(pid).ok()).filter(|pid| *pid > 0);
        let pid = own_number(known, &mut self.pids, LAST_PID);
        let uuid = self.uuid();
        let pid_label = process.pid.filter(|shown| *shown != i64::from(pid)).map(|shown| format!("pid {shown}"));
        self.descriptor(uuid, |track| {
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
        let spans = self.tracks.family_of_async();
        self.processes.push(ProcessTracks {
            uuid,
            pid,
            spans,
            threads: HashMap::new(),
            tids: HashSet::new(),
            logs: None,
            events: None,
        });
        ProcessIndex(self.processes.len() as u32 - 1)
    }

    /// Writes a span and its links.
    pub fn span(&mut self, span: &Span<'_>, links: &[SpanLink<'_>]) {
        let start = span.start.max(self.window.from);
        let end = span.end.map(|end| end.clamp(start, self.window.to.max(start)));
        let is_cut = start != span.start || end != span.end;
        let family = match span.thread {
            Some((id, name)) => self.thread(span.process, id, name),
            None => self.processes[span.process.0 as usize].spans,
        };
        let mut ends = Vec::new();
        let ended = |track, time| ends.push((track, time));
        let placed = self.tracks.place(family, span.key, span.parent, start, end, ended);
        for (track, time) in ends {
            self.end(track, time);
        }
        if placed.is_new {
            self.new_track(span, placed.track, placed.position);
        }
        let origin = span.parent.filter(|_| !placed.is_in_parent);
        let origin = origin.and_then(|parent| self.flows.known(&SpanKey { trace: span.key.trace, span: parent }));
        let number = self.flows.begin(&span.key);

        self.begin_event(TYPE_SLICE_BEGIN, self.uuids[&placed.track]);
        if span.kind != SpanKind::Unspecified {
            self.category(span.kind.as_str());
        }
        if span.status == StatusCode::Error {
            self.category("ERROR");
        }
        self.name(span.name, true);
        self.event.fixed64(47, number);
        self.flow_from(origin);
        self.repeated_annotation("otel.trace_id", &span.key.trace.to_string());
        self.text_annotation("otel.span_id", &span.key.span.to_string());
        if let Some(parent) = span.parent {
            self.text_annotation("otel.parent_span_id", &parent.to_string());
        }
        if span.status != StatusCode::Unset {
            self.repeated_annotation("otel.status_code", span.status.as_str());
        }
        if !span.status_message.is_empty() {
            self.repeated_annotation("otel.status_description", span.status_message);
        }
        if !span.scope.is_empty() {
            self.repeated_annotation("otel.scope.name", span.scope);
        }
        if is_cut {
            self.int_annotation("glasshouse.start_time", span.start);
            if let Some(end) = span.end {
                self.int_annotation("glasshouse.end_time", end);
            }
        }
        if span.end.is_none() {
            self.bool_annotation("glasshouse.open", true);
        }
        self.attributes(span.attributes);
        self.location(span.attributes);
        self.write_event(start);
        self.figures.spans += 1;
        self.figures.open_spans += u64::from(span.end.is_none());
        self.figures.cut_spans += u64::from(is_cut);
        for link in links {
            self.link(link, placed.track, start);
        }
    }

    /// A link is a point at the beginning of its span, with an arrow from the span linked to.
    fn link(&mut self, link: &SpanLink<'_>, track: TrackIndex, time: i64) {
        let origin = self.flows.known(&link.to);
        self.begin_event(TYPE_INSTANT, self.uuids[&track]);
        self.category("LINK");
        self.name("link", true);
        self.flow_from(origin);
        self.repeated_annotation("otel.linked_trace_id", &link.to.trace.to_string());
        self.text_annotation("otel.linked_span_id", &link.to.span.to_string());
        self.attributes(link.attributes);
        self.write_event(time);
        self.figures.links += 1;
    }

    /// Writes an event of a span: a point within it while nothing else runs there, else on a track of its own.
    pub fn event(&mut self, event: &SpanEvent<'_>) {
        self.end_before(event.time);
        let track = match self.tracks.top(&event.span) {
            Some(track) => self.uuids[&track],
            None => self.side_track(event.process, Rank::Events),
        };
        self.begin_event(TYPE_INSTANT, track);
        self.category("EVENT");
        self.name(event.name, true);
        self.repeated_annotation("otel.trace_id", &event.span.trace.to_string());
        self.text_annotation("otel.span_id", &event.span.span.to_string());
        self.attributes(event.attributes);
        self.write_event(event.time);
        self.figures.events += 1;
    }

    /// Writes a log record: a point on its process's track of logs.
    pub fn log(&mut self, log: &LogRecord<'_>) {
        self.end_before(log.time);
        let track = self.side_track(log.process, Rank::Logs);
        self.begin_event(TYPE_INSTANT, track);
        self.category("LOG");
        if !log.severity.is_empty() {
            self.category(log.severity);
        }
        let line = log.body.lines().next().unwrap_or_default();
        let name = &line[..line.floor_char_boundary(MAX_NAME)];
        self.name(if name.is_empty() { log.event_name } else { name }, false);
        self.repeated_annotation("log.severity", log.severity);
        self.repeated_annotation("log.body", log.body);
        if !log.event_name.is_empty() {
            self.repeated_annotation("log.event_name", log.event_name);
        }
        if !log.scope.is_empty() {
            self.repeated_annotation("otel.scope.name", log.scope);
        }
        if let Some(trace) = log.trace {
            self.repeated_annotation("otel.trace_id", &trace.to_string());
        }
        if let Some(span) = log.span {
            self.repeated_annotation("otel.span_id", &span.to_string());
        }
        self.attributes(log.attributes);
        self.location(log.attributes);
        self.write_event(log.time);
        self.figures.logs += 1;
    }

    /// Writes a point of a metric: a value of the counter that the metric's name and its attributes tell.
    pub fn point(&mut self, point: &MetricPoint<'_>) {
        self.end_before(point.time);
        let Some(track) = self.counter(point) else {
            self.figures.points_left_out += 1;
            return;
        };
        self.begin_event(TYPE_COUNTER, track);
        match point.value {
            CounterValue::Int(value) => self.event.int(30, value),
            CounterValue::Double(value) => self.event.double(44, value),
        }
        self.write_event(point.time);
        self.figures.points += 1;
    }

    /// Ends what has an end. Nothing may be written afterwards but what is still to be taken.
    pub fn finish(&mut self) {
        let mut ends = Vec::new();
        self.tracks.end_all(|track, time| ends.push((track, time)));
        for (track, time) in ends {
            self.end(track, time);
        }
    }

    fn end_before(&mut self, time: i64) {
        let mut ends = Vec::new();
        self.tracks.end_until(time, false, |track, time| ends.push((track, time)));
        for (track, time) in ends {
            self.end(track, time);
        }
    }

    fn end(&mut self, track: TrackIndex, time: i64) {
        self.begin_event(TYPE_SLICE_END, self.uuids[&track]);
        self.write_event(time);
    }

    fn uuid(&mut self) -> u64 {
        self.next_uuid += 1;
        self.next_uuid - 1
    }

    /// The family of a thread's tracks; announces the thread when it is new.
    fn thread(&mut self, process: ProcessIndex, id: i64, name: &str) -> Family {
        let tracks = &mut self.processes[process.0 as usize];
        if let Some(thread) = tracks.threads.get(&id) {
            return thread.family;
        }
        // 0 is the idle thread to trace processor, and a number of more than 32 bits does not fit everywhere.
        let tid = own_number(i32::try_from(id).ok().filter(|tid| *tid > 0), &mut tracks.tids, LAST_TID);
        let name = match (name, i64::from(tid) == id) {
            ("", _) => format!("thread {id}"),
            (name, true) => name.to_owned(),
            (name, false) => format!("{name} ({id})"),
        };
        let (parent, pid) = (tracks.uuid, tracks.pid);
        let uuid = self.uuid();
        let family = self.tracks.family_of_thread();
        self.descriptor(uuid, |track| {
            track.varint(5, parent);
            track.nested(4, |thread| {
                thread.int(1, pid.into());
                thread.int(2, tid.into());
                thread.text(5, &name);
            });
            track.varint(11, ORDER_EXPLICIT);
        });
        self.processes[process.0 as usize].threads.insert(id, Thread { family, uuid, name });
        family
    }

    /// Announces a track that a span is the first of.
    fn new_track(&mut self, span: &Span<'_>, track: TrackIndex, position: usize) {
        let tracks = &self.processes[span.process.0 as usize];
        let thread = span.thread.and_then(|(id, _)| tracks.threads.get(&id));
        let (parent, name) = match thread {
            // The first track of a thread is the thread.
            Some(thread) if position == 0 => {
                self.uuids.insert(track, thread.uuid);
                return;
            }
            Some(thread) => (thread.uuid, format!("{} (overlapping)", thread.name)),
            None => (tracks.uuid, "spans".to_owned()),
        };
        let uuid = self.uuid();
        self.uuids.insert(track, uuid);
        self.descriptor(uuid, |descriptor| {
            descriptor.text(2, &name);
            descriptor.varint(5, parent);
            descriptor.int(12, Rank::Spans as i64);
        });
    }

    /// The track of a process for log records or for events.
    fn side_track(&mut self, process: ProcessIndex, rank: Rank) -> u64 {
        let tracks = &mut self.processes[process.0 as usize];
        let (place, name) = match rank {
            Rank::Logs => (&mut tracks.logs, "logs"),
            _ => (&mut tracks.events, "span events"),
        };
        if let Some(uuid) = place {
            return *uuid;
        }
        let uuid = self.next_uuid;
        *place = Some(uuid);
        let parent = tracks.uuid;
        self.next_uuid += 1;
        self.descriptor(uuid, |track| {
            track.text(2, name);
            track.varint(5, parent);
            track.int(12, rank as i64);
        });
        uuid
    }

    /// The track of a counter; `None` when there are too many.
    fn counter(&mut self, point: &MetricPoint<'_>) -> Option<u64> {
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
        self.descriptor(uuid, |track| {
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

    fn descriptor(&mut self, uuid: u64, write: impl FnOnce(&mut Message)) {
        self.trace.nested(1, |packet| {
            packet.varint(10, SEQUENCE);
            packet.nested(60, |track| {
                track.varint(1, uuid);
                write(track);
            });
        });
    }

    fn begin_event(&mut self, kind: u64, track: u64) {
        if self.interner.is_full() {
            self.interner.clear();
            self.clock = None;
        }
        self.event.clear();
        self.event.varint(9, kind);
        self.event.varint(11, track);
    }

    fn category(&mut self, category: &str) {
        match self.interner.number(Kind::Category, category) {
            Some(number) => self.event.varint(3, number),
            None => self.event.text(22, category),
        }
    }

    fn name(&mut self, name: &str, is_repeated: bool) {
        let number = if is_repeated { self.interner.number(Kind::EventName, name) } else { None };
        match number {
            Some(number) => self.event.varint(10, number),
            None => self.event.text(23, name),
        }
    }

    /// An arrow from the span of a number.
    fn flow_from(&mut self, origin: Option<u64>) {
        if let Some(number) = origin {
            self.event.nested(6, |legacy| {
                legacy.varint(8, number);
                legacy.varint(13, FLOW_IN);
            });
            self.figures.flows += 1;
        }
    }

    fn annotation(&mut self, key: &str, write: impl FnOnce(&mut Message)) {
        let number = self.interner.number(Kind::AnnotationName, key);
        self.event.nested(4, |annotation| {
            match number {
                Some(number) => annotation.varint(1, number),
                None => annotation.text(10, key),
            }
            write(annotation);
        });
    }

    /// Text that may come again.
    fn repeated_annotation(&mut self, key: &str, text: &str) {
        let number = self.interner.number_of_repeated(text);
        self.annotation(key, |annotation| match number {
            Some(number) => annotation.varint(17, number),
            None => annotation.text(6, text),
        });
    }

    fn text_annotation(&mut self, key: &str, text: &str) {
        self.annotation(key, |annotation| annotation.text(6, text));
    }

    fn int_annotation(&mut self, key: &str, value: i64) {
        self.annotation(key, |annotation| annotation.int(4, value));
    }

    fn bool_annotation(&mut self, key: &str, value: bool) {
        self.annotation(key, |annotation| annotation.varint(2, value.into()));
    }

    fn attributes(&mut self, packed: &[u8]) {
        for (key, value) in attributes::iter(packed) {
            match value {
                ValueRef::String(text) => self.repeated_annotation(key, text),
                value => self.annotation(key, |annotation| write_value(annotation, value)),
            }
        }
    }

    /// Where in the code, by the `code.…` attributes.
    fn location(&mut self, packed: &[u8]) {
        let mut location = Location { file: "", function: "", line: 0 };
        for (key, value) in attributes::iter(packed) {
            if !key.starts_with("code.") {
                continue;
            }
            match (key, value) {
                ("code.file.path" | "code.filepath", ValueRef::String(text)) => location.file = text,
                ("code.function.name" | "code.function", ValueRef::String(text)) => location.function = text,
                ("code.line.number" | "code.lineno", ValueRef::Int(line)) => {
                    location.line = u32::try_from(line).unwrap_or_default();
                }
                _ => {}
            }
        }
        if (!location.file.is_empty() || !location.function.is_empty())
            && let Some(number) = self.interner.location(&location)
        {
            self.event.varint(34, number);
        }
    }

    fn write_event(&mut self, time: i64) {
        let delta = self.clock.and_then(|clock| u64::try_from(time.checked_sub(clock)?).ok());
        if delta.is_none() {
            // The first packet, or one that is not in order.
            self.set_clock(time);
        }
        let fresh = self.interner.fresh();
        let event = &self.event;
        self.trace.nested(1, |packet| {
            packet.varint(8, delta.unwrap_or(0));
            packet.varint(10, SEQUENCE);
            packet.varint(13, FLAG_NEEDS_STATE);
            if fresh.len() > 0 {
                packet.raw_bytes(12, fresh.bytes());
            }
            packet.raw_bytes(11, event.bytes());
        });
        fresh.clear();
        self.clock = Some(time);
    }

    /// The reader forgets what it knows by number, and learns the clock.
    fn set_clock(&mut self, time: i64) {
        let is_first = self.clock.is_none();
        self.trace.nested(1, |packet| {
            packet.varint(10, SEQUENCE);
            if is_first {
                packet.varint(13, FLAG_STATE_CLEARED);
                packet.nested(59, |defaults| defaults.varint(58, DELTA_CLOCK));
            }
            packet.nested(6, |snapshot| {
                for clock in [DELTA_CLOCK, CLOCK_BOOTTIME, CLOCK_REALTIME] {
                    snapshot.nested(1, |message| {
                        message.varint(1, clock);
                        message.int(2, time);
                        if clock == DELTA_CLOCK {
                            message.varint(3, 1);
                        }
                    });
                }
                snapshot.varint(2, CLOCK_BOOTTIME);
            });
        });
    }
}

/// The number that was wished for, if nothing has it yet, else one that nothing is likely to wish for.
fn own_number(wished: Option<i32>, taken: &mut HashSet<i32>, last: i32) -> i32 {
    let free = |number: &i32| !taken.contains(number);
    let number = wished.filter(free).or_else(|| (1..=last).rev().find(free)).unwrap_or(last);
    taken.insert(number);
    number
}

fn write_value(annotation: &mut Message, value: ValueRef<'_>) {
    match value {
        ValueRef::Bool(value) => annotation.varint(2, value.into()),
        ValueRef::Int(value) => annotation.int(4, value),
        ValueRef::Double(value) => annotation.double(5, value),
        ValueRef::String(text) => annotation.text(6, text),
        ValueRef::Array(_) => {
            for item in value.items() {
                annotation.nested(12, |nested| write_value(nested, item));
            }
        }
        ValueRef::Map(_) => {
            for (key, item) in value.entries() {
                annotation.nested(11, |nested| {
                    nested.text(10, key);
                    write_value(nested, item);
                });
            }
        }
        ValueRef::Empty | ValueRef::Bytes(_) => annotation.text(6, &value.to_json()),
    }
}

fn text_of(value: ValueRef<'_>) -> String {
    value.to_text().map_or_else(|| value.to_json(), std::borrow::Cow::into_owned)
}
