use glasshouse_tables::ports::WireFormat;

/// What a JSON body of `POST /v1/traces` is, told by the first top-level key that belongs to one format
/// only: `spans` to native JSON, `resourceSpans` to OTLP. A body with neither is OTLP, empty or malformed.
///
/// Looks no further than that key and does not check the JSON on its way.
pub fn traces_json_format(body: &[u8]) -> WireFormat {
    let mut depth = 0_u32;
    let mut at = 0;
    while at < body.len() {
        match body[at] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let len = string_len(&body[at + 1..]);
                let text = &body[at + 1..at + 1 + len];
                at += len + 1;
                let is_key = || body[at..].iter().skip(1).find(|byte| !byte.is_ascii_whitespace()) == Some(&b':');
                if depth == 1 && is_key() {
                    match text {
                        b"spans" => return WireFormat::NativeSpansJson,
                        b"resourceSpans" | b"resource_spans" => return WireFormat::OtlpTracesJson,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        at += 1;
    }
    WireFormat::OtlpTracesJson
}

/// Bytes up to the quote that ends a string.
fn string_len(text: &[u8]) -> usize {
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_telling_key_decides() {
        use WireFormat::{NativeSpansJson, OtlpTracesJson};
        let check = |body: &str, format| assert_eq!(traces_json_format(body.as_bytes()), format, "{body}");
        check(r#"{"spans":[]}"#, NativeSpansJson);
        check(r#" { "resource" : {"resourceSpans":"}\"{", "a":["{"]}, "spans" : [] }"#, NativeSpansJson);
        check(r#"{"resourceSpans":[{"scopeSpans":[{"spans":[]}]}]}"#, OtlpTracesJson);
        check(r#"{"resource_spans":[]}"#, OtlpTracesJson);
        check(r#"{"x":"spans","y":["spans"]}"#, OtlpTracesJson);
        check(r#"{"x":{"spans":1}}"#, OtlpTracesJson);
        check(r#"[{"spans":1}]"#, OtlpTracesJson);
        for broken in ["", "{", "\"", "{\"spans", "{\"a\\", "}}{\"", "]]]"] {
            check(broken, OtlpTracesJson);
        }
    }
}
