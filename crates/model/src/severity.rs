use serde::{Deserialize, Serialize};

/// OpenTelemetry severity number, 1 (TRACE) to 24 (FATAL4); 0 when the sender gave none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Severity(pub i32);

/// Log level, most severe first; its number is the `level` column of `logs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names are the levels'")]
pub enum Level {
    Fatal = 1,
    Error = 2,
    Warn = 3,
    Info = 4,
    Debug = 5,
    Trace = 6,
}

impl Severity {
    /// The level of this severity number (OpenTelemetry log data model, "`SeverityNumber`");
    /// `None` when unspecified or out of range.
    pub fn level(self) -> Option<Level> {
        Some(match self.0 {
            1..=4 => Level::Trace,
            5..=8 => Level::Debug,
            9..=12 => Level::Info,
            13..=16 => Level::Warn,
            17..=20 => Level::Error,
            21..=24 => Level::Fatal,
            _ => return None,
        })
    }
}

/// The first number of the level's range.
impl From<Level> for Severity {
    fn from(level: Level) -> Self {
        Self(match level {
            Level::Trace => 1,
            Level::Debug => 5,
            Level::Info => 9,
            Level::Warn => 13,
            Level::Error => 17,
            Level::Fatal => 21,
        })
    }
}

impl Level {
    /// Every level, the gravest first.
    pub const ALL: [Self; 6] = [Self::Fatal, Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    /// The level's name in upper case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fatal => "FATAL",
            Self::Error => "ERROR",
            Self::Warn => "WARN",
            Self::Info => "INFO",
            Self::Debug => "DEBUG",
            Self::Trace => "TRACE",
        }
    }

    /// The level of a name, in either case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str().eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_s_severity_is_of_that_level() {
        for level in Level::ALL {
            assert_eq!(Level::from_name(&level.as_str().to_lowercase()), Some(level));
            assert_eq!(Severity::from(level).level(), Some(level));
        }
    }

    #[test]
    fn severity_numbers_map_as_the_log_data_model_says() {
        let levels: Vec<_> = (0..=25).map(|n| Severity(n).level().map(|level| level as i32)).collect();
        let expected =
            [(1, None), (4, Some(6)), (4, Some(5)), (4, Some(4)), (4, Some(3)), (4, Some(2)), (4, Some(1)), (1, None)];
        let expected: Vec<_> = expected.iter().flat_map(|&(n, level)| std::iter::repeat_n(level, n)).collect();
        assert_eq!(levels, expected);
    }
}
