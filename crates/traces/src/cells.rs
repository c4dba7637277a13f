//! Typed views of columns, however they are encoded: hot batches and rows read back hold plain text, whole
//! columns of files hold small codes where text repeats.

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryArray, BooleanArray, DictionaryArray, FixedSizeBinaryArray,
    Float64Array, Int32Array, Int64Array, PrimitiveArray, StringArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    ArrowDictionaryKeyType, ArrowNativeType, Float64Type, Int32Type, Int64Type, TimestampNanosecondType, UInt8Type,
    UInt16Type,
};
use arrow::record_batch::RecordBatch;

use crate::error::Failure;

/// Rows of a batch or a row group that are still in question, ascending.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    len: usize,
    /// `None` while it is all of them.
    rows: Option<Vec<u32>>,
}

impl Selection {
    /// All rows.
    pub fn all(len: usize) -> Self {
        Self { len, rows: None }
    }

    /// These rows of so many, ascending.
    pub fn of(len: usize, rows: Vec<u32>) -> Self {
        Self { len, rows: Some(rows) }
    }

    /// No row is left.
    pub fn is_empty(&self) -> bool {
        self.rows.as_ref().map_or(self.len == 0, Vec::is_empty)
    }

    /// Leaves no row.
    pub fn clear(&mut self) {
        self.rows = Some(Vec::new());
    }

    /// Leaves the rows that pass.
    pub fn keep(&mut self, mut passes: impl FnMut(usize) -> bool) {
        if let Some(rows) = &mut self.rows {
            rows.retain(|row| passes(*row as usize));
        } else {
            self.rows = Some((0..self.len as u32).filter(|row| passes(*row as usize)).collect());
        }
    }

    /// Leaves the rows whose value is there and passes.
    pub fn keep_values<T: Copy>(&mut self, values: &[T], nulls: Option<&NullBuffer>, passes: impl Fn(T) -> bool) {
        if let Some(rows) = &mut self.rows {
            rows.retain(|row| passes(values[*row as usize]));
        } else {
            let mut rows = Vec::new();
            for (chunk, values) in values.chunks(64).enumerate() {
                // Few rows pass mostly: comparing without branches lets the compiler compare many at once.
                let mut passing = 0u64;
                for (bit, value) in values.iter().enumerate() {
                    passing |= u64::from(passes(*value)) << bit;
                }
                while passing != 0 {
                    rows.push(chunk as u32 * 64 + passing.trailing_zeros());
                    passing &= passing - 1;
                }
            }
            self.rows = Some(rows);
        }
        if let (Some(nulls), Some(rows)) = (nulls, &mut self.rows) {
            rows.retain(|row| nulls.is_valid(*row as usize));
        }
    }

    /// Hands out the rows.
    pub fn each(&self, mut look: impl FnMut(usize)) {
        match &self.rows {
            Some(rows) => rows.iter().for_each(|row| look(*row as usize)),
            None => (0..self.len).for_each(look),
        }
    }

    /// The rows.
    pub fn into_rows(self) -> Vec<u32> {
        self.rows.unwrap_or_else(|| (0..self.len as u32).collect())
    }
}

