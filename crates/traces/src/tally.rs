//! Values of spans, counted.

use std::cmp::Reverse;

use arrow::array::Array;
use foldhash::{HashMap as FastMap, HashMapExt};
use glasshouse_model::{AttributeKey, Attributes, ValueDifference, ValuePlace};
use glasshouse_tables::ShredType;
use glasshouse_tables::attributes::{PackedWriter, ValueRef, iter, json_to_packed};

use crate::attribute;
use crate::cells::{self, Selection, Texts};
use crate::error::Failure;
use crate::source::Source;
use crate::store::{Scratch, Stop};

/// Columns that are counted like attributes, and the names of what they hold.
const FIELDS: [(&str, &str); 5] = [
    ("service_name", "service"),
    ("name", "operation"),
    ("kind", "kind"),
    ("status_code", "status"),
    ("status_message", "status_message"),
];
/// Longer texts are no values that groups of spans share.
const MAX_VALUE: usize = 1024;
/// A smaller difference of shares explains nothing.
const LEAST_DIFFERENCE: f64 = 0.05;
/// A difference of shares counts when it is this many standard errors.
const SIGNIFICANT: f64 = 3.0;
/// What is told of a survey.
const MAX_KEYS: usize = 500;
const VALUES_PER_KEY: usize = 20;

type Counts = FastMap<String, u64>;

/// Numbers of spans by place, key and value.
pub(crate) struct Tally<'a> {
    places: FastMap<ValuePlace, FastMap<String, Counts>>,
    /// Whether values that are not known yet are taken in.
    is_open: bool,
    scratch: Scratch<'a>,
}

impl<'a> Tally<'a> {
    pub fn new(stop: &'a Stop) -> Self {
        Self { places: FastMap::new(), is_open: true, scratch: stop.scratch() }
    }

