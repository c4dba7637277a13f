//! One wanted attribute, looked for in rows.

use std::collections::HashSet;

use arrow::array::{Array, ArrayRef};
use glasshouse_model::{ProcessId, Value};
use glasshouse_tables::attributes::{PackedWriter, ValueRef, get, json_get};
use glasshouse_tables::{ShredType, ShreddedColumn};

use crate::cells::{self, Selection, Texts};
use crate::error::Failure;
use crate::source::{Absent, Source, json_key};

/// An attribute that spans should have: their own, or failing that their resource's.
#[derive(Debug)]
pub(crate) struct WantedAttribute<'a> {
    pub key: &'a str,
    pub value: WantedValue<'a>,
    /// Processes whose resource has it.
    pub processes: HashSet<ProcessId>,
}

/// What is wanted of an attribute's value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum WantedValue<'a> {
    /// That there is one.
    Any,
    /// That it is this, as text.
    Text(&'a str),
}

impl WantedValue<'_> {
    fn is(self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Text(wanted) => wanted == text,
        }
    }
}

/// Says of a row whether its value is the wanted one; `None` when it has no value.
type Test<'a> = Box<dyn Fn(usize) -> Option<bool> + 'a>;

impl WantedAttribute<'_> {
    /// Leaves the rows that have the attribute.
    pub fn keep(&self, source: &Source, absent: &Absent, rows: &mut Selection) -> Result<(), Failure> {
        if rows.is_empty() {
            return Ok(());
        }
        match source {
            Source::Hot(batch) => {
                let packed = cells::bytes(cells::column(batch, "attributes")?)?;
                let own = |row| Some(self.value.is(&get(packed.value(row), self.key)?.to_text()?));
                self.keep_own_or_resource(source, &own, rows)
            }
            Source::Group(file, group) => {
                let mut columns = Vec::new();
                for kind in ShredType::ALL {
                    let name = ShreddedColumn { kind, key: self.key.to_owned() }.to_string();
                    if !source.is_null(&name)
                        && let Some(column) = source.column(&name)?
                    {
                        columns.push((kind, column));
                    }
                }
                let json = absent.json_with(file, *group, self.key)?;
                if let ([(ShredType::String, column)], None, WantedValue::Text(text), true) =
                    (&columns[..], &json, self.value, self.processes.is_empty())
                {
                    Texts::new(column)?.keep(text, true, rows);
                    return Ok(());
                }
                let mut tests = Vec::with_capacity(columns.len() + 1);
                for (kind, column) in &columns {
                    tests.push(self.test(*kind, column)?);
                }
                if let Some(json) = &json {
                    tests.push(self.test_json(Texts::new(json)?));
                }
                if tests.is_empty() && self.processes.is_empty() {
                    rows.clear();
                    return Ok(());
                }
                // The first value of a key is in a column, or else in JSON.
                self.keep_own_or_resource(source, &|row| tests.iter().find_map(|test| test(row)), rows)
            }
        }
    }

    fn keep_own_or_resource(
        &self,
        source: &Source,
        own: &dyn Fn(usize) -> Option<bool>,
        rows: &mut Selection,
    ) -> Result<(), Failure> {
        if self.processes.is_empty() {
            rows.keep(|row| own(row) == Some(true));
            return Ok(());
        }
        let column = source.required("process_id")?;
        let processes = cells::ids(&column)?;
        let of_resource =
            |row| ProcessId::from_slice(processes.value(row)).is_some_and(|process| self.processes.contains(&process));
        rows.keep(|row| own(row).unwrap_or_else(|| of_resource(row)));
        Ok(())
    }

    fn test<'a>(&'a self, kind: ShredType, column: &'a ArrayRef) -> Result<Test<'a>, Failure> {
        Ok(match kind {
            ShredType::String => {
                let texts = Texts::new(column)?;
                Box::new(move |row| texts.get(row).map(|text| self.value.is(text)))
            }
            ShredType::Int => {
                let integers = cells::integers(column)?;
                match self.value {
                    WantedValue::Any => Box::new(|row| integers.is_valid(row).then_some(true)),
                    WantedValue::Text(text) => {
                        let wanted = text.parse().ok().filter(|wanted| self.is_text_of(ValueRef::Int(*wanted)));
                        Box::new(move |row| cells::value(integers, row).map(|value| wanted == Some(value)))
                    }
                }
            }
            ShredType::Double => {
                let floats = cells::floats(column)?;
                Box::new(move |row| cells::value(floats, row).map(|value| self.is_text_of(ValueRef::Double(value))))
            }
            ShredType::Bool => {
                let booleans = cells::booleans(column)?;
                let value = |row| booleans.is_valid(row).then(|| booleans.value(row));
                Box::new(move |row| value(row).map(|value| self.is_text_of(ValueRef::Bool(value))))
            }
        })
    }

    fn test_json<'a>(&'a self, texts: Texts<'a>) -> Test<'a> {
        let part = json_key(self.key);
        Box::new(move |row| {
            let json = texts.get(row)?;
            if part.as_deref().is_some_and(|part| !json.contains(part)) {
                return None;
            }
            Some(self.value.is(&text(&json_get(json, self.key)?)?))
        })
    }

    fn is_text_of(&self, value: ValueRef<'_>) -> bool {
        value.to_text().is_some_and(|text| self.value.is(&text))
    }
}

/// A value as filters compare it; `None` when there is none.
pub(crate) fn text(value: &Value) -> Option<String> {
    let mut packed = PackedWriter::new();
    packed.push("", value);
    Some(get(packed.packed(), "")?.to_text()?.into_owned())
}
