//! The header `tracestate` ([W3C Trace Context](https://www.w3.org/TR/trace-context-2/#tracestate-header)).

use std::fmt;
use std::sync::Arc;

/// Name of the header.
pub const TRACESTATE: &str = "tracestate";

/// Entries of a list; with more, all of it is left out.
const MAX_ENTRIES: usize = 32;

/// What vendors pass along with a trace: a list of keys and values, the latest first. It is cheap to clone.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct TraceState(Option<Arc<str>>);

/// Why an entry is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TraceStateError {
    /// The key has characters or a length that are not allowed.
    #[error("{0:?} is not a valid key of a tracestate")]
    Key(String),
    /// The value has characters or a length that are not allowed.
    #[error("{0:?} is not a valid value in a tracestate")]
    Value(String),
    /// More than 32 entries.
    #[error("a tracestate has no more than 32 entries")]
    TooMany,
}

impl TraceState {
    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// As the header's value.
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }

    /// Keys and values, in their order.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.as_str().split(',').filter_map(|entry| entry.split_once('='))
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.entries().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    /// The same with a value for a key, which comes first then; an older value of the key goes.
    pub fn with(&self, key: &str, value: &str) -> Result<Self, TraceStateError> {
        if !is_key(key) {
            return Err(TraceStateError::Key(key.to_owned()));
        }
        if !is_value(value) {
            return Err(TraceStateError::Value(value.to_owned()));
        }
        let others = self.entries().filter(|(known, _)| *known != key);
        let entries: Vec<_> = std::iter::once((key, value)).chain(others).collect();
        if entries.len() > MAX_ENTRIES { Err(TraceStateError::TooMany) } else { Ok(Self::of(&entries)) }
    }

    /// Reads the headers of a request, in their order. Where they are not valid all of it is left out; of a key that comes
    /// twice the first counts.
    pub(super) fn parse<'a>(headers: impl Iterator<Item = &'a str>) -> Self {
        let mut entries: Vec<(&str, &str)> = Vec::new();
        for entry in headers.flat_map(|header| header.split(',')) {
            let entry = entry.trim_matches([' ', '\t']);
            if entry.is_empty() {
                continue;
            }
            let Some((key, value)) = entry.split_once('=').filter(|(key, value)| is_key(key) && is_value(value)) else {
                return Self::default();
            };
            if entries.iter().all(|(known, _)| *known != key) {
                entries.push((key, value));
            }
            if entries.len() > MAX_ENTRIES {
                return Self::default();
            }
        }
        Self::of(&entries)
    }

    fn of(entries: &[(&str, &str)]) -> Self {
        let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{key}={value}")).collect();
        Self((!entries.is_empty()).then(|| entries.join(",").into()))
    }
}

impl fmt::Debug for TraceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.entries()).finish()
    }
}

/// As the second edition has it, which allows all that the first does.
fn is_key(key: &str) -> bool {
    let [first, rest @ ..] = key.as_bytes() else { return false };
    let is_allowed = |c: &u8| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@');
    key.len() <= 256 && (first.is_ascii_lowercase() || first.is_ascii_digit()) && rest.iter().all(is_allowed)
}

fn is_value(value: &str) -> bool {
    let is_allowed = |c: &u8| matches!(c, 0x20..=0x7e) && !matches!(c, b',' | b'=');
    (1..=256).contains(&value.len()) && value.as_bytes().iter().all(is_allowed) && !value.ends_with(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[&str], expected: &str) {
        assert_eq!(TraceState::parse(headers.iter().copied()).as_str(), expected, "{headers:?}");
    }

    #[test]
    fn lists_are_read_in_their_order() {
        check(&["foo=1,bar=2"], "foo=1,bar=2");
        check(&["foo=1", "bar=2,baz=3"], "foo=1,bar=2,baz=3");
        check(&["foo=1 \t , \t bar=2, \t baz=3"], "foo=1,bar=2,baz=3");
        check(&["foo=1,,", ",", "", "bar=2"], "foo=1,bar=2");
        check(&["foo=1,bar=2,foo=3"], "foo=1,bar=2");
        check(
            &["rojo=00f067aa0ba902b7,congo@t_-*/0=!\"#$%&'()*+-./0 ~"],
            "rojo=00f067aa0ba902b7,congo@t_-*/0=!\"#$%&'()*+-./0 ~",
        );
        check(&[&format!("{}=1", "z".repeat(256))], &format!("{}=1", "z".repeat(256)));
        let tenant = format!("{}@{}=1", "t".repeat(241), "v".repeat(14));
        check(&[&tenant], &tenant);
    }

    #[test]
    fn what_is_not_valid_is_left_out_whole() {
        for header in [
            "foo=1,bar",
            "foo",
            "foo=",
            "foo =1",
            "FOO=1",
            "foo.bar=1",
            "@foo=1",
            "-foo=1",
            "foo=bar=baz",
            "foo=\u{e9}",
            "foo=1,bar=\u{7}",
            &format!("{}=1", "z".repeat(257)),
            &format!("{}@v=1", "t".repeat(255)),
            &format!("foo={}", "v".repeat(257)),
        ] {
            check(&[header], "");
        }
        let many = |count: usize| (0..count).map(|i| format!("k{i}=v")).collect::<Vec<_>>().join(",");
        check(&[&many(32)], &many(32));
        check(&[&many(33)], "");
    }

    #[test]
    fn what_is_added_comes_first() {
        let state = TraceState::parse(["a=1,b=2"].into_iter());
        assert_eq!(state.with("b", "3").unwrap().as_str(), "b=3,a=1");
        assert_eq!(state.get("b"), Some("2"));
        assert_eq!(state.with("B", "3"), Err(TraceStateError::Key("B".into())));
        assert_eq!(state.with("b", "3,"), Err(TraceStateError::Value("3,".into())));
        let full = (0..32).fold(TraceState::default(), |state, i| state.with(&format!("k{i}"), "v").unwrap());
        assert_eq!(full.with("more", "v"), Err(TraceStateError::TooMany));
        assert_eq!(full.with("k7", "w").unwrap().entries().count(), 32);
    }
}
