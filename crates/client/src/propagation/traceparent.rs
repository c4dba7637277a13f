//! The header `traceparent` ([W3C Trace Context](https://www.w3.org/TR/trace-context/#traceparent-header)).

use glasshouse_model::{SpanId, TraceId};

use crate::context::TraceFlags;

/// Name of the header.
pub const TRACEPARENT: &str = "traceparent";

/// What version 00 looks like: `00-<32 digits>-<16 digits>-<2 digits>`.
const LENGTH: usize = 55;

/// Reads the header; `None` when it is not valid, which means that a new trace begins. Versions of the future are read as far
/// as version 00 goes.
pub(super) fn parse(header: &str) -> Option<(TraceId, SpanId, TraceFlags)> {
    let header = header.trim_matches([' ', '\t']).as_bytes();
    let (known, rest) = header.split_at_checked(LENGTH)?;
    let [version @ .., b'-'] = &known[..3] else { return None };
    let version = hex::<1>(version)?[0];
    match (version, rest) {
        (0xff, _) => return None,
        (0, []) | (1.., [] | [b'-', ..]) => {}
        _ => return None,
    }
    if known[35] != b'-' || known[52] != b'-' {
        return None;
    }
    let trace = TraceId::from_bytes(hex(&known[3..35])?)?;
    let span = SpanId::from_bytes(hex(&known[36..52])?)?;
    let [flags] = hex(&known[53..])?;
    Some((trace, span, TraceFlags::from_bits(flags)))
}

/// Writes the header, as version 00.
pub(super) fn write(trace: TraceId, span: SpanId, flags: TraceFlags) -> String {
    format!("00-{trace}-{span}-{:02x}", flags.bits())
}

/// Lower-case digits, which alone are valid.
fn hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let pairs = digits.as_chunks::<2>().0;
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    (digits.len() == 2 * N).then_some(bytes)
}

fn digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "12345678901234567890123456789012";
    const SPAN: &str = "1234567890123456";

    fn check(header: &str, expected: Option<u8>) {
        let parsed = parse(header);
        assert_eq!(parsed.map(|(_, _, flags)| flags.bits()), expected, "{header:?}");
        if let Some((trace, span, _)) = parsed {
            assert_eq!((trace.to_string().as_str(), span.to_string().as_str()), (TRACE, SPAN), "{header:?}");
        }
    }

    #[test]
    fn version_00_is_read_and_written() {
        check(&format!("00-{TRACE}-{SPAN}-01"), Some(1));
        check(&format!("00-{TRACE}-{SPAN}-00"), Some(0));
        check(&format!(" \t00-{TRACE}-{SPAN}-01 "), Some(1));
        // Flags that mean nothing yet are not passed on.
        check(&format!("00-{TRACE}-{SPAN}-ff"), Some(3));
        let header = format!("00-{TRACE}-{SPAN}-03");
        let (trace, span, flags) = parse(&header).unwrap();
        assert_eq!(write(trace, span, flags), header);
    }

    #[test]
    fn later_versions_are_read_as_far_as_known() {
        check(&format!("cc-{TRACE}-{SPAN}-01"), Some(1));
        check(&format!("cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like"), Some(1));
        check(&format!("cc-{TRACE}-{SPAN}-01-"), Some(1));
        check(&format!("cc-{TRACE}-{SPAN}-01.what-the-future-will-be-like"), None);
        check(&format!("00-{TRACE}-{SPAN}-01-what-the-future-will-be-like"), None);
        check(&format!("ff-{TRACE}-{SPAN}-01"), None);
    }

    #[test]
    fn what_is_not_valid_is_refused() {
        for header in [
            "",
            "00",
            &format!("00-{TRACE}-{SPAN}"),
            &format!("00-{TRACE}-{SPAN}-"),
            &format!("00-{TRACE}-{SPAN}-1"),
            &format!("00-{TRACE}-{SPAN}-001"),
            &format!("00-{TRACE}-{SPAN}-.0"),
            &format!("00-{TRACE}-{SPAN}-0G"),
            &format!("0-{TRACE}-{SPAN}-01"),
            &format!("000-{TRACE}-{SPAN}-01"),
            &format!(".0-{TRACE}-{SPAN}-01"),
            &format!("00_{TRACE}-{SPAN}-01"),
            &format!("00-{TRACE}_{SPAN}-01"),
            &format!("00-{TRACE}-{SPAN}_01"),
            "00-00000000000000000000000000000000-1234567890123456-01",
            "00-12345678901234567890123456789012-0000000000000000-01",
            "00-1234567890123456789012345678901.-1234567890123456-01",
            "00-12345678901234567890123456789012-.234567890123456-01",
            "00-1234567890123456789012345678901A-1234567890123456-01",
            "00-1234567890123456789012345678901é-1234567890123456-0",
            &format!("00-{TRACE}-{SPAN}-01 01"),
        ] {
            check(header, None);
        }
    }
}
