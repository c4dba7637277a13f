//! The description of the API is committed for the web app, and complete.

use std::collections::HashSet;

const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/src/api/openapi.json");

#[test]
fn the_committed_document_is_up_to_date() {
    let current = serde_json::to_string_pretty(&glasshouse_server::openapi()).unwrap();
    let committed = std::fs::read_to_string(COMMITTED).unwrap();
    assert!(
        committed.trim() == current.trim(),
        "stale: run `cargo run -p glasshouse-server --example openapi > web/src/api/openapi.json`"
    );
}

#[test]
fn every_reference_leads_somewhere_and_every_operation_has_its_name() {
    let document = serde_json::to_value(glasshouse_server::openapi()).unwrap();
    let mut references = Vec::new();
    let mut names = Vec::new();
    collect(&document, &mut references, &mut names);
    for reference in &references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} is not declared");
    }
    assert!(!references.is_empty());
    let unique: HashSet<_> = names.iter().collect();
    assert_eq!(unique.len(), names.len(), "{names:?}");
}

fn collect(value: &serde_json::Value, references: &mut Vec<String>, names: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(object) => {
            for (key, value) in object {
                match (key.as_str(), value.as_str()) {
                    ("$ref", Some(reference)) => references.push(reference.to_owned()),
                    ("operationId", Some(name)) => names.push(name.to_owned()),
                    _ => collect(value, references, names),
                }
            }
        }
        serde_json::Value::Array(values) => values.iter().for_each(|value| collect(value, references, names)),
        _ => {}
    }
}
