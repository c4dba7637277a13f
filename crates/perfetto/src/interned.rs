//! Names that repeat are written once and referred to by number.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use glasshouse_model::TraceId;
use glasshouse_tables::attributes::{RawValue, Repeats, ValueRef};
use hashbrown::HashTable;

use crate::wire::{Kept, Message};

/// What is interned, each kind with numbers of its own. The discriminant is the field of `InternedData`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Category = 1,
    EventName = 2,
    AnnotationName = 3,
    Location = 4,
    Text = 29,
}

impl Kind {
    const COUNT: usize = 5;

    fn index(self) -> usize {
        if self == Self::Text { 4 } else { self as usize - 1 }
    }
}

/// Where code is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Location<'a> {
    file: &'a str,
    function: &'a str,
    line: u32,
}

impl<'a> Location<'a> {
    /// What an attribute tells of it.
    pub fn note(&mut self, key: &[u8], value: RawValue<'a>) {
        match (key, value) {
            (b"code.file.path" | b"code.filepath", RawValue::String(text)) => {
                self.file = str::from_utf8(text).unwrap_or_default();
            }
            (b"code.function.name" | b"code.function", RawValue::String(text)) => {
                self.function = str::from_utf8(text).unwrap_or_default();
            }
            (b"code.line.number" | b"code.lineno", RawValue::Other(ValueRef::Int(line))) => {
                self.line = u32::try_from(line).unwrap_or_default();
            }
            _ => {}
        }
    }
}

