//! Quantiles of the histograms in `metrics`.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, Float64Builder};
use arrow::datatypes::{DataType, Field, Float64Type, Int32Type, Int64Type};
use datafusion::common::{Result, exec_datafusion_err, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};

/// `quantile_from_histogram(bounds, counts, q)`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct QuantileFromHistogram {
    signature: Signature,
}

/// `quantile_from_exponential(exponential, q)`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct QuantileFromExponential {
    signature: Signature,
}

impl Default for QuantileFromHistogram {
    fn default() -> Self {
        let list = |data_type| DataType::List(Arc::new(Field::new("item", data_type, true)));
        let lists = vec![list(DataType::Float64), list(DataType::Int64), DataType::Float64];
        Self { signature: Signature::exact(lists, Volatility::Immutable) }
    }
}

impl Default for QuantileFromExponential {
    fn default() -> Self {
        Self { signature: Signature::new(TypeSignature::Any(2), Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for QuantileFromHistogram {
    fn name(&self) -> &'static str {
        "quantile_from_histogram"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [bounds, counts, fractions] = arrays.as_slice() else {
            return exec_err!("quantile_from_histogram takes three arguments");
        };
        let (bounds, counts) = (bounds.as_list::<i32>(), counts.as_list::<i32>());
        let fractions = fractions.as_primitive::<Float64Type>();
        let mut quantiles = Float64Builder::with_capacity(bounds.len());
        for row in 0..bounds.len() {
            let present = bounds.is_valid(row) && counts.is_valid(row) && fractions.is_valid(row);
            quantiles.append_option(
                present
                    .then(|| {
                        let (bounds, counts) = (bounds.value(row), counts.value(row));
                        let bounds = bounds.as_primitive::<Float64Type>().values();
                        histogram_quantile(bounds, counts.as_primitive::<Int64Type>().values(), fractions.value(row))
                    })
                    .flatten(),
            );
        }
        Ok(ColumnarValue::Array(Arc::new(quantiles.finish())))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOC: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                datafusion::logical_expr::scalar_doc_sections::DOC_SECTION_OTHER,
                "Quantile of a histogram with explicit bounds, values being spread evenly in each bucket, as Prometheus' `histogram_quantile` has it: the first bucket begins at 0 when its bound is positive, and in the open last bucket the greatest bound is the answer. NULL when the histogram is empty.",
                "quantile_from_histogram(bounds, counts, fraction)",
            )
            .with_argument("bounds", "Upper bounds of the buckets but the last: `bucket_bounds`")
            .with_argument("counts", "Values in each bucket: `bucket_counts`")
            .with_argument("fraction", "A number from 0 to 1")
            .with_sql_example("```sql\nSELECT time, quantile_from_histogram(bucket_bounds, bucket_counts, 0.95) FROM metrics WHERE kind = 'HISTOGRAM'\n```")
            .build()
        });
        Some(&DOC)
    }
}

impl ScalarUDFImpl for QuantileFromExponential {
    fn name(&self) -> &'static str {
        "quantile_from_exponential"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        match arg_types {
            [DataType::Struct(fields), _] if fields.find("positive_counts").is_some() => Ok(DataType::Float64),
            _ => datafusion::common::plan_err!(
                "quantile_from_exponential takes the column `exponential` and a number from 0 to 1"
            ),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [histograms, fractions] = arrays.as_slice() else {
            return exec_err!("quantile_from_exponential takes two arguments");
        };
        let histograms = histograms.as_struct();
        let fractions = arrow::compute::cast(fractions, &DataType::Float64)?;
        let fractions = fractions.as_primitive::<Float64Type>();
        let column = |name: &str| {
            histograms
                .column_by_name(name)
                .ok_or_else(|| exec_datafusion_err!("an exponential histogram has no {name}"))
        };
        let (scale, zeros) = (column("scale")?, column("zero_count")?);
        let sides = [
            (column("negative_offset")?, column("negative_counts")?),
            (column("positive_offset")?, column("positive_counts")?),
        ];
        let mut quantiles = Float64Builder::with_capacity(histograms.len());
        for row in 0..histograms.len() {
            if histograms.is_null(row) || fractions.is_null(row) {
                quantiles.append_null();
                continue;
            }
            let [negative, positive] = sides.map(|(offset, counts)| Side::of(offset, counts, row));
            let scale = scale.as_primitive::<Int32Type>().value(row);
            let zeros = zeros.as_primitive::<Int64Type>().value(row);
            quantiles.append_option(exponential_quantile(scale, &negative, zeros, &positive, fractions.value(row)));
        }
        Ok(ColumnarValue::Array(Arc::new(quantiles.finish())))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOC: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                datafusion::logical_expr::scalar_doc_sections::DOC_SECTION_OTHER,
                "Quantile of an exponential histogram: the geometric middle of the bucket that holds it. NULL when the histogram is empty.",
                "quantile_from_exponential(exponential, fraction)",
            )
            .with_argument("exponential", "The column `exponential` of `metrics`")
            .with_argument("fraction", "A number from 0 to 1")
            .with_sql_example("```sql\nSELECT time, quantile_from_exponential(exponential, 0.95) FROM metrics WHERE kind = 'EXPONENTIAL_HISTOGRAM'\n```")
            .build()
        });
        Some(&DOC)
    }
}

