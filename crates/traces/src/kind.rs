//! What a trace is mainly about.

use glasshouse_model::TraceKind;
use glasshouse_tables::attributes;
use glasshouse_tables::{ShredType, ShreddedColumn};

use crate::cells::{self, Texts};
use crate::error::Failure;
use crate::source::{Absent, Source};

/// Keys that OpenTelemetry's semantic conventions require of each sort of span, today's and those of
/// older versions; the first that the root span has tells.
const KEYS: &[(&str, TraceKind)] = &[
    ("http.request.method", TraceKind::Http),
    ("http.method", TraceKind::Http),
    ("rpc.system.name", TraceKind::Rpc),
    ("rpc.system", TraceKind::Rpc),
    ("db.system.name", TraceKind::Database),
    ("db.system", TraceKind::Database),
    ("messaging.system", TraceKind::Messaging),
];

/// The kind of a trace whose root span is a row of a source.
pub(crate) fn of_root(source: &Source, row: usize, absent: &Absent) -> Result<TraceKind, Failure> {
    for (key, kind) in KEYS {
        if has(source, row, key, absent)? {
            return Ok(*kind);
        }
    }
    Ok(TraceKind::Other)
}

fn has(source: &Source, row: usize, key: &str, absent: &Absent) -> Result<bool, Failure> {
    match source {
        Source::Hot(batch) => {
            let packed = cells::bytes(cells::column(batch, "attributes")?)?;
            Ok(attributes::get(packed.value(row), key).is_some())
        }
        Source::Group(file, group) => {
            for kind in ShredType::ALL {
                let name = ShreddedColumn { kind, key: key.to_owned() }.to_string();
                if source.is_null(&name) {
                    continue;
                }
                if source.column(&name)?.is_some_and(|column| column.is_valid(row)) {
                    return Ok(true);
                }
            }
            let Some(json) = absent.json_with(file, *group, key)? else { return Ok(false) };
            Ok(Texts::new(&json)?.get(row).is_some_and(|json| attributes::json_get(json, key).is_some()))
        }
    }
}
