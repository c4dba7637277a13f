use std::sync::{Arc, LazyLock};

use arrow::array::{AsArray, StringBuilder};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

/// `duration_text(ns)`: a duration as people read it.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct DurationText {
    signature: Signature,
}

impl Default for DurationText {
    fn default() -> Self {
        Self { signature: Signature::exact(vec![DataType::Int64], Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for DurationText {
    fn name(&self) -> &'static str {
        "duration_text"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [durations] = args.args.as_slice() else { return exec_err!("duration_text takes one argument") };
        let durations = durations.to_array(args.number_rows)?;
        let durations = durations.as_primitive::<Int64Type>();
        let mut texts = StringBuilder::with_capacity(args.number_rows, args.number_rows * 8);
        for duration in durations {
            texts.append_option(duration.map(text));
        }
        Ok(ColumnarValue::Array(Arc::new(texts.finish())))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOC: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                datafusion::logical_expr::scalar_doc_sections::DOC_SECTION_OTHER,
                "A duration as people read it, with three significant digits: `950ns`, `1.25ms`, `61.2s`.",
                "duration_text(nanoseconds)",
            )
            .with_argument("nanoseconds", "A duration in nanoseconds, for example `duration_ns`")
            .with_sql_example("```sql\nSELECT name, duration_text(duration_ns) FROM spans\n```")
            .build()
        });
        Some(&DOC)
    }
}

fn text(nanos: i64) -> String {
    const UNITS: [(f64, &str); 4] = [(1e9, "s"), (1e6, "ms"), (1e3, "us"), (1.0, "ns")];
    let size = nanos.unsigned_abs() as f64;
    // Chosen after rounding to three digits, so that 999.9 us reads 1ms and not 1000us.
    let (scale, unit) = UNITS.into_iter().find(|(scale, _)| size >= scale * 0.9995).unwrap_or((1.0, "ns"));
    let value = size / scale;
    let decimals = if unit == "ns" || value >= 99.95 {
        0
    } else if value >= 9.995 {
        1
    } else {
        2
    };
    let number = format!("{value:.decimals$}");
    let number = if decimals > 0 { number.trim_end_matches('0').trim_end_matches('.') } else { &number };
    let sign = if nanos < 0 { "-" } else { "" };
    format!("{sign}{number}{unit}")
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn durations_have_three_digits_and_a_unit() {
        let check = |nanos: i64, expected: &str| assert_eq!(text(nanos), expected);
        check(0, "0ns");
        check(950, "950ns");
        check(1_250_000, "1.25ms");
        check(12_340_000, "12.3ms");
        check(999_999, "1ms");
        check(61_200_000_000, "61.2s");
        check(3_600_000_000_000, "3600s");
        check(-1_500, "-1.5us");
    }
}
