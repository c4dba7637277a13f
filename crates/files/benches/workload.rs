//! The spans of `glasshouse bench`, decoded as the server decodes them.

use arrow::record_batch::RecordBatch;
use glasshouse_formats::Formats;
use glasshouse_model::{DurationNs, Timestamp};
use glasshouse_tables::Table;
use glasshouse_tables::ports::{Decoder, WireFormat};
use glasshouse_workload::bench::{Config, Generator};

const START: i64 = 1_750_000_000_000_000_000;
/// At 250,000 spans a second.
const NANOS_PER_SPAN: i64 = 4_000;

/// Batches of 1,000 spans each, as they come from requests. A later `part` follows the earlier ones in time.
pub fn batches(spans: usize, part: u64) -> Vec<RecordBatch> {
    let over = spans as i64 * NANOS_PER_SPAN;
    let from = START + part as i64 * over;
    let config = Config {
        spans: spans as u64,
        seed: part,
        from: Timestamp::from_nanos(from),
        over: DurationNs::from_nanos(over),
        spans_per_request: 1000,
        one_process: false,
    };
    let decode = |(i, body): (usize, bytes::Bytes)| {
        let received = Timestamp::from_nanos(from + over + i as i64 * 1000 * NANOS_PER_SPAN);
        let decoded = Formats.decode(WireFormat::OtlpTracesProtobuf, &body, received).expect("the request is valid");
        decoded.batches.get(Table::Spans).expect("it has spans").clone()
    };
    Generator::new(config).map(|request| request.body).enumerate().map(decode).collect()
}
