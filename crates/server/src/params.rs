//! Query strings: each parameter is known, given once, and says what is wrong with it.

use std::fmt::Display;

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use glasshouse_model::{DurationNs, ProcessId, TimeRange, Timestamp};
use serde::de::DeserializeOwned;

use crate::Refusal;

/// Longest query string in bytes.
const MAX_QUERY: usize = 16 << 10;

/// The parameter of a path such as `/api/process/{process_id}`, or several as a tuple.
#[derive(Debug)]
pub(crate) struct PathParam<T = String>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for PathParam<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let Path(text) = Path::from_request_parts(parts, state)
            .await
            .map_err(|error| Refusal::invalid("the path is malformed").with_details(error.body_text()))?;
        Ok(Self(text))
    }
}

/// The process that a path names.
pub(crate) fn parse_process_id(text: &str) -> Result<ProcessId, Refusal> {
    text.parse().map_err(|error| Refusal::invalid(format!("{text:?} is not a process id: {error}")))
}

/// Whether the greatest come first: `desc` or `asc`.
pub(crate) fn parse_order(text: &str) -> Result<bool, String> {
    match text {
        "desc" => Ok(true),
        "asc" => Ok(false),
        _ => Err(format!("{text:?} is neither asc nor desc")),
    }
}

/// The parameters of a query string that no handler has taken yet.
#[derive(Debug, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        if parts.uri.query().is_some_and(|query| query.len() > MAX_QUERY) {
            return Err(Refusal::invalid(format!("the query string is longer than {MAX_QUERY} bytes")));
        }
        let Query(pairs) = Query::try_from_uri(&parts.uri)
            .map_err(|error| Refusal::invalid("the query string is malformed").with_details(error.to_string()))?;
        Ok(Self(pairs))
    }
}

impl Params {
    /// Takes a parameter; an empty value counts as none.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        let Some(position) = self.0.iter().position(|(key, _)| key == name) else { return Ok(None) };
        let (_, value) = self.0.remove(position);
        if self.0.iter().any(|(key, _)| key == name) {
            return Err(Refusal::invalid(format!("parameter {name} is given twice")));
        }
        Ok((!value.is_empty()).then_some(value))
    }

    /// Takes a parameter and reads it.
    pub(crate) fn parsed<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Refusal> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        parse(&text).map(Some).map_err(|error| Refusal::invalid(format!("parameter {name}: {error}")))
    }

    /// Takes `limit`, which is at least 1 and at most `max`.
    pub(crate) fn limit(&mut self, default: usize, max: usize) -> Result<usize, Refusal> {
        self.count("limit", default, max)
    }

    /// Takes a number that is at least 1 and at most `max`.
    pub(crate) fn count(&mut self, name: &str, default: usize, max: usize) -> Result<usize, Refusal> {
        let read = |text: &str| match text.parse() {
            Ok(count) if (1..=max).contains(&count) => Ok(count),
            _ => Err(format!("{text:?} is not a number from 1 to {max}")),
        };
        Ok(self.parsed(name, read)?.unwrap_or(default))
    }

    /// Takes a parameter that is `true` or `false`.
    pub(crate) fn flag(&mut self, name: &str) -> Result<Option<bool>, Refusal> {
        self.parsed(name, |text| match text {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(format!("{text:?} is neither true nor false")),
        })
    }

    /// Takes `from` and `to`.
    pub(crate) fn range(&mut self, now: Timestamp) -> Result<TimeRange, Refusal> {
        self.range_between("from", "to", now)
    }

    /// Takes two times.
    pub(crate) fn range_between(&mut self, from: &str, to: &str, now: Timestamp) -> Result<TimeRange, Refusal> {
        let (start, end) = (self.text(from)?, self.text(to)?);
        time_range((from, start.as_deref()), (to, end.as_deref()), now)
    }

    /// Takes a least and a greatest duration.
    pub(crate) fn durations(&mut self, least: &str, greatest: &str) -> Result<[Option<DurationNs>; 2], Refusal> {
        let min = self.parsed(least, DurationNs::parse)?;
        let max = self.parsed(greatest, DurationNs::parse)?;
        match (min, max) {
            (Some(min), Some(max)) if min > max => Err(Refusal::invalid(format!("{least} is greater than {greatest}"))),
            _ => Ok([min, max]),
        }
    }

    /// Takes all parameters whose name begins with `prefix`; the names come without it.
    pub(crate) fn prefixed(&mut self, prefix: &str) -> Vec<(String, String)> {
        let matching = self.0.extract_if(.., |(key, _)| key.len() > prefix.len() && key.starts_with(prefix));
        matching.map(|(key, value)| (key[prefix.len()..].to_owned(), value)).collect()
    }

    /// Refuses parameters that nothing has taken: a misspelt filter must not widen the answer.
    pub(crate) fn finish(self) -> Result<(), Refusal> {
        match self.0.first() {
            None => Ok(()),
            Some((key, _)) => Err(Refusal::invalid(format!("there is no parameter {key:?} here"))),
        }
    }
}

/// The range between two times with the names of their parameters; a missing end is open.
pub(crate) fn time_range(
    from: (&str, Option<&str>),
    to: (&str, Option<&str>),
    now: Timestamp,
) -> Result<TimeRange, Refusal> {
    let read = |(name, text): (&str, Option<&str>), open: Timestamp| {
        text.map_or(Ok(open), |text| {
            Timestamp::parse(text, now).map_err(|error| Refusal::invalid(format!("{name}: {error}")))
        })
    };
    let range = TimeRange { from: read(from, Timestamp::MIN)?, to: read(to, Timestamp::MAX)? };
    if range.from >= range.to {
        return Err(Refusal::invalid(format!("the time range is empty: {} must be before {}", from.0, to.0)));
    }
    Ok(range)
}
