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

/// What a trace is mainly about, told by its root span's attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum TraceKind {
    Http,
    Rpc,
    Database,
    Messaging,
    Other,
}
