//! Values of attributes.

use std::fmt;

use glasshouse_model::Value;

/// The value of an attribute, borrowed where it can be.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum AttributeValue<'a> {
    /// Text.
    String(&'a str),
    /// Text that is formatted where it is kept, without a copy of its own.
    Formatted(fmt::Arguments<'a>),
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Double(f64),
    /// Bytes.
    Bytes(&'a [u8]),
    /// Texts.
    Strings(&'a [&'a str]),
    /// Truth values.
    Bools(&'a [bool]),
    /// Integers.
    Ints(&'a [i64]),
    /// Floats.
    Doubles(&'a [f64]),
    /// Anything; what is nested more than sixteen deep is left empty.
    Value(&'a Value),
}

macro_rules! from {
    ($($type:ty => |$value:ident| $made:expr;)*) => {$(
        impl<'a> From<$type> for AttributeValue<'a> {
            fn from($value: $type) -> Self {
                $made
            }
        }
    )*};
}

from! {
    &'a str => |value| Self::String(value);
    &'a String => |value| Self::String(value);
    fmt::Arguments<'a> => |value| Self::Formatted(value);
    bool => |value| Self::Bool(value);
    i64 => |value| Self::Int(value);
    i32 => |value| Self::Int(value.into());
    i16 => |value| Self::Int(value.into());
    u32 => |value| Self::Int(value.into());
    u16 => |value| Self::Int(value.into());
    u8 => |value| Self::Int(value.into());
    f64 => |value| Self::Double(value);
    f32 => |value| Self::Double(value.into());
    &'a [u8] => |value| Self::Bytes(value);
    &'a [&'a str] => |value| Self::Strings(value);
    &'a [bool] => |value| Self::Bools(value);
    &'a [i64] => |value| Self::Ints(value);
    &'a [f64] => |value| Self::Doubles(value);
    &'a Value => |value| Self::Value(value);
}

/// Lengths: those beyond what OTLP has end at its largest.
impl From<usize> for AttributeValue<'_> {
    fn from(value: usize) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}
