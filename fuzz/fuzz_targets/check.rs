//! What must hold for every decoder.

use glasshouse_formats::{Formats, traces_json_format};
use glasshouse_model::Timestamp;
use glasshouse_tables::Table;
use glasshouse_tables::ports::{DecodeError, Decoded, Decoder, WireFormat};

/// When every request is received.
pub const RECEIVED: Timestamp = Timestamp::from_nanos(1_700_000_000_000_000_000);

/// Decodes and checks what can be checked without knowing the right answer.
pub fn holds_together(format: WireFormat, body: &[u8]) -> Result<Decoded, DecodeError> {
    traces_json_format(body);
    let decoded = Formats.decode(format, body, RECEIVED)?;
    let items = [Table::Spans, Table::Logs, Table::Metrics];
    let rows: usize = items.iter().filter_map(|table| decoded.batches.get(*table)).map(|rows| rows.num_rows()).sum();
    assert_eq!(rows, decoded.accepted, "one row for each item kept");
    assert_eq!(decoded.rejections.len(), decoded.rejected.min(Decoded::MAX_REASONS));
    assert_eq!(decoded.accepted > 0, decoded.batches.get(Table::Processes).is_some(), "items have a process");
    assert!(decoded.rejections.iter().all(|rejection| rejection.index < decoded.accepted + decoded.rejected));
    for (table, batch) in decoded.batches.iter() {
        if let Some(attributes) = table.index_of("attributes") {
            let attributes = arrow::array::AsArray::as_binary::<i32>(batch.column(attributes));
            for packed in attributes.iter().flatten() {
                let mut json = String::new();
                glasshouse_tables::attributes::packed_to_json(packed, &mut json);
                let mut back = glasshouse_tables::attributes::PackedWriter::new();
                glasshouse_tables::attributes::json_to_packed(&json, &mut back).expect("attributes survive their JSON");
            }
        }
    }
    Ok(decoded)
}
