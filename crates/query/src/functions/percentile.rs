//! `percentile`: quantiles of large groups in one pass and bounded memory, by counting in buckets whose
//! width grows with the value (as `DDSketch` and HDR histograms do): <https://arxiv.org/abs/1908.10693>.

use std::collections::BTreeMap;
use std::mem::size_of;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder, BooleanArray, Float64Array, Float64Builder};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::{Result, ScalarValue, exec_err, internal_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, EmitTo, GroupsAccumulator, Signature, TypeSignature, Volatility,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Literal;

/// Buckets between a power of two and the next: 2^6, so that a bucket is at most 1/64 of its value wide
/// and its middle at most 0.8 % away from any value in it.
const SUB_BUCKET_BITS: u32 = 6;

/// The aggregate function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Percentile {
    signature: Signature,
}

impl Default for Percentile {
    fn default() -> Self {
        let exact = |types: &[DataType]| TypeSignature::Exact(types.to_vec());
        Self {
            signature: Signature::one_of(
                vec![
                    exact(&[DataType::Float64, DataType::Float64]),
                    exact(&[DataType::Float64, DataType::Float64, DataType::Float64]),
                ],
                Volatility::Immutable,
            ),
        }
    }
}

impl AggregateUDFImpl for Percentile {
    fn name(&self) -> &'static str {
        "percentile"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(OneGroup(Sketches::new(fraction(args.exprs)?))))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format!("{}[sketch]", args.name), DataType::Binary, true))])
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Sketches::new(fraction(args.exprs)?)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOC: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                datafusion::logical_expr::scalar_doc_sections::DOC_SECTION_OTHER,
                "The value that the given fraction of values does not exceed, at most 0.8 % off; in one pass and memory that does not grow with the rows. With weights, a value counts as often as its weight says (`sample_weight`). NULLs are left out; NULL when nothing is left.",
                "percentile(value, fraction[, weight])",
            )
            .with_argument("value", "A number, for example `duration_ns`")
            .with_argument("fraction", "A constant from 0 to 1")
            .with_argument("weight", "How many values this one stands for; 1 when left out")
            .with_sql_example(
                "```sql\nSELECT service_name, percentile(duration_ns, 0.99) FROM spans GROUP BY service_name\n```",
            )
            .build()
        });
        Some(&DOC)
    }
}

fn fraction(arguments: &[Arc<dyn PhysicalExpr>]) -> Result<f64> {
    let literal = arguments.get(1).and_then(|argument| argument.downcast_ref::<Literal>().map(Literal::value));
    match literal {
        Some(ScalarValue::Float64(Some(fraction))) if (0.0..=1.0).contains(fraction) => Ok(*fraction),
        _ => plan_err!("percentile's second argument must be a constant from 0 to 1"),
    }
}

/// Counts of values by bucket. Dense from the lowest bucket that was needed to the highest.
#[derive(Debug, Clone, Default, PartialEq)]
struct Sketch {
    positive: Buckets,
    negative: Buckets,
    zero: f64,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Buckets {
    /// Index of the first bucket in `counts`.
    first: i32,
    counts: Vec<f64>,
}

/// The bucket of a positive number: its exponent and the highest bits of its mantissa.
fn bucket_of(value: f64) -> i32 {
    (value.to_bits() >> (52 - SUB_BUCKET_BITS)) as i32
}

/// The middle of a bucket.
fn middle_of(bucket: i32) -> f64 {
    let bits = u64::from(bucket.unsigned_abs());
    let low = f64::from_bits(bits << (52 - SUB_BUCKET_BITS));
    let high = f64::from_bits((bits + 1) << (52 - SUB_BUCKET_BITS));
    if high.is_finite() { f64::midpoint(low, high) } else { low }
}

impl Buckets {
    fn add(&mut self, bucket: i32, weight: f64) {
        let position = bucket - self.first;
        match usize::try_from(position).ok().and_then(|position| self.counts.get_mut(position)) {
            Some(count) => *count += weight,
            None => self.grow_and_add(bucket, weight),
        }
    }

