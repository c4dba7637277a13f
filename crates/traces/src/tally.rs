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
/// Values of a key that are kept at once. When there are more, half of them are forgotten, the rarest: what so many spans
/// have that it makes a difference stays.
const MAX_VALUES: usize = 4096;
/// A smaller difference of shares explains nothing.
const LEAST_DIFFERENCE: f64 = 0.05;
/// What fewer of the selected spans have may be chance.
const LEAST_COUNT: u64 = 3;
/// A difference of shares counts when their confidence intervals of this many standard errors do not meet.
const SIGNIFICANT: f64 = 3.0;
/// What is told of a survey.
const MAX_KEYS: usize = 500;
const VALUES_PER_KEY: usize = 20;

/// What was counted of a key.
#[derive(Debug, Default)]
struct Counts {
    /// Spans that have the key, whatever the value.
    spans: u64,
    values: FastMap<String, u64>,
}

/// Numbers of spans by place, key and value.
pub(crate) struct Tally<'a> {
    places: FastMap<ValuePlace, FastMap<String, Counts>>,
    /// Whether values that are not known yet are taken in.
    is_open: bool,
    scratch: Scratch<'a>,
    stop: &'a Stop,
}

impl<'a> Tally<'a> {
    pub fn new(stop: &'a Stop) -> Self {
        Self { places: FastMap::new(), is_open: true, scratch: stop.scratch(), stop }
    }

    /// A tally that counts, from nothing on, only those values that are frequent enough among so many spans to make a
    /// difference.
    pub fn frequent(self, spans: u64) -> Self {
        // What was forgotten on the way is less than a thousandth of the spans.
        let least = spans as f64 * (LEAST_DIFFERENCE - 0.001);
        let mut frequent = Self { is_open: false, ..Self::new(self.stop) };
        for (place, keys) in self.places {
            for (key, counts) in keys {
                let values: FastMap<String, u64> = counts
                    .values
                    .into_iter()
                    .filter(|(_, count)| *count as f64 >= least)
                    .map(|(v, _)| (v, 0))
                    .collect();
                if !values.is_empty() {
                    let keys = frequent.places.entry(place).or_default();
                    keys.insert(key, Counts { spans: 0, values });
                }
            }
        }
        frequent
    }

    /// One that counts the same values, from nothing on.
    pub fn emptied(&self) -> Self {
        let mut emptied = Self { is_open: false, ..Self::new(self.stop) };
        for (place, keys) in &self.places {
            let keys = keys.iter().map(|(key, counts)| {
                let values = counts.values.keys().map(|value| (value.clone(), 0)).collect();
                (key.clone(), Counts { spans: 0, values })
            });
            emptied.places.insert(*place, keys.collect());
        }
        emptied
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
        let keys = self.places.entry(place).or_default();
        let Some(counts) = keys.get_mut(key) else {
            if self.is_open {
                self.scratch.grow(key.len() + size_of::<(String, Counts)>())?;
                keys.insert(key.to_owned(), Counts::default());
                return self.add(place, key, value, spans);
            }
            return Ok(());
        };
        counts.spans += spans;
        if let Some(count) = counts.values.get_mut(value) {
            *count += spans;
        } else if self.is_open && value.len() <= MAX_VALUE {
            if counts.values.len() >= MAX_VALUES {
                forget_rare(&mut counts.values);
            } else {
                self.scratch.grow(value.len() + 2 * size_of::<(String, u64)>())?;
            }
            counts.values.insert(value.to_owned(), spans);
        }
        Ok(())
    }

    /// Values that are more frequent here, among so many spans, than there, the greatest difference of shares first.
    pub fn differences(self, spans: u64, rest: &Self, rest_spans: u64, most: usize) -> Vec<ValueDifference> {
        let mut differences: Vec<(f64, ValueDifference)> = Vec::new();
        for (place, keys) in self.places {
            for (key, counts) in keys {
                let of_rest = rest.places.get(&place).and_then(|keys| keys.get(&key));
                for (value, count) in counts.values {
                    let in_rest = of_rest.and_then(|counts| counts.values.get(&value)).copied().unwrap_or_default();
                    if let Some(by) = difference((count, spans), (in_rest, rest_spans)) {
                        let (key, selected_count, rest_count) = (key.clone(), count, in_rest);
                        differences.push((by, ValueDifference { place, key, value, selected_count, rest_count }));
                    }
                }
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
                let span_count = counts.spans;
                let mut values: Vec<(String, u64)> = counts.values.into_iter().collect();
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

/// Forgets the rarer half of the values, and takes of the others what those had: so no value that is left counts for more
/// than it should, and one loses at most as many as the values seen, divided by half of those that are kept (Misra and
/// Gries, "Finding repeated elements", 1982).
fn forget_rare(values: &mut FastMap<String, u64>) {
    let mut counts: Vec<u64> = values.values().copied().collect();
    let middle = counts.len() / 2;
    let (_, median, _) = counts.select_nth_unstable(middle);
    let median = *median;
    values.retain(|_, count| {
        *count = count.saturating_sub(median);
        *count > 0
    });
}

/// How much greater the first share is than the second; `None` when it is not, or when chance may be the reason.
fn difference((a, of_a): (u64, u64), (b, of_b): (u64, u64)) -> Option<f64> {
    if a < LEAST_COUNT || of_b == 0 {
        return None;
    }
    let difference = a as f64 / of_a as f64 - b as f64 / of_b as f64;
    let ((least, _), (_, most)) = (interval(a, of_a), interval(b, of_b));
    (difference >= LEAST_DIFFERENCE && least > most).then_some(difference)
}

/// Wilson's confidence interval of a share, which holds for small numbers too.
fn interval(part: u64, whole: u64) -> (f64, f64) {
    let (share, whole, z) = (part as f64 / whole as f64, whole as f64, SIGNIFICANT);
    let middle = share + z * z / (2.0 * whole);
    let reach = z * (share * (1.0 - share) / whole + z * z / (4.0 * whole * whole)).sqrt();
    let scale = 1.0 + z * z / whole;
    ((middle - reach) / scale, (middle + reach) / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_chance_does_not_explain_is_a_difference() {
        assert_eq!(difference((10, 10), (0, 1000)), Some(1.0));
        assert_eq!(difference((5, 10), (500, 1000)), None);
        for few in [(1, 1), (1, 10), (2, 2), (2, 40)] {
            assert_eq!(difference(few, (0, 1000)), None, "{few:?}");
        }
        assert_eq!(difference((3, 100), (0, 1000)), None);
        assert_eq!(difference((4, 4), (4, 10)), None);
        assert_eq!(difference((0, 10), (10, 10)), None);
        assert_eq!(difference((10, 10), (0, 0)), None);
        assert!(difference((900, 1000), (700, 1000)).is_some());
        assert!(difference((5, 5), (0, 1000)).is_some());
    }

    #[test]
    fn frequent_values_are_not_forgotten_among_many() {
        let mut values = FastMap::new();
        for number in 0..200_000u64 {
            let value = if number % 20 == 0 { "often".to_owned() } else { format!("once {number}") };
            if values.len() >= MAX_VALUES && !values.contains_key(&value) {
                forget_rare(&mut values);
            }
            *values.entry(value).or_default() += 1;
        }
        assert!(values.len() <= MAX_VALUES);
        let left = values["often"];
        assert!((10_000 - 200..=10_000).contains(&left), "{left}");
    }
}
