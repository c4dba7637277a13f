//! JSON: whatever the bytes, decoding ends, and what it gives holds together.
#![no_main]

mod check;

libfuzzer_sys::fuzz_target!(|body: &[u8]| {
    let _ = check::holds_together(glasshouse_tables::ports::WireFormat::ZipkinV2Json, body);
});