    #[cold]
    fn grow_and_add(&mut self, bucket: i32, weight: f64) {
        const ROOM: i32 = 1 << SUB_BUCKET_BITS;
        if self.counts.is_empty() {
            self.first = bucket;
        } else if bucket < self.first {
            let first = (bucket - ROOM).max(0);
            self.counts.splice(0..0, std::iter::repeat_n(0.0, (self.first - first) as usize));
            self.first = first;
        }
        let position = (bucket - self.first) as usize;
        if position >= self.counts.len() {
            self.counts.resize(position + ROOM as usize, 0.0);
        }
        self.counts[position] += weight;
    }

    fn iter(&self) -> impl DoubleEndedIterator<Item = (i32, f64)> {
        self.counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0.0)
            .map(|(i, count)| (self.first + i as i32, *count))
    }

    fn total(&self) -> f64 {
        self.counts.iter().sum()
    }
}

impl Sketch {
    fn add(&mut self, value: f64, weight: f64) {
        if value > 0.0 {
            self.positive.add(bucket_of(value), weight);
        } else if value < 0.0 {
            self.negative.add(bucket_of(-value), weight);
        } else if value == 0.0 {
            self.zero += weight;
        }
    }

    /// The value at a fraction of all values: the first at which as many are reached.
    fn quantile(&self, fraction: f64) -> Option<f64> {
        let total = self.negative.total() + self.zero + self.positive.total();
        if total <= 0.0 {
            return None;
        }
        let wanted = fraction * total;
        let ascending = self
            .negative
            .iter()
            .rev()
            .map(|(bucket, count)| (-middle_of(bucket), count))
            .chain((self.zero > 0.0).then_some((0.0, self.zero)))
            .chain(self.positive.iter().map(|(bucket, count)| (middle_of(bucket), count)));
        let mut reached = 0.0;
        let mut last = None;
        for (value, count) in ascending {
            reached += count;
            last = Some(value);
            if reached >= wanted {
                break;
            }
        }
        last
    }

    /// `zero`, then for each sign the number of buckets and each bucket's index and count; little endian.
    fn write(&self) -> Vec<u8> {
        let mut bytes = self.zero.to_le_bytes().to_vec();
        for buckets in [&self.negative, &self.positive] {
            let filled: BTreeMap<i32, f64> = buckets.iter().collect();
            bytes.extend((filled.len() as u32).to_le_bytes());
            for (bucket, count) in filled {
                bytes.extend(bucket.to_le_bytes());
                bytes.extend(count.to_le_bytes());
            }
        }
        bytes
    }

    /// Adds what [`Sketch::write`] wrote.
    fn merge(&mut self, bytes: &[u8]) -> Option<()> {
        let (zero, mut rest) = bytes.split_first_chunk::<8>()?;
        self.zero += f64::from_le_bytes(*zero);
        for buckets in [&mut self.negative, &mut self.positive] {
            let (len, after) = rest.split_first_chunk::<4>()?;
            rest = after;
            for _ in 0..u32::from_le_bytes(*len) {
                let (bucket, after) = rest.split_first_chunk::<4>()?;
                let (count, after) = after.split_first_chunk::<8>()?;
                rest = after;
                buckets.add(i32::from_le_bytes(*bucket), f64::from_le_bytes(*count));
            }
        }
        rest.is_empty().then_some(())
    }

    fn size(&self) -> usize {
        size_of::<Self>() + (self.negative.counts.capacity() + self.positive.counts.capacity()) * size_of::<f64>()
    }
}

/// A sketch for each group.
#[derive(Debug)]
struct Sketches {
    fraction: f64,
    groups: Vec<Sketch>,
}

impl Sketches {
    fn new(fraction: f64) -> Self {
        Self { fraction, groups: Vec::new() }
    }

