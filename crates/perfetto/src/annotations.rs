//! Attributes of many rows, turned into annotations column by column: each distinct text is looked at once.

use std::ops::Range;

use arrow::array::Array;
use glasshouse_tables::attributes::{AttributeColumn, AttributeColumns, AttributeValues};

use crate::interned::{Interner, Kind, Location};
use crate::packets::annotation_name;
use crate::wire::{Kept, Message, Short};

/// Rows whose annotations are made before those of the next: as many as stay in the processor's cache.
const BLOCK: usize = 1 << 10;

/// The annotations of the rows of a batch. They hold numbers of the interner, which must not forget them.
#[derive(Debug)]
pub(crate) struct Annotations {
    columns: Vec<Column>,
    memory: Memory,
    /// Where in the code each row is, by number, 0 for nowhere; empty when no row tells.
    locations: Vec<u64>,
}

/// What takes most memory.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// The annotations of each row; those of a row are from its offset to the next.
    cells: Vec<Cell>,
    offsets: Vec<u32>,
    /// Annotations that many rows have.
    kept: Vec<Kept>,
}

#[derive(Debug)]
struct Column {
    attribute: AttributeColumn,
    /// The number of its key, with its field.
    name: Option<Short>,
    /// Of texts, whether none has a NUL.
    is_clean: bool,
    /// Of texts with codes and of truth values, where what is kept of the first one is.
    kept: u32,
}

/// An annotation of a row.
#[derive(Debug, Clone, Copy)]
enum Cell {
    /// One that is kept.
    Kept(u32),
    /// An integer of a column whose key has a number.
    Int { column: u16, value: u32 },
    /// A value that is to be written from its column.
    Of { column: u16, row: u32 },
}

impl Annotations {
    /// Makes them in memory that was used before.
    pub fn new(attributes: &AttributeColumns, interner: &mut Interner, mut memory: Memory) -> Self {
        let rows = attributes.columns().first().map_or(0, |column| column.values.len());
        let locations = locations(attributes.columns(), rows, interner);
        let Memory { cells, offsets, kept } = &mut memory;
        kept.clear();
        let columns: Vec<Column> =
            attributes.columns().iter().map(|column| Column::new(column, rows, interner, kept)).collect();
        // One more than there are rows, for each row's beginning becomes its end while cells are given out.
        offsets.clear();
        offsets.resize(rows + 2, 0);
        for column in &columns {
            column.attribute.each_valid_row(0..rows, |row| offsets[row + 2] += 1);
        }
        for row in 0..rows {
            offsets[row + 2] += offsets[row + 1];
        }
        // What was there before is written over.
        cells.resize(offsets[rows + 1] as usize, Cell::Kept(0));
        for from in (0..rows).step_by(BLOCK) {
            for (number, column) in (0..).zip(&columns) {
                column.cells(number, from..rows.min(from + BLOCK), kept, |row, cell| {
                    let next = &mut offsets[row + 1];
                    cells[*next as usize] = cell;
                    *next += 1;
                });
            }
        }
        Self { columns, memory, locations }
    }

    /// Gives the memory back.
    pub fn into_memory(self) -> Memory {
        self.memory
    }

    /// Writes the annotations of a row.
    pub fn write(&self, row: usize, event: &mut Message) {
        let Some(&[from, to]) = self.memory.offsets.get(row..row + 2).and_then(<[u32]>::first_chunk) else { return };
        for cell in &self.memory.cells[from as usize..to as usize] {
            match cell {
                Cell::Kept(annotation) => event.append_kept(&self.memory.kept[*annotation as usize]),
                Cell::Int { column, value } => {
                    let name = self.columns[usize::from(*column)].name.unwrap_or_default();
                    event.append(name.varint(4, (*value).into()).nested(4));
                }
                Cell::Of { column, row } => {
                    let Column { attribute, name, is_clean, .. } = &self.columns[usize::from(*column)];
                    let row = *row as usize;
                    if let (Some(name), AttributeValues::Text(texts), true) = (name, &attribute.values, is_clean) {
                        event.with_clean_text(4, *name, 6, texts.value(row).as_bytes());
                    } else if let Some(value) = attribute.value(row) {
                        event.annotation(*name, attribute.key.as_bytes(), value);
                    }
                }
            }
        }
    }

