//! Which attribute keys the JSON column of a file still holds, told in its footer: a query for one key
//! then leaves that column alone where the key is not in it.

use std::collections::BTreeSet;

use arrow::array::{Array, StringArray};
use parquet::file::metadata::KeyValue;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

/// Key of the metadata of a file with shredded columns; the value is a JSON list of the attribute keys that
/// are in its column `attributes`. Absent when they are too many to list.
pub const REST_KEYS: &str = "glasshouse.rest_keys";

/// Keys that are listed. Senders that make up keys are not worth a footer that everyone must read.
const MAX_KEYS: usize = 256;

/// Collects the keys while a file is written.
#[derive(Debug)]
pub(crate) struct RestKeys {
    /// `None` when there were too many.
    keys: Option<BTreeSet<String>>,
}

impl RestKeys {
    pub fn new() -> Self {
        Self { keys: Some(BTreeSet::new()) }
    }

    /// Looks at a batch's JSON texts.
    pub fn push(&mut self, rest: &StringArray) {
        let Some(keys) = &mut self.keys else { return };
        if rest.null_count() == rest.len() {
            return;
        }
        for json in rest.iter().flatten() {
            let read = serde_json::Deserializer::from_str(json).deserialize_map(Object(keys));
            if read.is_err() || keys.len() > MAX_KEYS {
                self.keys = None;
                return;
            }
        }
    }

    /// The entry of the footer.
    pub fn metadata_entry(self) -> Option<KeyValue> {
        let keys = serde_json::to_string(&self.keys?).expect("a list of texts has a JSON form");
        Some(KeyValue::new(REST_KEYS.to_owned(), keys))
    }
}

struct Object<'a>(&'a mut BTreeSet<String>);

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object of attributes")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_key_seed(Key(self.0))?.is_some() {
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

struct Key<'a>(&'a mut BTreeSet<String>);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<(), E> {
        if !self.0.contains(key) {
            self.0.insert(key.to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(texts: Vec<Option<String>>) -> Option<String> {
        let mut keys = RestKeys::new();
        keys.push(&texts.into_iter().collect());
        keys.metadata_entry().map(|entry| entry.value.unwrap())
    }

    #[test]
    fn keys_are_listed_once_and_top_level_only() {
        let texts = [r#"{"b":[1],"a\n":{"x":1}}"#, r#"{"b":"2"}"#].map(|json| Some(json.to_owned()));
        assert_eq!(entry([None].into_iter().chain(texts).collect()).unwrap(), r#"["a\n","b"]"#);
        assert_eq!(entry(vec![None]).unwrap(), "[]");
    }

    #[test]
    fn too_many_keys_are_not_listed() {
        let texts = (0..=MAX_KEYS).map(|i| Some(format!("{{\"k{i}\":1}}"))).collect();
        assert_eq!(entry(texts), None);
    }
}
