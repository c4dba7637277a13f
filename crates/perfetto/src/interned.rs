//! Names that repeat are written once and referred to by number.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use glasshouse_model::TraceId;
use glasshouse_tables::attributes::{Repeats, Text};
use hashbrown::HashTable;

use crate::wire::Message;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Location<'a> {
    pub file: &'a str,
    pub function: &'a str,
    pub line: u32,
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
    /// Numbers of the fixed names, and of the texts of places; 0 while there is none.
    fixed: [u32; Fixed::COUNT],
    places: Vec<u32>,
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

    /// Whether it is time to forget everything.
    pub fn is_full(&self) -> bool {
        let all = [&self.names, &self.values];
        all.iter().any(|entries| entries.table.len() > MAX_ENTRIES || entries.texts.len() > MAX_BYTES)
    }

    /// Forgets everything; the reader must be told to forget it too.
    pub fn clear(&mut self) {
        for entries in [&mut self.names, &mut self.values] {
            entries.table.clear();
            entries.texts.clear();
        }
        self.fixed = [0; Fixed::COUNT];
        self.places.fill(0);
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
        self.places.resize(count as usize, 0);
    }

    /// The number of a fixed name.
    #[inline]
    pub fn fixed(&mut self, name: Fixed) -> u64 {
        let known = self.fixed[name as usize];
        if known != 0 {
            return known.into();
        }
        let number = self.number_of(name.kind(), name.text().as_bytes()).unwrap_or_default();
        self.fixed[name as usize] = number as u32;
        number
    }

    /// The number of a text; `None` when it is too long to be kept. A place has texts of one kind.
    #[inline]
    pub fn number(&mut self, kind: Kind, text: Text<'_>) -> Option<u64> {
        self.at_place(text.repeats, |interner| interner.number_of(kind, text.bytes))
    }

    /// The number of a text, from the second time on that it comes; `None` too when it is as short as a number.
    #[inline]
    pub fn number_of_repeated(&mut self, text: Text<'_>) -> Option<u64> {
        match text.repeats {
            Repeats::Rarely => None,
            repeats => self.at_place(repeats, |interner| interner.number_of_seen(text.bytes)),
        }
    }

    /// The number of a trace's id as hex digits, from the second time on that it comes, with few others in between.
    pub fn number_of_trace(&mut self, id: &TraceId) -> Option<u64> {
        let bytes = id.as_bytes();
        // Ids are random, at least at their end.
        let place = usize::from(u16::from_le_bytes([bytes[15], bytes[14]])) % TRACES;
        match self.traces[place] {
            Some((known, number)) if known == *id && number > 0 => Some(number.into()),
            Some((known, _)) if known == *id => {
                let number = self.number_of(Kind::Text, &id.hex())?;
                self.traces[place] = Some((*id, number as u32));
                Some(number)
            }
            _ => {
                self.traces[place] = Some((*id, 0));
                None
            }
        }
    }

    /// What is known of a place, or else what `find` finds.
    #[inline]
    fn at_place(&mut self, repeats: Repeats, find: impl FnOnce(&mut Self) -> Option<u64>) -> Option<u64> {
        let Repeats::At(place) = repeats else { return find(self) };
        match self.places.get(place as usize) {
            Some(0) | None => {}
            Some(known) => return Some((*known).into()),
        }
        let number = find(self)?;
        if let Some(known) = self.places.get_mut(place as usize) {
            *known = number as u32;
        }
        Some(number)
    }

    fn number_of(&mut self, kind: Kind, text: &[u8]) -> Option<u64> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let hash = self.hash(kind, text);
        if let Some(number) = self.known(hash, kind, text) {
            return Some(number);
        }
        let number = self.add(hash, kind, text);
        self.fresh.nested(kind as u32, |entry| {
            entry.varint(1, number);
            entry.text_bytes(2, text);
        });
        Some(number)
    }

    fn number_of_seen(&mut self, text: &[u8]) -> Option<u64> {
        if !(MIN_TEXT..=MAX_TEXT).contains(&text.len()) {
            return None;
        }
        let hash = self.hash(Kind::Text, text);
        if let Some(number) = self.known(hash, Kind::Text, text) {
            return Some(number);
        }
        // Of a hash that is the same in every run, so that a trace is too.
        let hash = xxhash_rust::xxh3::xxh3_64(text);
        let place = &mut self.seen[hash as usize % SEEN];
        let mark = (hash >> 32) as u32 | 1;
        if *place == mark {
            return self.number_of(Kind::Text, text);
        }
        *place = mark;
        None
    }

    /// The number of a place in code.
    pub fn location(&mut self, location: &Location<'_>) -> Option<u64> {
        let key = format!("{}\0{}\0{}", location.file, location.function, location.line);
        if key.len() > MAX_TEXT {
            return None;
        }
        let hash = self.hash(Kind::Location, key.as_bytes());
        if let Some(number) = self.known(hash, Kind::Location, key.as_bytes()) {
            return Some(number);
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
        let Entries { table, texts } = if kind == Kind::Text { &self.values } else { &self.names };
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
