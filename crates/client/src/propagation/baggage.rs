//! The header `baggage` ([W3C Baggage](https://www.w3.org/TR/baggage/)).

use std::fmt::Write as _;

/// Name of the header.
pub const BAGGAGE: &str = "baggage";

/// Entries of a header that are passed on at least, and at most here.
const MAX_ENTRIES: usize = 64;
/// Bytes of a header, likewise.
const MAX_BYTES: usize = 8192;

/// What a program says to all that work on its request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Baggage(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    key: String,
    value: String,
    /// Properties, as they were written.
    properties: String,
}

/// Why an entry was not added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BaggageError {
    /// The key is no token as HTTP has them.
    #[error("{0:?} is not a valid key of baggage")]
    Key(String),
    /// There would be more than 64 entries or 8,192 bytes.
    #[error("baggage has no more than 64 entries and 8192 bytes")]
    TooMuch,
}

impl Baggage {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keys and values, in their order.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|entry| (entry.key.as_str(), entry.value.as_str()))
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.entries().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    /// Sets the value of a key; any text is allowed as a value.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), BaggageError> {
        if !is_token(key) {
            return Err(BaggageError::Key(key.to_owned()));
        }
        let before = self.0.clone();
        self.0.retain(|entry| entry.key != key);
        self.0.push(Entry { key: key.to_owned(), value: value.to_owned(), properties: String::new() });
        if self.0.len() > MAX_ENTRIES || self.header().len() > MAX_BYTES {
            self.0 = before;
            return Err(BaggageError::TooMuch);
        }
        Ok(())
    }

    /// Reads the headers of a request, in their order. Entries that are not valid, or are beyond the limits, are left out.
    pub(super) fn parse<'a>(headers: impl Iterator<Item = &'a str>) -> Self {
        let mut baggage = Self::default();
        let mut bytes = 0;
        let is_printable = |text: &str| text.bytes().all(|byte| matches!(byte, b'\t' | 0x20..=0x7e));
        for member in headers.flat_map(|header| header.split(',')).filter(|member| is_printable(member)) {
            let (entry, properties) = member.split_once(';').unwrap_or((member, ""));
            let Some((key, value)) = entry.split_once('=') else { continue };
            let (key, value) = (key.trim_matches([' ', '\t']), decode(value.trim_matches([' ', '\t'])));
            if baggage.0.len() < MAX_ENTRIES && is_token(key) {
                let properties = properties.trim_matches([' ', '\t']).to_owned();
                let entry = Entry { key: key.to_owned(), value, properties };
                bytes += entry.header().len() + 1;
                if bytes <= MAX_BYTES {
                    baggage.0.push(entry);
                }
            }
        }
        baggage
    }

    /// As the header's value.
    pub(super) fn header(&self) -> String {
        let entries: Vec<String> = self.0.iter().map(Entry::header).collect();
        entries.join(",")
    }
}

impl Entry {
    fn header(&self) -> String {
        let mut header = format!("{}=", self.key);
        encode(&self.value, &mut header);
        if !self.properties.is_empty() {
            header.push(';');
            header.push_str(&self.properties);
        }
        header
    }
}

fn is_token(text: &str) -> bool {
    let is_allowed = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&c);
    !text.is_empty() && text.bytes().all(is_allowed)
}

/// Writes what may stand in the header as it is, the rest as `%` and two digits for each byte of UTF-8.
fn encode(value: &str, out: &mut String) {
    for byte in value.bytes() {
        if matches!(byte, 0x21 | 0x23..=0x24 | 0x26..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e) {
            out.push(byte as char);
        } else {
            write!(out, "%{byte:02X}").expect("a string takes everything");
        }
    }
}

/// What is no UTF-8 is replaced, as the specification wants it.
fn decode(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, others @ ..] = rest {
        let digits = if *first == b'%' { others.get(..2) } else { None };
        let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let byte = digits.and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &others[2..] } else { others };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(header: &str, expected: &[(&str, &str)]) {
        let baggage = Baggage::parse([header].into_iter());
        assert_eq!(baggage.entries().collect::<Vec<_>>(), expected, "{header:?}");
    }

    #[test]
    fn entries_are_read() {
        check(
            "key1=value1;property1;property2, key2 = value2, key3=value3; propertyKey=propertyValue",
            &[("key1", "value1"), ("key2", "value2"), ("key3", "value3")],
        );
        check(
            "serverNode=DF%2028,userId=Am%C3%A9lie,isProduction=false",
            &[("serverNode", "DF 28"), ("userId", "Amélie"), ("isProduction", "false")],
        );
        check("bad key=1,=2,nothing,ok=100%,also=%zz%f%+f", &[("ok", "100%"), ("also", "%zz%f%+f")]);
        check("evil=1;p\r\nX-Evil: 1,evil=\u{7f},good=1;p\t=2", &[("good", "1")]);
        check("broken=%ff", &[("broken", "\u{fffd}")]);
    }

    #[test]
    fn properties_are_passed_on() {
        let header = "key1=value1;property1;p2=v2,key2=a%20b";
        assert_eq!(Baggage::parse([header].into_iter()).header(), header);
    }

    #[test]
    fn there_are_limits() {
        let mut baggage = Baggage::default();
        assert_eq!(baggage.set("a b", ""), Err(BaggageError::Key("a b".into())));
        assert_eq!(baggage.set("k", &"x".repeat(8191)), Err(BaggageError::TooMuch));
        assert!(baggage.is_empty());
        for i in 0..64 {
            baggage.set(&format!("k{i}"), "v").unwrap();
        }
        assert_eq!(baggage.set("more", "v"), Err(BaggageError::TooMuch));
        baggage.set("k0", "w").unwrap();
        assert_eq!((baggage.get("k0"), baggage.entries().count()), (Some("w"), 64));
        let long: Vec<String> = (0..100).map(|i| format!("k{i}=v")).collect();
        assert_eq!(Baggage::parse([long.join(",").as_str()].into_iter()).entries().count(), 64);
    }

    proptest! {
        #[test]
        fn any_value_comes_back(value in ".{0,100}") {
            let mut baggage = Baggage::default();
            baggage.set("key", &value).unwrap();
            let header = baggage.header();
            prop_assert!(header.bytes().all(|byte| (0x21..0x7f).contains(&byte)));
            prop_assert_eq!(Baggage::parse([header.as_str()].into_iter()), baggage);
        }
    }
}
