use std::collections::HashMap;

use foldhash::fast::RandomState;
use glasshouse_tables::ShredType;
use glasshouse_tables::attributes::{RawValue, ValueRef};

/// The type of column that a value may go to; `None` for values that only JSON holds.
#[inline]
pub(crate) fn shred_type(value: RawValue<'_>) -> Option<ShredType> {
    match value {
        RawValue::String(_) => Some(ShredType::String),
        RawValue::Other(ValueRef::Int(_)) => Some(ShredType::Int),
        RawValue::Other(ValueRef::Double(_)) => Some(ShredType::Double),
        RawValue::Other(ValueRef::Bool(_)) => Some(ShredType::Bool),
        RawValue::Other(_) => None,
    }
}

/// Numbers for attribute keys. Senders repeat themselves: the key after this one is most often the one
/// that followed it last time, so a lookup is mostly one comparison instead of a hash.
#[derive(Debug, Default)]
pub(super) struct Keys {
    numbers: HashMap<Box<[u8]>, u32, RandomState>,
    by_number: Vec<Box<str>>,
    /// What followed each key last; the first entry is for the beginning of a row.
    followers: Vec<u32>,
}

const UNKNOWN: u32 = u32::MAX;

impl Keys {
    /// The number of a key that [`Self::add`] knows. `previous` is the number of the row's key before it.
    #[inline]
    pub fn find(&mut self, previous: Option<u32>, key: &[u8]) -> Option<u32> {
        let place = previous.map_or(0, |number| number as usize + 1);
        let guess = self.followers.get(place).copied().unwrap_or(UNKNOWN);
        if let Some(guessed) = self.by_number.get(guess as usize)
            && guessed.as_bytes() == key
        {
            return Some(guess);
        }
        let number = *self.numbers.get(key)?;
        self.followers[place] = number;
        Some(number)
    }

    /// The number of a key, a new one when it is new.
    pub fn add(&mut self, key: &str) -> u32 {
        if let Some(number) = self.numbers.get(key.as_bytes()) {
            return *number;
        }
        let number = self.by_number.len() as u32;
        self.by_number.push(key.into());
        self.numbers.insert(key.as_bytes().into(), number);
        self.followers.resize(self.by_number.len() + 1, UNKNOWN);
        number
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.by_number.len()
    }

    /// The key of a number.
    pub fn key(&self, number: u32) -> &str {
        &self.by_number[number as usize]
    }
}