/// Text, plain or as codes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Texts<'a> {
    Plain(&'a StringArray),
    Codes8(&'a DictionaryArray<UInt8Type>),
    Codes16(&'a DictionaryArray<UInt16Type>),
    Codes32(&'a DictionaryArray<Int32Type>),
}

impl<'a> Texts<'a> {
    pub fn new(array: &'a dyn Array) -> Result<Self, Failure> {
        if let Some(plain) = array.as_string_opt::<i32>() {
            return Ok(Self::Plain(plain));
        }
        let dictionary = if let Some(codes) = array.as_dictionary_opt::<UInt8Type>() {
            Self::Codes8(codes)
        } else if let Some(codes) = array.as_dictionary_opt::<UInt16Type>() {
            Self::Codes16(codes)
        } else {
            Self::Codes32(array.as_dictionary_opt::<Int32Type>().ok_or(Failure::Schema("a text column"))?)
        };
        dictionary.values().ok_or(Failure::Schema("a text column"))?;
        Ok(dictionary)
    }

    /// The text of a row.
    pub fn get(self, row: usize) -> Option<&'a str> {
        fn of<K: ArrowDictionaryKeyType>(codes: &DictionaryArray<K>, row: usize) -> Option<&str> {
            let code = codes.is_valid(row).then(|| codes.keys().value(row).as_usize())?;
            Some(codes.values().as_string_opt::<i32>()?.value(code))
        }
        match self {
            Self::Plain(texts) => texts.is_valid(row).then(|| texts.value(row)),
            Self::Codes8(codes) => of(codes, row),
            Self::Codes16(codes) => of(codes, row),
            Self::Codes32(codes) => of(codes, row),
        }
    }

    /// Leaves the rows whose text equals `wanted`, or differs from it when not `equal`; NULL is neither.
    pub fn keep(self, wanted: &str, equal: bool, rows: &mut Selection) {
        fn codes<K: ArrowDictionaryKeyType>(
            codes: &DictionaryArray<K>,
            wanted: &str,
            equal: bool,
            rows: &mut Selection,
        ) {
            let values = codes.values().as_string::<i32>();
            // Codes of NULL may point anywhere, even behind an empty dictionary.
            let passing: Vec<bool> =
                (0..values.len().max(1)).map(|i| i < values.len() && (values.value(i) == wanted) == equal).collect();
            if !passing.contains(&true) {
                return rows.clear();
            }
            let keys = codes.keys().values();
            match passing.iter().position(|passes| *passes) {
                Some(only) if passing.iter().filter(|passes| **passes).count() == 1 => {
                    let only = K::Native::usize_as(only);
                    rows.keep_values(keys, codes.nulls(), |key| key == only);
                }
                _ => rows
                    .keep_values(keys, codes.nulls(), |key| passing.get(key.as_usize()).is_some_and(|passes| *passes)),
            }
        }
        match self {
            Self::Plain(texts) => rows.keep(|row| texts.is_valid(row) && (texts.value(row) == wanted) == equal),
            Self::Codes8(array) => codes(array, wanted, equal, rows),
            Self::Codes16(array) => codes(array, wanted, equal, rows),
            Self::Codes32(array) => codes(array, wanted, equal, rows),
        }
    }

    /// Adds to each row's bits what `bits` says of its text; asks once for each distinct text where they are known.
    pub fn look(self, rows: &Selection, bits: impl Fn(&str) -> u64, found: &mut [u64]) {
        fn codes<K: ArrowDictionaryKeyType>(
            codes: &DictionaryArray<K>,
            rows: &Selection,
            bits: impl Fn(&str) -> u64,
            found: &mut [u64],
        ) {
            let values = codes.values().as_string::<i32>();
            let bits: Vec<u64> = (0..values.len()).map(|code| bits(values.value(code))).collect();
            if bits.iter().any(|bits| *bits != 0) {
                rows.each(|row| {
                    if codes.is_valid(row) {
                        found[row] |= bits[codes.keys().value(row).as_usize()];
                    }
                });
            }
        }
        match self {
            Self::Plain(texts) => rows.each(|row| {
                if texts.is_valid(row) {
                    found[row] |= bits(texts.value(row));
                }
            }),
            Self::Codes8(array) => codes(array, rows, bits, found),
            Self::Codes16(array) => codes(array, rows, bits, found),
            Self::Codes32(array) => codes(array, rows, bits, found),
        }
    }

    /// The texts of rows and how many have each; equal texts may come more than once.
    pub fn counts(self, rows: &Selection) -> Vec<(&'a str, u64)> {
        fn codes<'a, K: ArrowDictionaryKeyType>(
            codes: &'a DictionaryArray<K>,
            rows: &Selection,
        ) -> Vec<(&'a str, u64)> {
            let values = codes.values().as_string::<i32>();
            let mut counts = vec![0; values.len()];
            rows.each(|row| {
                if codes.is_valid(row) {
                    counts[codes.keys().value(row).as_usize()] += 1;
                }
            });
            let counts = counts.into_iter().enumerate().filter(|(_, count)| *count > 0);
            counts.map(|(code, count)| (values.value(code), count)).collect()
        }
        match self {
            Self::Plain(texts) => {
                let mut counts = Vec::new();
                rows.each(|row| {
                    if texts.is_valid(row) {
                        counts.push((texts.value(row), 1));
                    }
                });
                counts
            }
            Self::Codes8(array) => codes(array, rows),
            Self::Codes16(array) => codes(array, rows),
            Self::Codes32(array) => codes(array, rows),
        }
    }

    /// Whether some row contains `part`.
    pub fn any_contains(self, part: &str) -> bool {
        match self {
            Self::Plain(texts) => {
                let offsets = texts.value_offsets();
                let data = &texts.value_data()[offsets[0] as usize..offsets[texts.len()] as usize];
                // All texts at once; a part that spans two of them is rare and does no harm.
                str::from_utf8(data).is_ok_and(|all| all.contains(part))
            }
            _ => self.values().is_some_and(|values| Texts::Plain(values).any_contains(part)),
        }
    }

    fn values(self) -> Option<&'a StringArray> {
        match self {
            Self::Plain(texts) => Some(texts),
            Self::Codes8(codes) => codes.values().as_string_opt::<i32>(),
            Self::Codes16(codes) => codes.values().as_string_opt::<i32>(),
            Self::Codes32(codes) => codes.values().as_string_opt::<i32>(),
        }
    }
}

/// A cell of a column of primitives.
pub(crate) fn value<T: ArrowPrimitiveType>(array: &PrimitiveArray<T>, row: usize) -> Option<T::Native> {
    array.is_valid(row).then(|| array.value(row))
}

macro_rules! typed {
    ($($(#[$doc:meta])* $name:ident -> $array:ty = $cast:expr;)*) => {$(
        $(#[$doc])*
        pub(crate) fn $name(array: &dyn Array) -> Result<&$array, Failure> {
            $cast(array).ok_or(Failure::Schema(concat!("a column of ", stringify!($name))))
        }
    )*};
}

typed! {
    /// Ids of fixed length.
    ids -> FixedSizeBinaryArray = |array| AsArray::as_fixed_size_binary_opt(array);
    /// Times in nanoseconds.
    times -> PrimitiveArray<TimestampNanosecondType> = |array| AsArray::as_primitive_opt(array);
    /// Integers.
    integers -> Int64Array = |array| AsArray::as_primitive_opt::<Int64Type>(array);
    /// Severity numbers.
    severities -> Int32Array = |array| AsArray::as_primitive_opt::<Int32Type>(array);
    /// Floats.
    floats -> Float64Array = |array| AsArray::as_primitive_opt::<Float64Type>(array);
    /// Booleans.
    booleans -> BooleanArray = |array| AsArray::as_boolean_opt(array);
    /// Packed attributes.
    bytes -> BinaryArray = |array| AsArray::as_binary_opt::<i32>(array);
}

/// A column of a batch.
pub(crate) fn column<'a>(batch: &'a RecordBatch, name: &'static str) -> Result<&'a ArrayRef, Failure> {
    batch.column_by_name(name).ok_or(Failure::Schema(name))
}
