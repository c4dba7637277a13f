use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use crate::CacheFigures;

/// Values bounded by the bytes they take; the one that was not used longest goes first.
#[derive(Debug)]
pub(crate) struct Lru<K, V> {
    entries: HashMap<K, Entry<V>>,
    /// Keys by when they were used last.
    by_use: BTreeMap<u64, K>,
    uses: u64,
    capacity: u64,
    figures: CacheFigures,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    bytes: u64,
    used: u64,
}

impl<K: Clone + Eq + Hash, V: Clone> Lru<K, V> {
    /// An empty cache for at most `capacity` bytes.
    pub fn new(capacity: u64) -> Self {
        Self { entries: HashMap::new(), by_use: BTreeMap::new(), uses: 0, capacity, figures: CacheFigures::default() }
    }

    /// The value of a key.
    pub fn get(&mut self, key: &K) -> Option<V> {
        let Some(entry) = self.entries.get_mut(key) else {
            self.figures.misses += 1;
            return None;
        };
        self.uses += 1;
        let key = self.by_use.remove(&entry.used).expect("every entry is in the order of use");
        entry.used = self.uses;
        self.by_use.insert(self.uses, key);
        self.figures.hits += 1;
        Some(entry.value.clone())
    }

    /// Keeps a value, unless it alone is larger than the cache.
    pub fn insert(&mut self, key: K, value: V, bytes: u64) {
        self.remove(&key);
        if bytes > self.capacity {
            return;
        }
        while self.figures.bytes + bytes > self.capacity {
            let Some((_, oldest)) = self.by_use.pop_first() else { break };
            let entry = self.entries.remove(&oldest).expect("the order of use knows entries only");
            self.figures.bytes -= entry.bytes;
            self.figures.evictions += 1;
        }
        self.uses += 1;
        self.by_use.insert(self.uses, key.clone());
        self.entries.insert(key, Entry { value, bytes, used: self.uses });
        self.figures.bytes += bytes;
    }

    /// Forgets a key.
    pub fn remove(&mut self, key: &K) {
        if let Some(entry) = self.entries.remove(key) {
            self.by_use.remove(&entry.used);
            self.figures.bytes -= entry.bytes;
        }
    }

    /// Forgets every key that does not satisfy `keep`.
    pub fn retain(&mut self, keep: impl Fn(&K) -> bool) {
        let gone: Vec<K> = self.entries.keys().filter(|key| !keep(key)).cloned().collect();
        for key in gone {
            self.remove(&key);
        }
    }

    pub fn figures(&self) -> CacheFigures {
        CacheFigures { entries: self.entries.len() as u64, ..self.figures }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_unused_goes_first() {
        let mut cache = Lru::new(10);
        cache.insert("a", 1, 4);
        cache.insert("b", 2, 4);
        assert_eq!(cache.get(&"a"), Some(1));
        cache.insert("c", 3, 4);
        assert_eq!((cache.get(&"a"), cache.get(&"b"), cache.get(&"c")), (Some(1), None, Some(3)));
        cache.insert("d", 4, 11);
        assert_eq!(cache.get(&"d"), None);
        cache.insert("a", 5, 10);
        let expected = CacheFigures { hits: 3, misses: 2, evictions: 2, entries: 1, bytes: 10 };
        assert_eq!(cache.figures(), expected);
        cache.retain(|key| *key != "a");
        assert_eq!(cache.figures().bytes, 0);
    }
}
