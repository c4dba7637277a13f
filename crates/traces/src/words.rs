//! Words that are looked for in all that a span says.

use arrow::array::Array;
use glasshouse_tables::ShredType;
use glasshouse_tables::attributes::{PackedWriter, ValueRef, iter, json_to_packed};

use crate::cells::{self, Selection, Texts};
use crate::error::Failure;
use crate::source::Source;

/// The words of a text, in lower case. A span has a word when its name, its service, its status message or one of its
/// attributes, written `key=value`, contains it, in whatever case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words(Vec<String>);

/// Columns that are searched beside the attributes.
pub(crate) const COLUMNS: &[&str] = &["name", "service_name", "status_message"];

/// Which words were found, a bit for each.
pub(crate) type Found = u64;

impl Words {
    /// Words that are told apart; what follows is part of the last one.
    const MAX: usize = 64;

    pub fn new(text: &str) -> Self {
        let text = text.to_lowercase();
        let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        if words.len() > Self::MAX {
            let rest = words.split_off(Self::MAX - 1).join(" ");
            words.push(rest);
        }
        Self(words)
    }

    /// What is found when all are.
    pub fn all(&self) -> Found {
        self.0.iter().enumerate().fold(0, |all, (bit, _)| all | 1 << bit)
    }

    /// The words that a text contains.
    pub fn in_text(&self, text: &str) -> Found {
        if text.is_empty() {
            return 0;
        }
        let text = text.to_lowercase();
        let words = self.0.iter().enumerate();
        words.filter(|(_, word)| text.contains(&**word)).fold(0, |found, (bit, _)| found | 1 << bit)
    }

    /// The words that packed attributes contain.
    pub fn in_attributes(&self, packed: &[u8]) -> Found {
        iter(packed).fold(0, |found, (key, value)| found | self.in_attribute(key, value))
    }

    fn in_attribute(&self, key: &str, value: ValueRef<'_>) -> Found {
        self.in_text(&format!("{key}={}", value.to_text().unwrap_or_default()))
    }

    /// Leaves the rows of spans that have all words.
    pub fn keep(&self, source: &Source, rows: &mut Selection) -> Result<(), Failure> {
        if rows.is_empty() || self.0.is_empty() {
            return Ok(());
        }
        let mut found: Vec<Found> = vec![0; source.len()];
        for name in COLUMNS {
            let column = source.required(name)?;
            Texts::new(&column)?.look(rows, |text| self.in_text(text), &mut found);
        }
        match source {
            Source::Hot(batch) => {
                let packed = cells::bytes(cells::column(batch, "attributes")?)?;
                rows.each(|row| found[row] |= self.in_attributes(packed.value(row)));
            }
            Source::Group(file, _) => {
                for shredded in file.columns().shredded() {
                    let name = shredded.to_string();
                    if !source.is_null(&name)
                        && let Some(column) = source.column(&name)?
                    {
                        self.look_in_column(&shredded.key, shredded.kind, &column, rows, &mut found)?;
                    }
                }
                if !source.is_null("attributes")
                    && let Some(column) = source.column("attributes")?
                {
                    Texts::new(&column)?.look(rows, |json| self.in_json(json), &mut found);
                }
            }
        }
        let all = self.all();
        rows.keep(|row| found[row] == all);
        Ok(())
    }

    fn look_in_column(
        &self,
        key: &str,
        kind: ShredType,
        column: &dyn Array,
        rows: &Selection,
        found: &mut [Found],
    ) -> Result<(), Failure> {
        let mut look = |value: &dyn Fn(usize) -> ValueRef<'static>| {
            rows.each(|row| {
                if column.is_valid(row) {
                    found[row] |= self.in_attribute(key, value(row));
                }
            });
        };
        match kind {
            ShredType::String => {
                Texts::new(column)?.look(rows, |text| self.in_attribute(key, ValueRef::String(text)), found);
            }
            ShredType::Int => {
                let values = cells::integers(column)?;
                look(&|row| ValueRef::Int(values.value(row)));
            }
            ShredType::Double => {
                let values = cells::floats(column)?;
                look(&|row| ValueRef::Double(values.value(row)));
            }
            ShredType::Bool => {
                let values = cells::booleans(column)?;
                look(&|row| ValueRef::Bool(values.value(row)));
            }
        }
        Ok(())
    }

    fn in_json(&self, json: &str) -> Found {
        let mut packed = PackedWriter::new();
        // A file's own writer made the text; were it damaged, nothing would be found in it.
        let _ = json_to_packed(json, &mut packed);
        self.in_attributes(packed.packed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_any_case_and_across_key_and_value() {
        let words = Words::new("  Route=/CART ünï 42 ");
        assert_eq!(words.all(), 0b111);
        let mut packed = PackedWriter::new();
        packed.push_str("http.route", "/cart/{id}");
        packed.push("n", &glasshouse_model::Value::Int(1420));
        assert_eq!(words.in_attributes(packed.packed()), 0b101);
        assert_eq!(words.in_text("ÜNÏCODE"), 0b010);
        assert_eq!(words.in_text(""), 0);
        assert_eq!(Words::new("").all(), 0);
    }

    #[test]
    fn there_may_be_many_words() {
        let text = (0..100).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ");
        let words = Words::new(&text);
        assert_eq!(words.all(), u64::MAX);
        assert_eq!(words.in_text(&text), u64::MAX);
    }
}
