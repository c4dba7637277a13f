//! Rows as text, so that a test reads like the table it is about.

use std::path::PathBuf;

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

/// A file of the recordings.
pub fn recording(path: &str) -> String {
    let default = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("GLASSHOUSE_TEST_DATA").map_or_else(default, PathBuf::from);
    let file = folder.join(path);
    std::fs::read_to_string(&file).unwrap_or_else(|error| {
        panic!(
            "cannot read the recording {}: {error}; set GLASSHOUSE_TEST_DATA to the folder of recordings",
            file.display()
        )
    })
}
