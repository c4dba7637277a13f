//! OTLP protobuf: whatever the bytes, the walker and prost agree.
#![no_main]

#[path = "../../crates/formats/tests/it/oracle/mod.rs"]
#[allow(dead_code, unused_imports, reason = "each target compares one signal")]
mod oracle;
mod agree;
mod check;

libfuzzer_sys::fuzz_target!(|body: &[u8]| {
    agree::agrees(glasshouse_tables::ports::WireFormat::OtlpTracesProtobuf, body, oracle::traces);
});
