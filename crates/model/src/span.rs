use serde::{Deserialize, Serialize};

macro_rules! label {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $number:literal, $text:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        #[expect(missing_docs, reason = "the names are OpenTelemetry's")]
        pub enum $name { #[default] $($variant),* }

        impl $name {
            /// All values, in the order of their OTLP numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name shown and stored, in upper case.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// The value of an OTLP number; unknown numbers read as the first value.
            pub fn from_otlp(number: i64) -> Self {
                match number { $($number => Self::$variant,)* _ => Self::default() }
            }

            /// The value's OTLP number.
            pub fn otlp(self) -> i32 {
                match self { $(Self::$variant => $number),* }
            }

            /// The value of a name in upper case.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

label!(
    /// What role a span plays in a call (OTLP `Span.SpanKind`).
    SpanKind {
        Unspecified = 0, "UNSPECIFIED";
        Internal = 1, "INTERNAL";
        Server = 2, "SERVER";
        Client = 3, "CLIENT";
        Producer = 4, "PRODUCER";
        Consumer = 5, "CONSUMER";
    }
);

label!(
    /// How a span ended (OTLP `Status.StatusCode`).
    StatusCode {
        Unset = 0, "UNSET";
        Ok = 1, "OK";
        Error = 2, "ERROR";
    }
);

/// What a trace is mainly about. The server's rules tell it by the attributes of the trace's spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TraceKind {
    /// Requests over HTTP.
    Http,
    /// Remote procedure calls.
    Rpc,
    /// Questions to something that computes answers: GraphQL, an incremental query runtime.
    Query,
    /// A build, or another pipeline of continuous integration.
    Build,
    /// Statements to a database.
    Database,
    /// Messages sent or received.
    Messaging,
    /// Several of these, under a root span that is none of them.
    Mixed,
    /// No rule tells.
    Other,
}

impl TraceKind {
    /// All kinds.
    pub const ALL: [Self; 8] =
        [Self::Http, Self::Rpc, Self::Query, Self::Build, Self::Database, Self::Messaging, Self::Mixed, Self::Other];

    /// The name in requests, answers and configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Rpc => "rpc",
            Self::Query => "query",
            Self::Build => "build",
            Self::Database => "database",
            Self::Messaging => "messaging",
            Self::Mixed => "mixed",
            Self::Other => "other",
        }
    }

    /// The kind of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}