fn histogram_quantile(bounds: &[f64], counts: &[i64], fraction: f64) -> Option<f64> {
    let total: i64 = counts.iter().sum();
    if total <= 0 || bounds.is_empty() || !(0.0..=1.0).contains(&fraction) {
        return None;
    }
    let wanted = fraction * total as f64;
    let mut before = 0.0;
    for (i, &count) in counts.iter().enumerate() {
        let count = count as f64;
        if before + count >= wanted && count > 0.0 {
            let Some(&upper) = bounds.get(i) else { return bounds.last().copied() };
            let lower = match i.checked_sub(1) {
                Some(previous) => bounds[previous],
                None if upper > 0.0 => 0.0,
                None => return Some(upper),
            };
            return Some(lower + (upper - lower) * ((wanted - before) / count));
        }
        before += count;
    }
    bounds.last().copied()
}

/// The buckets on one side of zero: bucket `i` covers (base^(offset+i), base^(offset+i+1)].
struct Side {
    offset: i32,
    counts: Vec<i64>,
}

impl Side {
    fn of(offset: &ArrayRef, counts: &ArrayRef, row: usize) -> Self {
        let offset = if offset.is_valid(row) { offset.as_primitive::<Int32Type>().value(row) } else { 0 };
        let lists = counts.as_list::<i32>();
        let counts = if lists.is_valid(row) {
            lists.value(row).as_primitive::<Int64Type>().values().to_vec()
        } else {
            Vec::new()
        };
        Self { offset, counts }
    }
}

fn exponential_quantile(scale: i32, negative: &Side, zeros: i64, positive: &Side, fraction: f64) -> Option<f64> {
    if !(0.0..=1.0).contains(&fraction) {
        return None;
    }
    // base = 2^(2^-scale); the geometric middle of bucket i is base^(i + 1/2).
    let middle = |index: f64| ((index + 0.5) * 2f64.powi(-scale)).exp2();
    let at = |side: &Side, i: usize| middle(f64::from(side.offset) + i as f64);
    let total = negative.counts.iter().sum::<i64>() + zeros + positive.counts.iter().sum::<i64>();
    if total <= 0 {
        return None;
    }
    let ascending = (0..negative.counts.len())
        .rev()
        .map(|i| (-at(negative, i), negative.counts[i]))
        .chain([(0.0, zeros)])
        .chain((0..positive.counts.len()).map(|i| (at(positive, i), positive.counts[i])));
    let wanted = fraction * total as f64;
    let mut reached = 0;
    let mut last = None;
    for (value, count) in ascending.filter(|(_, count)| *count > 0) {
        reached += count;
        last = Some(value);
        if reached as f64 >= wanted {
            break;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explicit_buckets_are_interpolated() {
        let check = |bounds: &[f64], counts: &[i64], fraction: f64, expected: Option<f64>| {
            assert_eq!(histogram_quantile(bounds, counts, fraction), expected, "{bounds:?} {counts:?} {fraction}");
        };
        check(&[1.0, 2.0], &[10, 10, 0], 0.5, Some(1.0));
        check(&[1.0, 2.0], &[10, 10, 0], 0.75, Some(1.5));
        check(&[1.0, 2.0], &[10, 0, 10], 0.99, Some(2.0));
        check(&[1.0, 2.0], &[10, 0, 0], 0.1, Some(0.1));
        check(&[-1.0, 2.0], &[10, 0, 0], 0.1, Some(-1.0));
        check(&[1.0], &[0, 0], 0.5, None);
        check(&[], &[5], 0.5, None);
        check(&[1.0], &[5, 0], 1.5, None);
    }

    #[test]
    fn exponential_buckets_answer_their_middle() {
        let none = Side { offset: 0, counts: vec![] };
        let positive = Side { offset: 0, counts: vec![5, 5] };
        assert_eq!(exponential_quantile(0, &none, 0, &positive, 0.5), Some(2f64.powf(0.5)));
        assert_eq!(exponential_quantile(0, &none, 0, &positive, 1.0), Some(2f64.powf(1.5)));
        assert_eq!(exponential_quantile(0, &positive, 90, &none, 0.5), Some(0.0));
        assert_eq!(exponential_quantile(0, &none, 0, &none, 0.5), None);
    }
}