macro_rules! fixed {
    ($($name:ident = $kind:ident $text:literal;)*) => {
        /// Names that nearly every event has.
        #[derive(Debug, Clone, Copy)]
        pub(crate) enum Fixed { $($name),* }

        impl Fixed {
            const COUNT: usize = [$($text),*].len();

            fn kind(self) -> Kind {
                match self { $(Self::$name => Kind::$kind),* }
            }

            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

fixed! {
    TraceId = AnnotationName "otel.trace_id";
    SpanId = AnnotationName "otel.span_id";
    ParentSpanId = AnnotationName "otel.parent_span_id";
    StatusCode = AnnotationName "otel.status_code";
    StatusDescription = AnnotationName "otel.status_description";
    ScopeName = AnnotationName "otel.scope.name";
    LinkedTraceId = AnnotationName "otel.linked_trace_id";
    LinkedSpanId = AnnotationName "otel.linked_span_id";
    LogSeverity = AnnotationName "log.severity";
    LogBody = AnnotationName "log.body";
    LogEventName = AnnotationName "log.event_name";
    StartTime = AnnotationName "glasshouse.start_time";
    EndTime = AnnotationName "glasshouse.end_time";
    Open = AnnotationName "glasshouse.open";
    ClockSkewNs = AnnotationName "glasshouse.clock_skew_ns";
    Internal = Category "INTERNAL";
    Server = Category "SERVER";
    Client = Category "CLIENT";
    Producer = Category "PRODUCER";
    Consumer = Category "CONSUMER";
    Error = Category "ERROR";
    ClockSkew = Category "CLOCK_SKEW";
    Link = Category "LINK";
    Event = Category "EVENT";
    Log = Category "LOG";
}

/// Everything is forgotten when there are more entries …
const MAX_ENTRIES: usize = 16_384;
/// … or when they take more than this.
const MAX_BYTES: usize = 4 << 20;
/// Longer texts are not interned.
const MAX_TEXT: usize = 1024;
/// Shorter ones are as well written out.
const MIN_TEXT: usize = 5;
/// How many texts are remembered to have been seen once.
const SEEN: usize = 1 << 13;
/// How many traces are remembered.
const TRACES: usize = 1 << 10;

/// What the reader of the trace knows by number. Texts are UTF-8, which is not looked at.
#[derive(Debug)]
pub(crate) struct Interner {
    hasher: RandomState,
    /// Names are few and asked for all the time, so they are apart from values, of which there may be many.
    names: Entries,
    values: Entries,
    /// Numbers of the fixed names; 0 while there is none.
    fixed: [u32; Fixed::COUNT],
    /// What is written of each place ([`Repeats::At`]); empty while that is not known.
    places: Vec<Kept>,
    /// The last number of each kind.
    numbers: [u32; Kind::COUNT],
    /// Hashes of texts that came once: most values never come again and are not worth a number.
    seen: Box<[u32]>,
    /// Traces that came lately, each where its id says, with their numbers; 0 when it came once.
    traces: Box<[Option<(TraceId, u32)>]>,
    /// Fields of `InternedData` that are still to be written.
    fresh: Message,
}

#[derive(Debug, Default)]
struct Entries {
    table: HashTable<Entry>,
    /// The texts of all entries, one behind the other.
    texts: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    hash: u64,
    start: u32,
    length: u16,
    kind: Kind,
    number: u32,
}

impl Entries {
    fn is_full(&self) -> bool {
        self.has(MAX_ENTRIES, MAX_BYTES)
    }

    fn has(&self, entries: usize, bytes: usize) -> bool {
        self.table.len() > entries || self.texts.len() > bytes
    }
}

impl Interner {
    pub fn new() -> Self {
        Self {
            hasher: RandomState::default(),
            names: Entries::default(),
            values: Entries::default(),
            fixed: [0; Fixed::COUNT],
            places: Vec::new(),
            numbers: [0; Kind::COUNT],
            seen: vec![0; SEEN].into_boxed_slice(),
            traces: vec![None; TRACES].into_boxed_slice(),
            fresh: Message::default(),
        }
    }

    /// Whether it is time to forget everything. What is new gets no number then.
    pub fn is_full(&self) -> bool {
        self.names.is_full() || self.values.is_full()
    }

    /// The same a little before.
    pub fn is_half_full(&self) -> bool {
        self.names.has(MAX_ENTRIES / 2, MAX_BYTES / 2) || self.values.has(MAX_ENTRIES / 2, MAX_BYTES / 2)
    }

    fn entries(&self, kind: Kind) -> &Entries {
        if kind == Kind::Text { &self.values } else { &self.names }
    }

    /// Forgets everything; the reader must be told to forget it too.
    pub fn clear(&mut self) {
        for entries in [&mut self.names, &mut self.values] {
            entries.table.clear();
            entries.texts.clear();
        }
        self.fixed = [0; Fixed::COUNT];
        self.places.fill(Kept::default());
        self.numbers = [0; Kind::COUNT];
        self.seen.fill(0);
        self.traces.fill(None);
        self.fresh.clear();
    }

    /// What the reader must know before it reads the next event.
    pub fn fresh(&mut self) -> &mut Message {
        &mut self.fresh
    }

    /// Places mean something else from now on; there are so many.
    pub fn renew_places(&mut self, count: u32) {
        self.places.clear();
        self.places.resize(count as usize, Kept::default());
    }

    /// The number of a fixed name.
    #[inline]
    pub fn fixed(&mut self, name: Fixed) -> u64 {
        let known = self.fixed[name as usize];
        if known != 0 {
            return known.into();
        }
        let (kind, text) = (name.kind(), name.text().as_bytes());
        let hash = self.hash(kind, text);
        let number = self.known(hash, kind, text).unwrap_or_else(|| self.intern(hash, kind, text));
        self.fixed[name as usize] = number as u32;
        number
    }

    /// The number of a trace's id as hex digits, from the second time on that it comes, with few others in between.
    pub fn number_of_trace(&mut self, id: &TraceId) -> Option<u64> {
        let bytes = id.as_bytes();
        // Ids are random, at least at their end.
        let place = usize::from(u16::from_le_bytes([bytes[15], bytes[14]])) % TRACES;
        match self.traces[place] {
            Some((known, number)) if known == *id && number > 0 => Some(number.into()),
            Some((known, _)) if known == *id => {
                let number = self.number(Kind::Text, &id.hex())?;
                self.traces[place] = Some((*id, number as u32));
                Some(number)
            }
            _ => {
                self.traces[place] = Some((*id, 0));
                None
            }
        }
    }

    /// What is written of a text: what was made of its place, or else what `make` makes.
    #[inline]
    pub fn kept(&mut self, repeats: Repeats, make: impl FnOnce(&mut Self) -> Option<Kept>) -> Option<Kept> {
        let Repeats::At(place) = repeats else { return make(self) };
        match self.places.get(place as usize) {
            Some(known) if !known.is_empty() => return Some(*known),
            _ => {}
        }
        let made = make(self)?;
        if let Some(known) = self.places.get_mut(place as usize) {
            *known = made;
        }
        Some(made)
    }

    /// The number of a text; `None` when it is too long to be kept, or there are too many.
    pub fn number(&mut self, kind: Kind, text: &[u8]) -> Option<u64> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let hash = self.hash(kind, text);
        if let Some(number) = self.known(hash, kind, text) {
            return Some(number);
        }
        (!self.entries(kind).is_full()).then(|| self.intern(hash, kind, text))
    }

    fn intern(&mut self, hash: u64, kind: Kind, text: &[u8]) -> u64 {
        let number = self.add(hash, kind, text);
        self.fresh.nested(kind as u32, |entry| {
            entry.varint(1, number);
            entry.text_bytes(2, text);
        });
        number
    }

    /// The number of a text, from the second time on that it comes unless it is known to come again; `None` too when it is
    /// as short as a number.
    pub fn number_of_text(&mut self, text: &[u8], comes_again: bool) -> Option<u64> {
        if !(MIN_TEXT..=MAX_TEXT).contains(&text.len()) {
            return None;
        }
        let hash = self.hash(Kind::Text, text);
        if let Some(number) = self.known(hash, Kind::Text, text) {
            return Some(number);
        }
        if comes_again {
            return self.number(Kind::Text, text);
        }
        // Of a hash that is the same in every run, so that a trace is too.
        let hash = xxhash_rust::xxh3::xxh3_64(text);
        let place = &mut self.seen[hash as usize % SEEN];
        let mark = (hash >> 32) as u32 | 1;
        if *place == mark {
            return self.number(Kind::Text, text);
        }
        *place = mark;
        None
    }

    /// The number of a place in code.
    pub fn location(&mut self, location: &Location<'_>) -> Option<u64> {
        if location.file.is_empty() && location.function.is_empty() {
            return None;
        }
        let key = format!("{}\0{}\0{}", location.file, location.function, location.line);
        if key.len() > MAX_TEXT {
            return None;
        }
        let hash = self.hash(Kind::Location, key.as_bytes());
        if let Some(number) = self.known(hash, Kind::Location, key.as_bytes()) {
            return Some(number);
        }
        if self.names.is_full() {
            return None;
        }
        let number = self.add(hash, Kind::Location, key.as_bytes());
        self.fresh.nested(Kind::Location as u32, |entry| {
            entry.varint(1, number);
            entry.text(2, location.file);
            entry.text(3, location.function);
            if location.line > 0 {
                entry.varint(4, location.line.into());
            }
        });
        Some(number)
    }

    fn hash(&self, kind: Kind, text: &[u8]) -> u64 {
        self.hasher.hash_one((kind as u8, text))
    }

    fn known(&self, hash: u64, kind: Kind, text: &[u8]) -> Option<u64> {
        let Entries { table, texts } = self.entries(kind);
        let is_it = |entry: &Entry| {
            entry.hash == hash
                && entry.kind == kind
                && &texts[entry.start as usize..][..usize::from(entry.length)] == text
        };
        table.find(hash, is_it).map(|entry| entry.number.into())
    }

    fn add(&mut self, hash: u64, kind: Kind, text: &[u8]) -> u64 {
        let Entries { table, texts } = if kind == Kind::Text { &mut self.values } else { &mut self.names };
        let number = &mut self.numbers[kind.index()];
        *number += 1;
        let (start, length) = (texts.len() as u32, text.len() as u16);
        texts.extend_from_slice(text);
        table.insert_unique(hash, Entry { hash, start, length, kind, number: *number }, |entry| entry.hash);
        (*number).into()
    }
}
