//! Names that repeat are written once and referred to by number.

use std::collections::HashMap;

use crate::wire::Message;

/// What is interned, each kind with numbers of its own. The discriminant is the field of `InternedData`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Category = 1,
    EventName = 2,
    AnnotationName = 3,
    Text = 29,
}

/// Where code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Location<'a> {
    pub file: &'a str,
    pub function: &'a str,
    pub line: u32,
}

/// Everything is forgotten when there are more entries …
const MAX_ENTRIES: usize = 32_768;
/// … or when they take more than this.
const MAX_BYTES: usize = 4 << 20;
/// Longer texts are not interned.
const MAX_TEXT: usize = 1024;
/// How many texts are remembered to have been seen once.
const SEEN: usize = 1 << 13;

/// What the reader of the trace knows by number.
#[derive(Debug)]
pub(crate) struct Interner {
    categories: HashMap<Box<str>, u64>,
    event_names: HashMap<Box<str>, u64>,
    annotation_names: HashMap<Box<str>, u64>,
    texts: HashMap<Box<str>, u64>,
    locations: HashMap<Box<str>, u64>,
    /// Hashes of texts that came once: most values never come again and are not worth a number.
    seen: Box<[u32]>,
    entries: usize,
    bytes: usize,
    /// Fields of `InternedData` that are still to be written.
    fresh: Message,
}

impl Interner {
    pub fn new() -> Self {
        Self {
            categories: HashMap::new(),
            event_names: HashMap::new(),
            annotation_names: HashMap::new(),
            texts: HashMap::new(),
            locations: HashMap::new(),
            seen: vec![0; SEEN].into_boxed_slice(),
            entries: 0,
            bytes: 0,
            fresh: Message::default(),
        }
    }

    /// Whether it is time to forget everything.
    pub fn is_full(&self) -> bool {
        self.entries > MAX_ENTRIES || self.bytes > MAX_BYTES
    }

    /// Forgets everything; the reader must be told to forget it too.
    pub fn clear(&mut self) {
        *self = Self::new();
    }

    /// What the reader must know before it reads the next event.
    pub fn fresh(&mut self) -> &mut Message {
        &mut self.fresh
    }

    /// The number of a text; `None` when it is too long to be kept.
    pub fn number(&mut self, kind: Kind, text: &str) -> Option<u64> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let known = match kind {
            Kind::Category => &mut self.categories,
            Kind::EventName => &mut self.event_names,
            Kind::AnnotationName => &mut self.annotation_names,
            Kind::Text => &mut self.texts,
        };
        if let Some(number) = known.get(text) {
            return Some(*number);
        }
        let number = known.len() as u64 + 1;
        known.insert(text.into(), number);
        self.entries += 1;
        self.bytes += text.len();
        self.fresh.nested(kind as u32, |entry| {
            entry.varint(1, number);
            entry.text(2, text);
        });
        Some(number)
    }

    /// The number of a text, from the second time on that it comes.
    pub fn number_of_repeated(&mut self, text: &str) -> Option<u64> {
        if text.len() > MAX_TEXT {
            return None;
        }
        if let Some(number) = self.texts.get(text) {
            return Some(*number);
        }
        let hash = xxhash_rust::xxh3::xxh3_64(text.as_bytes());
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
        let key = format!("{}\0{}\0{}", location.file, location.function, location.line);
        if key.len() > MAX_TEXT {
            return None;
        }
        if let Some(number) = self.locations.get(key.as_str()) {
            return Some(*number);
        }
        let number = self.locations.len() as u64 + 1;
        self.entries += 1;
        self.bytes += key.len();
        self.locations.insert(key.into(), number);
        self.fresh.nested(4, |entry| {
            entry.varint(1, number);
            entry.text(2, location.file);
            entry.text(3, location.function);
            if location.line > 0 {
                entry.varint(4, location.line.into());
            }
        });
        Some(number)
    }
}
