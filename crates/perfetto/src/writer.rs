//! The writer.

use glasshouse_model::{SpanKind, StatusCode};
use glasshouse_tables::attributes::AttributeColumns;

use crate::flows::Flows;
use crate::input::{
    Attributes, CounterValue, LogRecord, MetricPoint, Process, ProcessIndex, Span, SpanEvent, SpanKey, SpanLink,
    SpanNumber,
};
use crate::interned::Fixed;
use crate::landscape::{Landscape, SideTrack};
use crate::packets::{EventType, Packets};
use crate::tracks::{TrackIndex, Tracks};

/// Bytes of a log record's body that become the name of its instant.
const MAX_NAME: usize = 160;

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
    packets: Packets,
    landscape: Landscape,
    tracks: Tracks,
    flows: Flows,
    /// Ends that are to be written; kept for its memory.
    ends: Vec<(TrackIndex, i64)>,
    figures: Figures,
}

impl Writer {
    /// A writer that cuts spans at the window's edges.
    pub fn new(window: Window) -> Self {
        Self {
            window,
            packets: Packets::new(),
            landscape: Landscape::default(),
            tracks: Tracks::default(),
            flows: Flows::default(),
            ends: Vec::new(),
            figures: Figures::default(),
        }
    }

    /// Bytes written and not taken yet.
    pub fn len(&self) -> usize {
        self.packets.len()
    }

    /// Whether there is nothing to take.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes what was written: whole packets, which may be joined with those before and after.
    pub fn take(&mut self) -> Vec<u8> {
        self.figures.bytes += self.len() as u64;
        self.packets.take()
    }

    /// What was written so far.
    pub fn figures(&self) -> Figures {
        Figures { bytes: self.figures.bytes + self.len() as u64, ..self.figures }
    }

    /// Spans that are open: what memory depends on.
    pub fn open_spans(&self) -> usize {
        self.tracks.open()
    }

    /// Whether a span was written lately: those that run are remembered, and of the last hundred thousand all but one in
    /// millions.
    pub fn was_written(&self, span: &SpanKey) -> bool {
        self.is_origin(span.number())
    }

    /// Whether an arrow may lead from a span.
    fn is_origin(&self, span: SpanNumber) -> bool {
        self.tracks.is_open(span) || self.flows.knows(span)
    }

    /// Tells of a slice of spans that come next: the attributes of its rows, and how many places their other texts have
    /// ([`glasshouse_tables::attributes::Repeats::At`]). Rows and places of the slice before may not come any more.
    pub fn slice(&mut self, attributes: &[&AttributeColumns], places: u32) {
        self.packets.slice(attributes, places);
    }

    /// Announces a process.
    pub fn process(&mut self, process: &Process<'_>) -> ProcessIndex {
        self.landscape.process(process, &mut self.tracks, &mut self.packets)
    }

