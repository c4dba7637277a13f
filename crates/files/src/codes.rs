//! Text columns as small codes and a dictionary, for searches.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, PrimitiveArray};
use arrow::datatypes::{ArrowDictionaryKeyType, ArrowNativeType, DataType, Int32Type, UInt8Type, UInt16Type};
use arrow::error::ArrowError;
use parquet::basic::Encoding;
use parquet::file::metadata::ColumnChunkMetaData;

/// The type that a dictionary-encoded text column is decoded to, before [`compact`].
pub(crate) fn decoded_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// Whether all pages of a column use its dictionary, so that decoding keeps it as it is.
pub(crate) fn is_dictionary_encoded(chunk: &ColumnChunkMetaData) -> bool {
    chunk
        .page_encoding_stats_mask()
        .is_some_and(|pages| pages.is_only(Encoding::RLE_DICTIONARY) || pages.is_only(Encoding::PLAIN_DICTIONARY))
}

/// The smallest codes that the dictionary needs; other arrays as they are.
pub(crate) fn compact(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let Some(dictionary) = array.as_dictionary_opt::<Int32Type>() else { return Ok(Arc::clone(array)) };
    match dictionary.values().len() {
        0..=0x100 => with_keys::<UInt8Type>(dictionary),
        0x101..=0x1_0000 => with_keys::<UInt16Type>(dictionary),
        _ => Ok(Arc::clone(array)),
    }
}

fn with_keys<K: ArrowDictionaryKeyType>(dictionary: &DictionaryArray<Int32Type>) -> Result<ArrayRef, ArrowError> {
    // The codes of NULLs are arbitrary and may not fit: they become zero.
    let codes = dictionary.keys().values().iter().map(|code| K::Native::from_usize(*code as usize).unwrap_or_default());
    let keys = PrimitiveArray::<K>::new(codes.collect(), dictionary.nulls().cloned());
    Ok(Arc::new(DictionaryArray::try_new(keys, Arc::clone(dictionary.values()))?))
}
