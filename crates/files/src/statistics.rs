use glasshouse_model::Timestamp;
use glasshouse_tables::{ColumnStats, StatValue};
use parquet::basic::LogicalType;
use parquet::data_type::{ByteArray, FixedLenByteArray};
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use parquet::file::statistics::Statistics;

/// Statistics of the leaf columns that have a field id, over all row groups. `nulls` are those of the
/// top-level columns: files keep no statistics of random ids.
pub(crate) fn of_columns(row_groups: &[RowGroupMetaData], nulls: &[u64]) -> Vec<ColumnStats> {
    let Some(first) = row_groups.first() else { return Vec::new() };
    (0..first.num_columns()).filter_map(|leaf| of_leaf(row_groups, leaf, nulls)).collect()
}

fn of_leaf(row_groups: &[RowGroupMetaData], leaf: usize, nulls: &[u64]) -> Option<ColumnStats> {
    let descriptor = row_groups[0].schema_descr();
    let info = descriptor.column(leaf).self_type().get_basic_info().clone();
    if !info.has_id() {
        return None;
    }
    let is_nested = descriptor.column(leaf).path().parts().len() > 1;
    let chunks = || row_groups.iter().map(|group| group.column(leaf));
    let entries: u64 = chunks().map(|chunk| chunk.num_values() as u64).sum();
    let nulls = if is_nested {
        chunks().filter_map(|chunk| chunk.statistics()?.null_count_opt()).sum()
    } else {
        nulls[descriptor.get_column_root_idx(leaf)]
    };
    let (min, max) = overall(chunks()).map_or((None, None), |(min, max)| (known(min), known(max)));
    Some(ColumnStats {
        column_id: info.id(),
        bytes: chunks().map(|chunk| chunk.compressed_size() as u64).sum(),
        values: entries.saturating_sub(nulls),
        nulls,
        min,
        max,
        has_nan: None,
    })
}

/// Whether chunks of a column hold one value in all rows, or none at all.
pub(crate) fn are_constant<'a>(chunks: impl Iterator<Item = &'a ColumnChunkMetaData>) -> bool {
    let mut has_nulls = false;
    let nulls = |chunk: &ColumnChunkMetaData| chunk.statistics().and_then(Statistics::null_count_opt);
    match overall(chunks.inspect(|chunk| has_nulls |= nulls(chunk) != Some(0))) {
        Some((Bound::NoValues, Bound::NoValues)) => true,
        Some((Bound::Known(min), Bound::Known(max))) => min == max && !has_nulls,
        _ => false,
    }
}

fn overall<'a>(chunks: impl Iterator<Item = &'a ColumnChunkMetaData>) -> Option<(Bound, Bound)> {
    chunks.map(bounds).reduce(|a, b| (least(a.0, b.0), greatest(a.1, b.1)))
}

/// A bound over row groups: those without values do not count, one unknown makes it unknown.
enum Bound {
    NoValues,
    Unknown,
    Known(StatValue),
}

fn known(bound: Bound) -> Option<StatValue> {
    match bound {
        Bound::Known(value) => Some(value),
        Bound::NoValues | Bound::Unknown => None,
    }
}

fn least(a: Bound, b: Bound) -> Bound {
    either(a, b, |a, b| less(b, a))
}

fn greatest(a: Bound, b: Bound) -> Bound {
    either(a, b, less)
}

fn either(a: Bound, b: Bound, prefers_second: fn(&StatValue, &StatValue) -> bool) -> Bound {
    match (a, b) {
        (Bound::Known(a), Bound::Known(b)) => Bound::Known(if prefers_second(&a, &b) { b } else { a }),
        (Bound::NoValues, other) | (other, Bound::NoValues) => other,
        _ => Bound::Unknown,
    }
}

fn less(a: &StatValue, b: &StatValue) -> bool {
    match (a, b) {
        (StatValue::Int(a), StatValue::Int(b)) => a < b,
        (StatValue::Double(a), StatValue::Double(b)) => a < b,
        (StatValue::Bool(a), StatValue::Bool(b)) => a < b,
        (StatValue::Text(a), StatValue::Text(b)) => a < b,
        (StatValue::Bytes(a), StatValue::Bytes(b)) => a < b,
        (StatValue::Time(a), StatValue::Time(b)) => a < b,
        _ => false,
    }
}

fn bounds(chunk: &ColumnChunkMetaData) -> (Bound, Bound) {
    let Some(statistics) = chunk.statistics() else { return (Bound::Unknown, Bound::Unknown) };
    if statistics.null_count_opt() == Some(chunk.num_values() as u64) {
        return (Bound::NoValues, Bound::NoValues);
    }
    let is_time = matches!(chunk.column_descr().logical_type_ref(), Some(LogicalType::Timestamp { .. }));
    macro_rules! exact {
        ($statistics:expr, $value:expr) => {{
            let (statistics, value) = ($statistics, $value);
            let min = statistics.min_opt().filter(|_| statistics.min_is_exact()).and_then(&value);
            let max = statistics.max_opt().filter(|_| statistics.max_is_exact()).and_then(&value);
            (min.map_or(Bound::Unknown, Bound::Known), max.map_or(Bound::Unknown, Bound::Known))
        }};
    }
    match statistics {
        Statistics::Int64(s) if is_time => exact!(s, |v: &i64| Some(StatValue::Time(Timestamp::from_nanos(*v)))),
        Statistics::Int64(s) => exact!(s, |v: &i64| Some(StatValue::Int(*v))),
        Statistics::Int32(s) => exact!(s, |v: &i32| Some(StatValue::Int(i64::from(*v)))),
        Statistics::Double(s) => exact!(s, |v: &f64| Some(StatValue::Double(*v))),
        Statistics::Boolean(s) => exact!(s, |v: &bool| Some(StatValue::Bool(*v))),
        Statistics::ByteArray(s) => exact!(s, |v: &ByteArray| Some(StatValue::Text(v.as_utf8().ok()?.to_owned()))),
        Statistics::FixedLenByteArray(s) => {
            exact!(s, |v: &FixedLenByteArray| Some(StatValue::Bytes(v.data().to_vec())))
        }
        Statistics::Int96(_) | Statistics::Float(_) => (Bound::Unknown, Bound::Unknown),
    }
}