    /// Adds the values of rows, ascending.
    pub fn count(&mut self, source: &Source, rows: &[u32]) -> Result<(), Failure> {
        let selection = Selection::of(source.len(), rows.to_vec());
        for (name, key) in FIELDS {
            let column = source.required(name)?;
            self.count_texts(ValuePlace::Field, key, Texts::new(&column)?, &selection)?;
        }
        match source {
            Source::Hot(batch) => {
                let packed = cells::bytes(cells::column(batch, "attributes")?)?;
                for row in rows {
                    self.add_packed(packed.value(*row as usize), 1)?;
                }
            }
            Source::Group(file, _) => {
                for shredded in file.columns().shredded() {
                    let name = shredded.to_string();
                    if self.wants(ValuePlace::Span, &shredded.key)
                        && !source.is_null(&name)
                        && let Some(column) = source.column(&name)?
                    {
                        self.count_column(&shredded.key, shredded.kind, &column, rows, &selection)?;
                    }
                }
                if !source.is_null("attributes")
                    && let Some(column) = source.column("attributes")?
                {
                    let texts = Texts::new(&column)?;
                    let mut packed = PackedWriter::new();
                    for (json, count) in texts.counts(&selection) {
                        packed.clear();
                        // A file's own writer made the text; were it damaged, nothing would be counted of it.
                        let _ = json_to_packed(json, &mut packed);
                        self.add_packed(packed.packed(), count)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Adds the attributes of a resource that so many spans have.
    pub fn add_resource(&mut self, resource: &Attributes, spans: u64) -> Result<(), Failure> {
        for (key, value) in &resource.0 {
            if let Some(value) = attribute::text(value) {
                self.add(ValuePlace::Resource, key, &value, spans)?;
            }
        }
        Ok(())
    }

    fn count_column(
        &mut self,
        key: &str,
        kind: ShredType,
        column: &dyn Array,
        rows: &[u32],
        selection: &Selection,
    ) -> Result<(), Failure> {
        match kind {
            ShredType::String => self.count_texts(ValuePlace::Span, key, Texts::new(column)?, selection),
            ShredType::Int => {
                let values = cells::integers(column)?;
                self.count_values(key, column, rows, |row| ValueRef::Int(values.value(row)))
            }
            ShredType::Double => {
                let values = cells::floats(column)?;
                self.count_values(key, column, rows, |row| ValueRef::Double(values.value(row)))
            }
            ShredType::Bool => {
                let values = cells::booleans(column)?;
                self.count_values(key, column, rows, |row| ValueRef::Bool(values.value(row)))
            }
        }
    }

    fn count_values(
        &mut self,
        key: &str,
        column: &dyn Array,
        rows: &[u32],
        value: impl Fn(usize) -> ValueRef<'static>,
    ) -> Result<(), Failure> {
        for row in rows.iter().map(|row| *row as usize).filter(|row| column.is_valid(*row)) {
            if let Some(text) = value(row).to_text() {
                self.add(ValuePlace::Span, key, &text, 1)?;
            }
        }
        Ok(())
    }

    fn count_texts(&mut self, place: ValuePlace, key: &str, texts: Texts<'_>, rows: &Selection) -> Result<(), Failure> {
        if !self.wants(place, key) {
            return Ok(());
        }
        for (text, count) in texts.counts(rows) {
            // A field that nobody filled in says nothing.
            if place != ValuePlace::Field || !text.is_empty() {
                self.add(place, key, text, count)?;
            }
        }
        Ok(())
    }

    fn add_packed(&mut self, packed: &[u8], spans: u64) -> Result<(), Failure> {
        for (key, value) in iter(packed) {
            if self.wants(ValuePlace::Span, key)
                && let Some(text) = value.to_text()
            {
                self.add(ValuePlace::Span, key, &text, spans)?;
            }
        }
        Ok(())
    }

    fn wants(&self, place: ValuePlace, key: &str) -> bool {
        self.is_open || self.places.get(&place).is_some_and(|keys| keys.contains_key(key))
    }

    fn add(&mut self, place: ValuePlace, key: &str, value: &str, spans: u64) -> Result<(), Failure> {
        if value.len() > MAX_VALUE {
            return Ok(());
        }
        let keys = self.places.entry(place).or_default();
        if let Some(counts) = keys.get_mut(key) {
            if let Some(count) = counts.get_mut(value) {
                *count += spans;
                return Ok(());
            }
        }
        if self.is_open {
            self.scratch.grow(key.len() + value.len() + 4 * size_of::<(String, u64)>())?;
            keys.entry(key.to_owned()).or_default().insert(value.to_owned(), spans);
        }
        Ok(())
    }

    /// Takes out what was counted of so many spans, and from now on counts only those of its values that are frequent
    /// enough to make a difference.
    pub fn close(&mut self, spans: u64) -> Vec<Counted> {
        self.is_open = false;
        let least = spans as f64 * LEAST_DIFFERENCE;
        let mut counted: Vec<Counted> = Vec::new();
        for (place, keys) in std::mem::take(&mut self.places) {
            for (key, counts) in keys {
                let frequent = counts.into_iter().filter(|(_, count)| *count as f64 >= least);
                counted.extend(frequent.map(|(value, count)| Counted { place, key: key.clone(), value, count }));
            }
        }
        for Counted { place, key, value, .. } in &counted {
            let keys = self.places.entry(*place).or_default();
            keys.entry(key.clone()).or_default().insert(value.clone(), 0);
        }
        counted
    }

    /// Compares what was taken out with what was counted since.
    pub fn differences(
        &self,
        selected: Vec<Counted>,
        selected_count: u64,
        rest_count: u64,
        most: usize,
    ) -> Vec<ValueDifference> {
        let mut differences: Vec<(f64, ValueDifference)> = Vec::new();
        for Counted { place, key, value, count } in selected {
            let rest = self.places.get(&place).and_then(|keys| keys.get(&key)?.get(&value)).copied();
            let rest = rest.unwrap_or_default();
            if let Some(difference) = difference((count, selected_count), (rest, rest_count)) {
                let value = ValueDifference { place, key, value, selected_count: count, rest_count: rest };
                differences.push((difference, value));
            }
        }
        differences.sort_by(|(a, x), (b, y)| {
            b.total_cmp(a).then_with(|| (x.place, &x.key, &x.value).cmp(&(y.place, &y.key, &y.value)))
        });
        differences.into_iter().map(|(_, value)| value).take(most).collect()
    }

    /// The attributes that were counted, the most frequent first.
    pub fn keys(self) -> Vec<AttributeKey> {
        let mut list: Vec<AttributeKey> = Vec::new();
        for (place, keys) in self.places {
            if place == ValuePlace::Field {
                continue;
            }
            for (key, counts) in keys {
                let span_count = counts.values().sum();
                let mut values: Vec<(String, u64)> = counts.into_iter().collect();
                values.sort_unstable_by(|(a, x), (b, y)| (Reverse(x), a).cmp(&(Reverse(y), b)));
                values.truncate(VALUES_PER_KEY);
                list.push(AttributeKey { place, key, span_count, values });
            }
        }
        list.sort_unstable_by(|a, b| {
            (Reverse(a.span_count), &a.key, a.place).cmp(&(Reverse(b.span_count), &b.key, b.place))
        });
        list.truncate(MAX_KEYS);
        list
    }
}

/// A value and how many spans have it.
#[derive(Debug)]
pub(crate) struct Counted {
    place: ValuePlace,
    key: String,
    value: String,
    count: u64,
}

/// How much greater the first share is than the second; `None` when it is not, or when chance may be the reason.
fn difference((a, of_a): (u64, u64), (b, of_b): (u64, u64)) -> Option<f64> {
    if of_a == 0 || of_b == 0 {
        return None;
    }
    let (a, of_a, b, of_b) = (a as f64, of_a as f64, b as f64, of_b as f64);
    let difference = a / of_a - b / of_b;
    let together = (a + b) / (of_a + of_b);
    let standard_error = (together * (1.0 - together) * (1.0 / of_a + 1.0 / of_b)).sqrt();
    (difference >= LEAST_DIFFERENCE && difference >= SIGNIFICANT * standard_error).then_some(difference)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_chance_does_not_explain_is_a_difference() {
        assert_eq!(difference((10, 10), (0, 1000)), Some(1.0));
        assert_eq!(difference((5, 10), (500, 1000)), None);
        assert_eq!(difference((1, 10), (0, 20)), None);
        assert_eq!(difference((1, 100), (0, 1000)), None);
        assert_eq!(difference((0, 10), (10, 10)), None);
        assert_eq!(difference((10, 10), (0, 0)), None);
        assert!(difference((900, 1000), (700, 1000)).is_some());
    }
}
