//! Packets: events in the making, and what the reader of the trace must know to read them.

use glasshouse_model::{SpanId, TraceId};
use glasshouse_tables::attributes::{AttributeColumns, RawValue, Repeats, Text, ValueRef, raw_iter};

use crate::annotations::{Annotations, Memory};
use crate::input::{Attributes, SpanNumber};
use crate::interned::{Fixed, Interner, Kind};
use crate::wire::{Message, Nested, Short};

/// All packets are one sequence.
const SEQUENCE: u64 = 1;
/// Its clock, which counts from packet to packet.
const DELTA_CLOCK: u64 = 64;
const CLOCK_REALTIME: u64 = 1;
const CLOCK_BOOTTIME: u64 = 6;

const FLAG_STATE_CLEARED: u64 = 1;
const FLAG_NEEDS_STATE: u64 = 2;

const FLOW_IN: u64 = 1;

/// Memories that are kept for annotations beyond those of a slice.
const SPARE: usize = 4;

/// The type of what ends a slice; it has nothing else.
const SLICE_END: u64 = 2;

/// What an event is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum EventType {
    SliceBegin = 1,
    Instant = 3,
    Counter = 4,
}

/// Packets, one after the other. An event is begun, gets its fields, and is ended.
#[derive(Debug)]
pub(crate) struct Packets {
    trace: Message,
    /// The event that is being written.
    event: Option<Event>,
    interner: Interner,
    /// What the sequence's clock says; `None` before the first packet and when state was cleared.
    clock: Option<i64>,
    /// Annotations of rows that are to come.
    slice: Vec<Annotations>,
    /// Memory for more.
    spare: Vec<Memory>,
}

#[derive(Debug)]
struct Event {
    packet: Nested,
    /// Its track event.
    body: Nested,
    /// Nanoseconds since the event before.
    delta: u64,
}