    /// Writes a span and its links.
    pub fn span(&mut self, span: &Span<'_>, links: &[SpanLink<'_>]) {
        let start = span.start.max(self.window.from);
        let end = span.end.map(|end| end.clamp(start, self.window.to.max(start)));
        let is_cut = start != span.start || end != span.end;
        let mut on = span.thread;
        let family = on.and_then(|on| self.landscape.thread(span.process, on, &mut self.tracks, &mut self.packets));
        let family = family.unwrap_or_else(|| {
            on = None;
            self.landscape.async_spans(span.process)
        });
        let ended = |track, time| self.ends.push((track, time));
        let number = span.key.number();
        let parent = span.parent.map(|parent| SpanKey { trace: span.key.trace, span: parent }.number());
        let placed = self.tracks.place(family, number, parent, start, end, ended);
        self.write_ends();
        let thread = on.map(|(id, _)| id);
        let track = self.landscape.of_span(placed, span.process, thread, &mut self.packets);
        let origin = parent.filter(|parent| !placed.is_in_parent && self.is_origin(*parent));
        self.flows.begin(number);

        let event = &mut self.packets;
        event.begin(EventType::SliceBegin, track, start);
        let kind = match span.kind {
            SpanKind::Unspecified => None,
            SpanKind::Internal => Some(Fixed::Internal),
            SpanKind::Server => Some(Fixed::Server),
            SpanKind::Client => Some(Fixed::Client),
            SpanKind::Producer => Some(Fixed::Producer),
            SpanKind::Consumer => Some(Fixed::Consumer),
        };
        if let Some(kind) = kind {
            event.category(kind);
        }
        if span.status == StatusCode::Error {
            event.category(Fixed::Error);
        }
        if span.clock_skew.is_some() {
            event.category(Fixed::ClockSkew);
        }
        event.repeated_name(span.name);
        event.flow(number);
        if let Some(origin) = origin {
            event.flow_from(origin);
            self.figures.flows += 1;
        }
        event.trace_id(Fixed::TraceId, &span.key.trace);
        event.span_id(Fixed::SpanId, span.key.span);
        if let Some(parent) = span.parent {
            event.span_id(Fixed::ParentSpanId, parent);
        }
        if span.status != StatusCode::Unset {
            event.repeated_annotation(Fixed::StatusCode, span.status.as_str().into());
        }
        if !span.status_message.is_empty() {
            event.repeated_annotation(Fixed::StatusDescription, span.status_message.into());
        }
        if !span.scope.bytes().is_empty() {
            event.repeated_annotation(Fixed::ScopeName, span.scope);
        }
        if is_cut {
            event.int_annotation(Fixed::StartTime, span.start);
            if let Some(end) = span.end {
                event.int_annotation(Fixed::EndTime, end);
            }
        }
        if span.end.is_none() {
            event.bool_annotation(Fixed::Open, true);
        }
        if let Some(skew) = span.clock_skew {
            event.int_annotation(Fixed::ClockSkewNs, skew);
        }
        event.attributes(span.attributes);
        event.end();
        self.figures.spans += 1;
        self.figures.open_spans += u64::from(span.end.is_none());
        self.figures.cut_spans += u64::from(is_cut);
        for link in links {
            let track = self.point_track(placed.track, span.process, start);
            self.link(link, track, start);
        }
    }

    /// The track for a point that belongs to the last span on a track: that one while it takes points of this time.
    fn point_track(&mut self, track: TrackIndex, process: ProcessIndex, time: i64) -> u64 {
        if self.tracks.take_point(track, time) {
            return self.landscape.known(track);
        }
        self.landscape.side_track(process, SideTrack::Events, time, &mut self.packets)
    }

    /// A link is a point at the beginning of its span, with an arrow from the span linked to.
    fn link(&mut self, link: &SpanLink<'_>, track: u64, time: i64) {
        let origin = Some(link.to.number()).filter(|origin| self.is_origin(*origin));
        let event = &mut self.packets;
        event.begin(EventType::Instant, track, time);
        event.category(Fixed::Link);
        event.repeated_name("link".into());
        if let Some(origin) = origin {
            event.flow_from(origin);
            self.figures.flows += 1;
        }
        event.trace_id(Fixed::LinkedTraceId, &link.to.trace);
        event.span_id(Fixed::LinkedSpanId, link.to.span);
        event.attributes(Attributes::Packed(link.attributes));
        event.end();
        self.figures.links += 1;
    }

    /// Writes an event of a span: a point within it while nothing else runs there, else on a track of its own.
    pub fn event(&mut self, event: &SpanEvent<'_>) {
        self.end_before(event.time);
        let track = match self.tracks.top(event.span.number()) {
            Some(track) => self.point_track(track, event.process, event.time),
            None => self.landscape.side_track(event.process, SideTrack::Events, event.time, &mut self.packets),
        };
        let packet = &mut self.packets;
        packet.begin(EventType::Instant, track, event.time);
        packet.category(Fixed::Event);
        packet.repeated_name(event.name.into());
        packet.trace_id(Fixed::TraceId, &event.span.trace);
        packet.span_id(Fixed::SpanId, event.span.span);
        packet.attributes(Attributes::Packed(event.attributes));
        packet.end();
        self.figures.events += 1;
    }

    /// Writes a log record: a point on its process's track of logs.
    pub fn log(&mut self, log: &LogRecord<'_>) {
        self.end_before(log.time);
        let track = self.landscape.side_track(log.process, SideTrack::Logs, log.time, &mut self.packets);
        let event = &mut self.packets;
        event.begin(EventType::Instant, track, log.time);
        event.category(Fixed::Log);
        if !log.severity.is_empty() {
            event.other_category(log.severity);
        }
        let line = log.body.lines().next().unwrap_or_default();
        let name = &line[..line.floor_char_boundary(MAX_NAME)];
        event.name(if name.is_empty() { log.event_name } else { name });
        event.repeated_annotation(Fixed::LogSeverity, log.severity.into());
        event.repeated_annotation(Fixed::LogBody, log.body.into());
        if !log.event_name.is_empty() {
            event.repeated_annotation(Fixed::LogEventName, log.event_name.into());
        }
        if !log.scope.is_empty() {
            event.repeated_annotation(Fixed::ScopeName, log.scope.into());
        }
        if let Some(trace) = log.trace {
            event.trace_id(Fixed::TraceId, &trace);
        }
        if let Some(span) = log.span {
            event.repeated_id(Fixed::SpanId, &span.hex());
        }
        event.attributes(Attributes::Packed(log.attributes));
        event.end();
        self.figures.logs += 1;
    }

    /// Writes a point of a metric: a value of the counter that the metric's name and its attributes tell.
    pub fn point(&mut self, point: &MetricPoint<'_>) {
        self.end_before(point.time);
        let Some(track) = self.landscape.counter(point, &mut self.packets) else {
            self.figures.points_left_out += 1;
            return;
        };
        self.packets.begin(EventType::Counter, track, point.time);
        match point.value {
            CounterValue::Int(value) => self.packets.int_value(value),
            CounterValue::Double(value) => self.packets.double_value(value),
        }
        self.packets.end();
        self.figures.points += 1;
    }

    /// Ends what has an end. Nothing may be written afterwards but what is still to be taken.
    pub fn finish(&mut self) {
        self.tracks.end_all(|track, time| self.ends.push((track, time)));
        self.write_ends();
    }

    fn end_before(&mut self, time: i64) {
        self.tracks.end_until(time, false, |track, time| self.ends.push((track, time)));
        self.write_ends();
    }

    fn write_ends(&mut self) {
        for (track, time) in self.ends.drain(..) {
            self.packets.slice_end(self.landscape.known(track), time);
        }
    }
}