    /// The number of the place in code that a row tells of, when it tells of one.
    pub fn location_number(&self, row: usize) -> Option<u64> {
        self.locations.get(row).copied().filter(|number| *number > 0)
    }

    /// The place in code that a row tells of, as far as its columns say.
    pub fn location(&self, row: usize) -> Location<'_> {
        location(self.columns.iter().map(|column| &column.attribute), row)
    }

    /// Whether nothing depends on the interner.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }
}

impl Column {
    fn new(attribute: &AttributeColumn, rows: usize, interner: &mut Interner, kept: &mut Vec<Kept>) -> Self {
        let name = interner.number(Kind::AnnotationName, attribute.key.as_bytes()).map(annotation_name);
        let is_clean = match &attribute.values {
            AttributeValues::Text(texts) => memchr::memchr(0, texts.value_data()).is_none(),
            _ => false,
        };
        let column = Self { attribute: attribute.clone(), name, is_clean, kept: kept.len() as u32 };
        let Some(name) = name else { return column };
        match &attribute.values {
            AttributeValues::Coded { texts, codes } => {
                let mut counts = vec![0_u32; texts.len()];
                attribute.each_valid_row(0..rows, |row| counts[codes.value(row) as usize] += 1);
                kept.extend(counts.iter().zip(texts.iter()).map(|(count, text)| {
                    of_text(name, text.unwrap_or_default().as_bytes(), *count, interner).unwrap_or_default()
                }));
            }
            AttributeValues::Bool(_) => {
                kept.extend([0, 1].map(|value| Kept::from(name.varint(2, value).nested(4))));
            }
            AttributeValues::Text(_) | AttributeValues::Int(_) | AttributeValues::Double(_) => {}
        }
        column
    }

    /// Gives the cells of some rows. The column is the `number`th.
    fn cells(&self, number: u16, rows: Range<usize>, kept: &[Kept], mut give: impl FnMut(usize, Cell)) {
        let of = |row| Cell::Of { column: number, row: row as u32 };
        let attribute = &self.attribute;
        match &attribute.values {
            AttributeValues::Coded { codes, .. } if self.name.is_some() => attribute.each_valid_row(rows, |row| {
                let known = self.kept + codes.value(row) as u32;
                give(row, if kept[known as usize].is_empty() { of(row) } else { Cell::Kept(known) });
            }),
            AttributeValues::Bool(values) if self.name.is_some() => {
                attribute.each_valid_row(rows, |row| give(row, Cell::Kept(self.kept + u32::from(values.value(row)))));
            }
            AttributeValues::Int(values) if self.name.is_some() => attribute.each_valid_row(rows, |row| {
                let small = u32::try_from(values.value(row));
                give(row, small.map_or_else(|_| of(row), |value| Cell::Int { column: number, value }));
            }),
            _ => attribute.each_valid_row(rows, |row| give(row, of(row))),
        }
    }
}

/// The annotation of a text that so many rows have; `None` when it is to be written from its column.
fn of_text(name: Short, text: &[u8], count: u32, interner: &mut Interner) -> Option<Kept> {
    if count == 0 {
        return None;
    }
    let value = match interner.number_of_text(text, count > 1) {
        Some(number) => name.varint(17, number),
        None => name.short_text(6, text)?,
    };
    Some(value.nested(4).into())
}

/// The numbers of the places in code that rows tell of.
fn locations(columns: &[AttributeColumn], rows: usize, interner: &mut Interner) -> Vec<u64> {
    let columns: Vec<_> = columns.iter().filter(|column| column.key.starts_with("code.")).collect();
    if columns.is_empty() {
        return Vec::new();
    }
    let number = |row| interner.location(&location(columns.iter().copied(), row)).unwrap_or_default();
    (0..rows).map(number).collect()
}

fn location<'a>(columns: impl Iterator<Item = &'a AttributeColumn>, row: usize) -> Location<'a> {
    let mut location = Location::default();
    for column in columns.filter(|column| column.key.starts_with("code.")) {
        if let Some(value) = column.value(row) {
            location.note(column.key.as_bytes(), value);
        }
    }
    location
}