impl Packets {
    pub fn new() -> Self {
        Self {
            trace: Message::default(),
            event: None,
            interner: Interner::new(),
            clock: None,
            slice: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// Bytes written and not taken yet.
    pub fn len(&self) -> usize {
        self.trace.len()
    }

    pub fn take(&mut self) -> Vec<u8> {
        self.trace.take()
    }

    /// Writes the descriptor of a track.
    pub fn descriptor(&mut self, uuid: u64, write: impl FnOnce(&mut Message)) {
        self.trace.nested(1, |packet| {
            packet.varint(10, SEQUENCE);
            packet.nested(60, |track| {
                track.varint(1, uuid);
                write(track);
            });
        });
    }

    /// Begins an event on a track.
    pub fn begin(&mut self, kind: EventType, track: u64, time: i64) {
        let delta = self.pass(time);
        let packet = self.trace.open(1);
        let body = self.trace.open(11);
        self.event = Some(Event { packet, body, delta });
        self.trace.append(Short::default().varint(9, kind as u64).varint(11, track));
    }

    /// Ends the slice that is the innermost of a track.
    pub fn slice_end(&mut self, track: u64, time: i64) {
        let delta = self.pass(time);
        let body = Short::default().varint(9, SLICE_END).varint(11, track).nested(11);
        let rest = behind(delta);
        self.trace.append(Short::default().length(1, body.len() + rest.len()).followed_by(body));
        self.trace.append(rest);
    }

    /// The time of a packet, as nanoseconds since the one before.
    fn pass(&mut self, time: i64) -> u64 {
        // Annotations that are to come hold numbers.
        if self.interner.is_full() && self.slice.iter().all(Annotations::is_empty) {
            self.forget();
        }
        let delta = self.clock.and_then(|clock| u64::try_from(time.checked_sub(clock)?).ok());
        if delta.is_none() {
            // The first packet, or one that is not in order.
            self.set_clock(time);
        }
        self.clock = Some(time);
        delta.unwrap_or(0)
    }

    /// Ends the event that was begun.
    pub fn end(&mut self) {
        let Some(Event { packet, body, delta }) = self.event.take() else { return };
        self.trace.close(body);
        let fresh = self.interner.fresh();
        if fresh.len() > 0 {
            self.trace.raw_bytes(12, fresh.bytes());
            fresh.clear();
        }
        self.trace.append(behind(delta));
        self.trace.close(packet);
    }

    /// See [`crate::Writer::slice`].
    pub fn slice(&mut self, attributes: &[&AttributeColumns], places: u32) {
        self.spare.truncate(SPARE);
        self.spare.extend(self.slice.drain(..).map(Annotations::into_memory));
        // It may not forget anything before the next slice.
        if self.interner.is_half_full() {
            self.forget();
        }
        self.interner.renew_places(places);
        for columns in attributes {
            let memory = self.spare.pop().unwrap_or_default();
            self.slice.push(Annotations::new(columns, &mut self.interner, memory));
        }
    }

    fn forget(&mut self) {
        self.interner.clear();
        self.clock = None;
    }

    pub fn category(&mut self, category: Fixed) {
        let number = self.interner.fixed(category);
        self.trace.varint(3, number);
    }

    /// A category that is none of the usual ones.
    pub fn other_category(&mut self, category: &str) {
        match self.interner.number(Kind::Category, category.as_bytes()) {
            Some(number) => self.trace.varint(3, number),
            None => self.trace.text(22, category),
        }
    }

    /// The name of an event, which may come again.
    pub fn repeated_name(&mut self, name: Text<'_>) {
        let number = |interner: &mut Interner| interner.number(Kind::EventName, name.bytes());
        match self.interner.kept(name.repeats, |interner| Some(Short::default().varint(10, number(interner)?).into())) {
            Some(known) => self.trace.append_kept(&known),
            None => self.trace.text_bytes(23, name.bytes()),
        }
    }

    /// The name of an event that will hardly come again.
    pub fn name(&mut self, name: &str) {
        self.trace.text(23, name);
    }

    /// The number of the span that begins here: arrows lead from it.
    pub fn flow(&mut self, span: SpanNumber) {
        self.trace.fixed64(47, span.0);
    }

    /// An arrow from a span.
    pub fn flow_from(&mut self, span: SpanNumber) {
        self.trace.append(Short::default().varint(8, span.0).varint(13, FLOW_IN).nested(6));
    }

    pub fn int_value(&mut self, value: i64) {
        self.trace.int(30, value);
    }

    pub fn double_value(&mut self, value: f64) {
        self.trace.double(44, value);
    }

    /// The number of a fixed annotation's name, with its field.
    #[inline]
    fn fixed(&mut self, name: Fixed) -> Short {
        annotation_name(self.interner.fixed(name))
    }

    /// Text that may come again.
    pub fn repeated_annotation(&mut self, name: Fixed, text: Text<'_>) {
        let known = self.interner.kept(text.repeats, |interner| {
            let number = interner.number_of_text(text.bytes(), false)?;
            Some(annotation_name(interner.fixed(name)).varint(17, number).nested(4).into())
        });
        if let Some(known) = known {
            self.trace.append_kept(&known);
            return;
        }
        let name = self.fixed(name);
        self.trace.with_text(4, name, 6, text.bytes());
    }

    /// An id that comes again, as hex digits.
    pub fn repeated_id(&mut self, name: Fixed, digits: &[u8]) {
        self.repeated_annotation(name, Text::new(digits, Repeats::Unknown));
    }

    /// The id of a trace, as hex digits. Its spans mostly come soon after each other.
    pub fn trace_id(&mut self, name: Fixed, id: &TraceId) {
        match self.interner.number_of_trace(id) {
            Some(number) => self.short_annotation(name, |annotation| annotation.varint(17, number)),
            None => self.digits(name, &id.hex()),
        }
    }

    /// The id of a span, as hex digits.
    pub fn span_id(&mut self, name: Fixed, id: SpanId) {
        self.digits(name, &id.hex());
    }

    #[inline]
    fn digits<const N: usize>(&mut self, name: Fixed, digits: &[u8; N]) {
        let head = self.fixed(name).length(6, N);
        self.trace.append(Short::default().length(4, head.len() + N).followed_by(head));
        self.trace.raw(digits);
    }

    pub fn int_annotation(&mut self, name: Fixed, value: i64) {
        let annotation = self.fixed(name).varint(4, value as u64);
        self.trace.append(Short::default().length(4, annotation.len()));
        self.trace.append(annotation);
    }

    pub fn bool_annotation(&mut self, name: Fixed, value: bool) {
        self.short_annotation(name, |annotation| annotation.varint(2, value.into()));
    }

    #[inline]
    fn short_annotation(&mut self, name: Fixed, value: impl FnOnce(Short) -> Short) {
        let annotation = value(self.fixed(name)).nested(4);
        self.trace.append(annotation);
    }

    /// Attributes as annotations of their types, and where in the code, by the `code.…` attributes.
    pub fn attributes(&mut self, attributes: Attributes<'_>) {
        let (row, packed) = match attributes {
            Attributes::Packed(packed) => (None, packed),
            Attributes::Of { row, rest } => (Some((row.batch as usize, row.row as usize)), rest),
        };
        if let Some((batch, row)) = row {
            self.slice[batch].write(row, &mut self.trace);
        }
        let mut tells_location = false;
        for (key, value) in raw_iter(packed) {
            self.attribute(key, value);
            tells_location |= key.starts_with(b"code.");
        }
        let number = if tells_location {
            let mut location = row.map(|(batch, row)| self.slice[batch].location(row)).unwrap_or_default();
            raw_iter(packed).for_each(|(key, value)| location.note(key, value));
            self.interner.location(&location)
        } else {
            row.and_then(|(batch, row)| self.slice[batch].location_number(row))
        };
        if let Some(number) = number {
            self.trace.varint(34, number);
        }
    }

    fn attribute(&mut self, key: &[u8], value: RawValue<'_>) {
        let name = self.interner.number(Kind::AnnotationName, key).map(annotation_name);
        let text = if let RawValue::String(text) = value { self.interner.number_of_text(text, false) } else { None };
        match (name, text) {
            (Some(name), Some(number)) => self.trace.append(name.varint(17, number).nested(4)),
            _ => self.trace.annotation(name, key, value),
        }
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

/// What every packet of an event ends with.
fn behind(delta: u64) -> Short {
    Short::default().varint(8, delta).varint(10, SEQUENCE).varint(13, FLAG_NEEDS_STATE)
}

/// The number of an annotation's name, with its field.
pub(crate) fn annotation_name(number: u64) -> Short {
    Short::default().varint(1, number)
}

impl Message {
    /// An annotation that is written in full. `name` is the number of its key, if that has one.
    pub fn annotation(&mut self, name: Option<Short>, key: &[u8], value: RawValue<'_>) {
        match (name, value) {
            (Some(name), RawValue::String(text)) => self.with_text(4, name, 6, text),
            _ => self.nested(4, |annotation| {
                match name {
                    Some(name) => annotation.append(name),
                    None => annotation.text_bytes(10, key),
                }
                match value {
                    RawValue::String(text) => annotation.text_bytes(6, text),
                    RawValue::Other(value) => write_value(annotation, value),
                }
            }),
        }
    }
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
