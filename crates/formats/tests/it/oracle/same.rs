use arrow::array::AsArray;
use glasshouse_tables::Table;
use glasshouse_tables::attributes::packed_to_json;
use glasshouse_tables::ports::Decoded;

/// Panics unless two decoded requests hold the same. Attributes are compared by what they say: different
/// bytes may be the same attributes.
pub fn assert_same(ours: &Decoded, expected: &Decoded) {
    assert_eq!(ours.accepted, expected.accepted, "accepted");
    assert_eq!(ours.rejected, expected.rejected, "rejected");
    assert_eq!(ours.rejections, expected.rejections);
    for table in Table::ALL {
        let (ours, expected) = match (ours.batches.get(table), expected.batches.get(table)) {
            (Some(ours), Some(expected)) => (ours, expected),
            (None, None) => continue,
            (ours, _) => panic!("only one has rows of {}: ours has them: {}", table.name(), ours.is_some()),
        };
        assert_eq!(ours.num_rows(), expected.num_rows(), "rows of {}", table.name());
        for (column, (ours, expected)) in table.columns().iter().zip(ours.columns().iter().zip(expected.columns())) {
            let place = format!("{}.{}", table.name(), column.name);
            if let (Some(ours), Some(expected)) = (ours.as_binary_opt::<i32>(), expected.as_binary_opt::<i32>()) {
                let json = |packed: Option<&[u8]>| {
                    let mut text = String::new();
                    packed_to_json(packed.unwrap(), &mut text);
                    text
                };
                assert!(ours.iter().map(json).eq(expected.iter().map(json)), "{place}");
            } else {
                assert_eq!(ours, expected, "{place}");
            }
        }
    }
}
