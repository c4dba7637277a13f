use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why text or bytes are not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text has another length than the id's.
    #[error("expected {expected} hex digits, got {actual}")]
    Length {
        /// Hex digits the id has.
        expected: usize,
        /// Characters that were given.
        actual: usize,
    },
    /// A character is not a hex digit.
    #[error("character {position} is not a hex digit")]
    Digit {
        /// Position of the character, counted from zero.
        position: usize,
    },
    /// W3C Trace Context forbids ids of zeros only.
    #[error("id must not be all zeros")]
    Zero,
}

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// Bytes in the id.
            pub const LEN: usize = $bytes;

            /// An id of these bytes; `None` when all are zero.
            pub fn from_bytes(bytes: [u8; $bytes]) -> Option<Self> {
                (bytes != [0; $bytes]).then_some(Self(bytes))
            }

            /// An id of a slice; `None` when its length is wrong or all bytes are zero.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                Self::from_bytes(bytes.try_into().ok()?)
            }

            /// The id's bytes, most significant first.
            pub fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }

            /// The id as lower-case hex digits, in ASCII.
            pub fn hex(&self) -> [u8; $bytes * 2] {
                let mut text = [0; $bytes * 2];
                encode_hex(&self.0, &mut text);
                text
            }

            /// Reads hex digits of either case; the whole text must be the id.
            pub fn parse_hex(text: &str) -> Result<Self, IdError> {
                let mut bytes = [0; $bytes];
                decode_hex(text.as_bytes(), &mut bytes)?;
                Self::from_bytes(bytes).ok_or(IdError::Zero)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(str::from_utf8(&self.hex()).expect("hex digits are ASCII"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse_hex(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse_hex(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

hex_id!(
    /// W3C trace id: 16 bytes, never all zeros, shown as 32 lower-case hex digits.
    TraceId,
    16
);
hex_id!(
    /// W3C span id: 8 bytes, never all zeros, shown as 16 lower-case hex digits.
    SpanId,
    8
);

/// Identity of a process: one run of a program, one OpenTelemetry resource instance.
///
/// Equal resources give equal ids: see `glasshouse-formats` for how it is derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProcessId(pub Uuid);

impl ProcessId {
    /// The id's bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// An id of a slice; `None` when its length is not 16.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|bytes| Self(Uuid::from_bytes(bytes)))
    }
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for ProcessId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

fn decode_hex(text: &[u8], out: &mut [u8]) -> Result<(), IdError> {
    if text.len() != out.len() * 2 {
        return Err(IdError::Length { expected: out.len() * 2, actual: text.len() });
    }
    let digit = |position: usize| {
        (text[position] as char).to_digit(16).map(|digit| digit as u8).ok_or(IdError::Digit { position })
    };
    for (i, byte) in out.iter_mut().enumerate() {
        *byte = digit(2 * i)? << 4 | digit(2 * i + 1)?;
    }
    Ok(())
}

fn encode_hex(bytes: &[u8], out: &mut [u8]) {
    for (digits, part) in out.as_chunks_mut::<8>().0.iter_mut().zip(bytes.as_chunks::<4>().0) {
        *digits = hex_digits(*part);
    }
}

/// Four bytes as hex digits, all of them at once: each half of a byte gets a byte of its own.
fn hex_digits(bytes: [u8; 4]) -> [u8; 8] {
    let mut halves = u64::from(u32::from_be_bytes(bytes));
    halves = (halves << 16 | halves) & 0x0000_ffff_0000_ffff;
    halves = (halves << 8 | halves) & 0x00ff_00ff_00ff_00ff;
    halves = (halves << 4 | halves) & 0x0f0f_0f0f_0f0f_0f0f;
    let is_letter = (halves + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101;
    let to_letter = u64::from(b'a' - b'0' - 10);
    (halves + 0x3030_3030_3030_3030 + is_letter * to_letter).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_round_trips_and_is_lower_case() {
        let id: TraceId = "4BF92F3577B34DA6A3CE929D0E0E4736".parse().unwrap();
        assert_eq!(id.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(TraceId::from_slice(id.as_bytes()), Some(id));
    }

    #[test]
    fn every_byte_has_its_digits() {
        for byte in 0..=u8::MAX {
            let bytes = [byte, !byte, 1, byte];
            let expected = format!("{byte:02x}{:02x}01{byte:02x}", !byte);
            assert_eq!(hex_digits(bytes), expected.as_bytes());
        }
    }

    #[test]
    fn bad_hex_says_what_is_wrong() {
        let check = |text: &str, expected: IdError| {
            assert_eq!(SpanId::parse_hex(text).unwrap_err(), expected, "{text:?}");
        };
        check("00f067aa0ba902", IdError::Length { expected: 16, actual: 14 });
        check("00f067aa0ba902bx", IdError::Digit { position: 15 });
        check("0000000000000000", IdError::Zero);
    }
}
