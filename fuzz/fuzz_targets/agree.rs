//! The walker against prost.

use glasshouse_model::Timestamp;
use glasshouse_tables::ports::{Decoded, WireFormat};

use crate::check::{RECEIVED, holds_together};
use crate::oracle::assert_same;

/// The walker and the oracle refuse the same bytes and read the same rows. Two differences are meant: the
/// walker nests less deep, and only the walker reads sampling thresholds.
pub fn agrees(
    format: WireFormat,
    body: &[u8],
    oracle: fn(&[u8], Timestamp) -> Result<Decoded, prost::DecodeError>,
) {
    if body.windows(3).any(|bytes| bytes == b"ot=") || body.windows(21).any(|b| b == b"process.creation.time") {
        return;
    }
    match (holds_together(format, body), oracle(body, RECEIVED)) {
        (Ok(ours), Ok(expected)) => assert_same(&ours, &expected),
        (Err(_), Err(_)) => {}
        (Err(error), Ok(_)) if error.what.contains("nested more than") => {}
        (Ok(_), Err(error)) if error.to_string().contains("recursion limit") => {}
        (ours, expected) => panic!("ours: {:?}, prost: {:?}", ours.map(drop), expected.map(drop)),
    }
}
