//! Packets: events in the making, and what the reader of the trace must know to read them.

use glasshouse_model::TraceId;
use glasshouse_tables::attributes::{Repeats, RowAttributes, RowValue, Text, ValueRef};

use crate::interned::{Fixed, Interner, Kind, Location};
use crate::wire::Message;

/// All packets are one sequence.
const SEQUENCE: u64 = 1;
/// Its clock, which counts from packet to packet.
const DELTA_CLOCK: u64 = 64;
const CLOCK_REALTIME: u64 = 1;
const CLOCK_BOOTTIME: u64 = 6;

const FLAG_STATE_CLEARED: u64 = 1;
const FLAG_NEEDS_STATE: u64 = 2;

const FLOW_IN: u64 = 1;

/// What an event is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum EventType {
    SliceBegin = 1,
    SliceEnd = 2,
    Instant = 3,
    Counter = 4,
}

/// Packets, one after the other. An event is begun, gets its fields, and is written.
#[derive(Debug)]
pub(crate) struct Packets {
    trace: Message,
    /// The event that is being made.
    event: Message,
    interner: Interner,
    /// What the sequence's clock says; `None` before the first packet and when state was cleared.
    clock: Option<i64>,
}

impl Packets {
    pub fn new() -> Self {
        Self { trace: Message::default(), event: Message::default(), interner: Interner::new(), clock: None }
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
    pub fn begin(&mut self, kind: EventType, track: u64) {
        if self.interner.is_full() {
            self.interner.clear();
            self.clock = None;
        }
        self.event.clear();
        self.event.varint(9, kind as u64);
        self.event.varint(11, track);
    }

    /// Texts of places say something else from now on; there are so many places.
    pub fn renew_places(&mut self, count: u32) {
        self.interner.renew_places(count);
    }

    pub fn category(&mut self, category: Fixed) {
        let number = self.interner.fixed(category);
        self.event.varint(3, number);
    }

    /// A category that is none of the usual ones.
    pub fn other_category(&mut self, category: &str) {
        match self.interner.number(Kind::Category, category.into()) {
            Some(number) => self.event.varint(3, number),
            None => self.event.text(22, category),
        }
    }

    /// The name of an event, which may come again.
    pub fn repeated_name(&mut self, name: Text<'_>) {
        match self.interner.number(Kind::EventName, name) {
            Some(number) => self.event.varint(10, number),
            None => self.event.text_bytes(23, name.bytes),
        }
    }

    /// The name of an event that will hardly come again.
    pub fn name(&mut self, name: &str) {
        self.event.text(23, name);
    }

    /// The end of arrows to here: arrows lead from the event that has the number.
    pub fn flow(&mut self, number: u64) {
        self.event.fixed64(47, number);
    }

    /// An arrow from the event of a number.
    pub fn flow_from(&mut self, number: u64) {
        self.event.nested(6, |legacy| {
            legacy.varint(8, number);
            legacy.varint(13, FLOW_IN);
        });
    }

    pub fn int_value(&mut self, value: i64) {
        self.event.int(30, value);
    }

    pub fn double_value(&mut self, value: f64) {
        self.event.double(44, value);
    }

    fn annotation(&mut self, name: Fixed, write: impl FnOnce(&mut Message)) {
        let number = self.interner.fixed(name);
        self.event.nested(4, |annotation| {
            annotation.varint(1, number);
            write(annotation);
        });
    }

    /// Text that may come again.
    pub fn repeated_annotation(&mut self, name: Fixed, text: Text<'_>) {
        let number = self.interner.number_of_repeated(text);
        self.annotation(name, |annotation| write_text(annotation, number, text.bytes));
    }

    /// An id that comes again, as hex digits.
    pub fn repeated_id(&mut self, name: Fixed, digits: &[u8]) {
        self.repeated_annotation(name, Text { bytes: digits, repeats: Repeats::Unknown });
    }

    /// The id of a trace, as hex digits. Its spans mostly come soon after each other.
    pub fn trace_id(&mut self, name: Fixed, id: &TraceId) {
        let number = self.interner.number_of_trace(id);
        self.annotation(name, |annotation| match number {
            Some(number) => annotation.varint(17, number),
            None => annotation.raw_bytes(6, &id.hex()),
        });
    }

    /// An id as hex digits.
    pub fn id(&mut self, name: Fixed, digits: &[u8]) {
        self.annotation(name, |annotation| annotation.raw_bytes(6, digits));
    }

    pub fn int_annotation(&mut self, name: Fixed, value: i64) {
        self.annotation(name, |annotation| annotation.int(4, value));
    }

    pub fn bool_annotation(&mut self, name: Fixed, value: bool) {
        self.annotation(name, |annotation| annotation.varint(2, value.into()));
    }

    /// Attributes as annotations of their types, and where in the code, by the `code.…` attributes.
    pub fn attributes(&mut self, attributes: RowAttributes<'_>) {
        let mut location = Location { file: "", function: "", line: 0 };
        let Self { interner, event, .. } = self;
        attributes.each(|key, value| {
            let name = interner.number(Kind::AnnotationName, key);
            let text = match value {
                RowValue::Text(text) => interner.number_of_repeated(text),
                RowValue::Other(_) => None,
            };
            match (name, value, text) {
                (Some(name), RowValue::Text(_), Some(text)) => event.short(4, |annotation| {
                    annotation.varint(1, name);
                    annotation.varint(17, text);
                }),
                (Some(name), RowValue::Other(ValueRef::Int(value)), _) => event.short(4, |annotation| {
                    annotation.varint(1, name);
                    annotation.varint(4, value as u64);
                }),
                (Some(name), RowValue::Other(ValueRef::Bool(value)), _) => event.short(4, |annotation| {
                    annotation.varint(1, name);
                    annotation.varint(2, value.into());
                }),
                (Some(name), RowValue::Other(ValueRef::Double(value)), _) => event.short(4, |annotation| {
                    annotation.varint(1, name);
                    annotation.double(5, value);
                }),
                _ => event.nested(4, |annotation| {
                    match name {
                        Some(number) => annotation.varint(1, number),
                        None => annotation.text_bytes(10, key.bytes),
                    }
                    match value {
                        RowValue::Text(value) => write_text(annotation, text, value.bytes),
                        RowValue::Other(value) => write_value(annotation, value),
                    }
                }),
            }
            if key.bytes.starts_with(b"code.") {
                location.note(key.bytes, value);
            }
        });
        if (!location.file.is_empty() || !location.function.is_empty())
            && let Some(number) = self.interner.location(&location)
        {
            self.event.varint(34, number);
        }
    }

    /// Writes the event that was begun.
    pub fn write(&mut self, time: i64) {
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

impl<'a> Location<'a> {
    fn note(&mut self, key: &[u8], value: RowValue<'a>) {
        match (key, value) {
            (b"code.file.path" | b"code.filepath", RowValue::Text(text)) => self.file = text.as_str(),
            (b"code.function.name" | b"code.function", RowValue::Text(text)) => self.function = text.as_str(),
            (b"code.line.number" | b"code.lineno", RowValue::Other(ValueRef::Int(line))) => {
                self.line = u32::try_from(line).unwrap_or_default();
            }
            _ => {}
        }
    }
}

fn write_text(annotation: &mut Message, number: Option<u64>, text: &[u8]) {
    match number {
        Some(number) => annotation.varint(17, number),
        None => annotation.text_bytes(6, text),
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
