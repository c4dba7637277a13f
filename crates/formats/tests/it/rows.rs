//! Rows as text, so that a test reads like the table it is about.

use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use glasshouse_formats::Formats;
use glasshouse_model::Timestamp;
use glasshouse_tables::Table;
use glasshouse_tables::attributes::packed_to_json;
use glasshouse_tables::ports::{DecodeError, Decoded, Decoder, WireFormat};

/// When every test's request is received.
pub const RECEIVED: Timestamp = Timestamp::from_nanos(1_700_000_000_000_000_000);

pub fn try_decode(format: WireFormat, body: &[u8]) -> Result<Decoded, DecodeError> {
    Formats.decode(format, body, RECEIVED)
}

pub fn decode(format: WireFormat, body: impl AsRef<[u8]>) -> Decoded {
    try_decode(format, body.as_ref()).unwrap_or_else(|error| panic!("{error}"))
}

/// The values of some columns, one line for each row, `|` between values.
pub fn rows(decoded: &Decoded, table: Table, columns: &str) -> Vec<String> {
    let Some(batch) = decoded.batches.get(table) else { return vec![] };
    let options = FormatOptions::default().with_null("NULL");
    let columns: Vec<Vec<String>> = columns
        .split_whitespace()
        .map(|name| {
            let column = batch.column_by_name(name).unwrap_or_else(|| panic!("no column {name}"));
            if let Some(packed) = column.as_binary_opt::<i32>() {
                let json = |packed: Option<&[u8]>| {
                    let mut text = String::new();
                    packed_to_json(packed.unwrap(), &mut text);
                    text
                };
                return packed.iter().map(json).collect();
            }
            let formatter = ArrayFormatter::try_new(column.as_ref(), &options).unwrap();
            (0..column.len()).map(|row| formatter.value(row).to_string()).collect()
        })
        .collect();
    (0..batch.num_rows()).map(|row| columns.iter().map(|c| c[row].as_str()).collect::<Vec<_>>().join("|")).collect()
}

/// What was refused: index and reason.
pub fn rejections(decoded: &Decoded) -> Vec<(usize, &str)> {
    assert_eq!(decoded.rejected, decoded.rejections.len());
    decoded.rejections.iter().map(|rejection| (rejection.index, rejection.reason.as_str())).collect()
}

/// A file of the recordings, which are optional (see CONTRIBUTING.md): `None`, and a test has nothing to do, when
/// no folder is named and the usual one is not there.
pub fn recording(path: &str) -> Option<String> {
    let named = std::env::var_os("GLASSHOUSE_TEST_DATA").map(PathBuf::from);
    let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if named.is_none() && !usual.is_dir() {
        eprintln!("skipped: no recordings in {}, and GLASSHOUSE_TEST_DATA is not set", usual.display());
        return None;
    }
    let file = named.unwrap_or(usual).join(path);
    match std::fs::read_to_string(&file) {
        Ok(text) => Some(text),
        Err(error) => panic!("cannot read the recording {}: {error}", file.display()),
    }
}
