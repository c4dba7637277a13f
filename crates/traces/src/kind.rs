//! What a trace is mainly about.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::str::FromStr;

use glasshouse_model::TraceKind;

use crate::attribute::{WantedAttribute, WantedValue};
use crate::cells::Selection;
use crate::error::Failure;
use crate::source::{Absent, Source};
use crate::store::Stop;
use crate::summary::Draft;

/// Keys that OpenTelemetry's semantic conventions give each sort of span, today's and those of older versions, and
/// those of Glasshouse's own adapters.
const KEYS: &[(&str, TraceKind)] = &[
    ("http.request.method", TraceKind::Http),
    ("http.method", TraceKind::Http),
    ("rpc.system.name", TraceKind::Rpc),
    ("rpc.system", TraceKind::Rpc),
    ("db.system.name", TraceKind::Database),
    ("db.system", TraceKind::Database),
    ("messaging.system", TraceKind::Messaging),
    ("query.name", TraceKind::Query),
    ("graphql.operation.type", TraceKind::Query),
    ("cicd.pipeline.result", TraceKind::Build),
    ("cicd.pipeline.name", TraceKind::Build),
    ("cicd.pipeline.run.id", TraceKind::Build),
    ("cicd.pipeline.task.name", TraceKind::Build),
];

/// Says that spans with an attribute are of a kind. Its text is `KIND=KEY`, for any value, or `KIND=KEY=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindRule {
    kind: TraceKind,
    key: String,
    value: Option<String>,
}

/// The text is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KindRuleError {
    /// It is not of the form.
    #[error("expected KIND=KEY or KIND=KEY=VALUE, for example build=bazel.target")]
    Form,
    /// There is no such kind.
    #[error("{0:?} is none of the kinds {names}", names = TraceKind::ALL.map(TraceKind::as_str).join(", "))]
    Kind(String),
}

impl FromStr for KindRule {
    type Err = KindRuleError;

    fn from_str(text: &str) -> Result<Self, KindRuleError> {
        let (name, attribute) = text.split_once('=').ok_or(KindRuleError::Form)?;
        let kind = TraceKind::from_name(name).ok_or_else(|| KindRuleError::Kind(name.to_owned()))?;
        let (key, value) = match attribute.split_once('=') {
            Some((key, value)) => (key, Some(value.to_owned())),
            None => (attribute, None),
        };
        if key.is_empty() {
            return Err(KindRuleError::Form);
        }
        Ok(Self { kind, key: key.to_owned(), value })
    }
}

impl fmt::Display for KindRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.kind.as_str(), self.key)?;
        self.value.iter().try_for_each(|value| write!(f, "={value}"))
    }
}

/// The rules, the first that fits a span tells its kind.
#[derive(Debug)]
pub(crate) struct KindRules(Vec<KindRule>);

impl Default for KindRules {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl KindRules {
    /// These rules come before the usual ones.
    pub fn new(mut rules: Vec<KindRule>) -> Self {
        rules.extend(KEYS.iter().map(|(key, kind)| KindRule { kind: *kind, key: (*key).to_owned(), value: None }));
        Self(rules)
    }

    /// The kinds of traces: that of the root span or, when no rule fits the root, that of all spans.
    pub fn of_traces(&self, drafts: &[Draft], absent: &Absent, stop: &Stop) -> Result<Vec<TraceKind>, Failure> {
        let mut kinds = vec![None; drafts.len()];
        let traces = || drafts.iter().enumerate();
        self.tell(&mut kinds, traces().map(|(trace, draft)| (trace, &*draft.root)), absent, stop)?;
        let silent: Vec<_> = traces().filter(|(trace, _)| kinds[*trace].is_none()).collect();
        self.tell(&mut kinds, silent.into_iter().map(|(trace, draft)| (trace, &*draft.spans)), absent, stop)?;
        Ok(kinds.into_iter().map(|kind| kind.unwrap_or(TraceKind::Other)).collect())
    }

    /// Tells the kinds of traces by these spans, as far as rules fit them. Each rule looks at a source once, for all traces.
    fn tell<'d>(
        &self,
        kinds: &mut [Option<TraceKind>],
        spans: impl Iterator<Item = (usize, &'d [(Source, Vec<u32>)])>,
        absent: &Absent,
        stop: &Stop,
    ) -> Result<(), Failure> {
        let mut sources: HashMap<_, (&Source, Vec<(u32, usize)>)> = HashMap::new();
        for (trace, of_trace) in spans {
            for (source, rows) in of_trace {
                let (_, known) = sources.entry(source.id()).or_insert_with(|| (source, Vec::new()));
                known.extend(rows.iter().map(|row| (*row, trace)));
            }
        }
        for (source, mut rest) in sources.into_values() {
            rest.sort_unstable();
            for rule in &self.0 {
                stop.check()?;
                let mut fitting = Selection::of(source.len(), rest.iter().map(|(row, _)| *row).collect());
                rule.attribute().keep(source, absent, &mut fitting)?;
                let fitting = fitting.into_rows();
                rest.retain(|(row, trace)| {
                    let fits = fitting.binary_search(row).is_ok();
                    if fits {
                        let known = kinds[*trace].get_or_insert(rule.kind);
                        if *known != rule.kind {
                            *known = TraceKind::Mixed;
                        }
                    }
                    !fits
                });
                if rest.is_empty() {
                    break;
                }
            }
        }
        Ok(())
    }
}

impl KindRule {
    fn attribute(&self) -> WantedAttribute<'_> {
        let value = self.value.as_deref().map_or(WantedValue::Any, WantedValue::Text);
        WantedAttribute { key: &self.key, value, processes: HashSet::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_and_written() {
        for text in ["build=bazel.target", "rpc=rpc.system.name=rapace", "query=a=", "mixed=k=a=b"] {
            assert_eq!(text.parse::<KindRule>().unwrap().to_string(), text);
        }
        let with_value: KindRule = "mixed=k=a=b".parse().unwrap();
        assert_eq!((&*with_value.key, with_value.value.as_deref()), ("k", Some("a=b")));
    }

    #[test]
    fn other_text_is_refused_with_the_reason() {
        let error = |text: &str| text.parse::<KindRule>().unwrap_err().to_string();
        assert_eq!(error("build"), "expected KIND=KEY or KIND=KEY=VALUE, for example build=bazel.target");
        assert_eq!(error("build="), error("build"));
        assert_eq!(
            error("Build=x"),
            "\"Build\" is none of the kinds http, rpc, query, build, database, messaging, mixed, other"
        );
    }
}
