//! How many spans a sampled span stands for, told by the `th` value of the `ot` entry of its tracestate
//! (<https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/>).

/// 2^56: thresholds are 56-bit fractions of it.
const MAX_THRESHOLD: u64 = 1 << 56;

/// The adjusted count of a span with this tracestate; 1 when it does not tell of sampling.
pub(crate) fn sample_weight(trace_state: &str) -> f64 {
    if trace_state.is_empty() {
        return 1.0;
    }
    let threshold = trace_state
        .split(',')
        .find_map(|member| member.trim().strip_prefix("ot="))
        .and_then(|value| value.split(';').find_map(|field| field.strip_prefix("th:")))
        .and_then(rejection_threshold);
    match threshold {
        Some(threshold) => MAX_THRESHOLD as f64 / (MAX_THRESHOLD - threshold) as f64,
        None => 1.0,
    }
}

/// 1 to 14 hex digits, trailing zeros left out.
fn rejection_threshold(digits: &str) -> Option<u64> {
    if !(1..=14).contains(&digits.len()) || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    Some(u64::from_str_radix(digits, 16).ok()? << (4 * (14 - digits.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "powers of two and their ratios are exact")]
    fn weights_follow_the_rejection_threshold() {
        let check = |trace_state: &str, weight: f64| assert_eq!(sample_weight(trace_state), weight, "{trace_state:?}");
        check("", 1.0);
        check("ot=th:0", 1.0);
        check("ot=th:8", 2.0);
        check("ot=th:c", 4.0);
        check("vendor=x, ot=rv:abcdefabcdefab;th:fd,other=y", 256.0 / 3.0);
        check("ot=th:ffffffffffffff", MAX_THRESHOLD as f64);
        for ignored in ["ot=th:", "ot=th:+1", "ot=th:123456789012345", "ot=rv:0", "x=th:8", "ot"] {
            check(ignored, 1.0);
        }
    }
}