    fn update(&mut self, values: &[ArrayRef], group_of: impl Fn(usize) -> Option<usize>) -> Result<()> {
        let Some(numbers) = values.first() else { return internal_err!("percentile takes arguments") };
        let numbers = numbers.as_primitive::<Float64Type>();
        let weights: Option<&Float64Array> = values.get(2).map(AsArray::as_primitive);
        for row in 0..numbers.len() {
            if numbers.is_null(row) {
                continue;
            }
            let Some(group) = group_of(row) else { continue };
            let weight = match weights {
                None => 1.0,
                Some(weights) if weights.is_null(row) => continue,
                Some(weights) => weights.value(row),
            };
            if weight > 0.0 && weight.is_finite() {
                self.groups[group].add(numbers.value(row), weight);
            }
        }
        Ok(())
    }

    fn merge(&mut self, states: &[ArrayRef], group_of: impl Fn(usize) -> usize) -> Result<()> {
        let [states] = states else { return internal_err!("percentile has one state") };
        let states: &BinaryArray = states.as_binary();
        for row in 0..states.len() {
            if states.is_valid(row) && self.groups[group_of(row)].merge(states.value(row)).is_none() {
                return exec_err!("malformed state of percentile");
            }
        }
        Ok(())
    }
}

impl GroupsAccumulator for Sketches {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.groups.resize_with(total_num_groups, Sketch::default);
        let wanted = |row: usize| filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        self.update(values, |row| wanted(row).then(|| group_indices[row]))
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let groups = emit_to.take_needed(&mut self.groups);
        let mut quantiles = Float64Builder::with_capacity(groups.len());
        for sketch in groups {
            quantiles.append_option(sketch.quantile(self.fraction));
        }
        Ok(Arc::new(quantiles.finish()))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let groups = emit_to.take_needed(&mut self.groups);
        let mut states = BinaryBuilder::new();
        for sketch in groups {
            states.append_value(sketch.write());
        }
        Ok(vec![Arc::new(states.finish())])
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.groups.resize_with(total_num_groups, Sketch::default);
        self.merge(values, |row| group_indices[row])
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, Array::len);
        let mut each = Self::new(self.fraction);
        each.update_batch(values, &(0..rows).collect::<Vec<_>>(), filter, rows)?;
        each.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.groups.iter().map(Sketch::size).sum()
    }
}

/// One group, for windows and other places that have no groups.
#[derive(Debug)]
struct OneGroup(Sketches);

impl Accumulator for OneGroup {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.groups.resize_with(1, Sketch::default);
        self.0.update(values, |_| Some(0))
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(self.0.groups.first().and_then(|sketch| sketch.quantile(self.0.fraction))))
    }

    fn size(&self) -> usize {
        self.0.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Binary(self.0.groups.first().map(Sketch::write))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.groups.resize_with(1, Sketch::default);
        self.0.merge(states, |_| 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_a_hundredth() {
        let mut sketch = Sketch::default();
        let values: Vec<f64> = (1..=100_000).map(|i| f64::from(i) * 37.5).collect();
        for value in &values {
            sketch.add(*value, 1.0);
        }
        for fraction in [0.0, 0.01, 0.5, 0.9, 0.99, 1.0] {
            let exact = values[((fraction * values.len() as f64).ceil() as usize).max(1) - 1];
            let estimate = sketch.quantile(fraction).unwrap();
            assert!((estimate - exact).abs() <= exact * 0.008, "{fraction}: {estimate} for {exact}");
        }
    }

    #[test]
    fn sketches_merge_to_the_same_as_one() {
        let mut whole = Sketch::default();
        let mut parts = [Sketch::default(), Sketch::default()];
        for i in -500..500 {
            whole.add(f64::from(i), 2.0);
            parts[usize::from(i % 2 == 0)].add(f64::from(i), 2.0);
        }
        let mut merged = Sketch::default();
        for part in &parts {
            merged.merge(&part.write()).unwrap();
        }
        for fraction in [0.0, 0.25, 0.5, 0.75, 1.0] {
            assert_eq!(merged.quantile(fraction), whole.quantile(fraction));
        }
        assert!(merged.merge(b"short").is_none());
        assert_eq!(Sketch::default().quantile(0.5), None);
    }
}
