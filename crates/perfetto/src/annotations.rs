//! Attributes of many rows, turned into annotations column by column: each distinct text is looked at once.

use arrow::array::Array;
use glasshouse_tables::attributes::{AttributeColumn, AttributeColumns, AttributeValues};

use crate::interned::{Interner, Kind, Location};
use crate::packets::annotation_name;
use crate::wire::{Kept, Message, Short};

/// Integers beyond do not fit into [`Kept`] with the rest of an annotation.
const MAX_INT: u64 = 1 << 49;

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
}

#[derive(Debug)]
struct Column {
    attribute: AttributeColumn,
    /// The number of its key, with its field.
    name: Option<Short>,
    /// Of texts, whether none has a NUL.
    is_clean: bool,
}

#[derive(Debug, Clone, Copy)]
enum Cell {
    /// All of it.
    Whole(Kept),
    /// A value that is to be written from its column.
    Of { column: u32, row: u32 },
}

impl Annotations {
    /// Makes them in memory that was used before.
    pub fn new(attributes: &AttributeColumns, interner: &mut Interner, mut memory: Memory) -> Self {
        let rows = attributes.columns().first().map_or(0, |column| column.values.len());
        let locations = locations(attributes.columns(), rows, interner);
        let columns: Vec<Column> = attributes
            .columns()
            .iter()
            .map(|column| {
                let name = interner.number(Kind::AnnotationName, column.key.as_bytes());
                let is_clean = match &column.values {
                    AttributeValues::Text(texts) => memchr::memchr(0, texts.value_data()).is_none(),
                    _ => false,
                };
                Column { attribute: column.clone(), name: name.map(annotation_name), is_clean }
            })
            .collect();
        // One more than there are rows, for each row's beginning becomes its end while cells are given out.
        let Memory { cells, offsets } = &mut memory;
        offsets.clear();
        offsets.resize(rows + 2, 0);
        for column in &columns {
            column.attribute.each_valid_row(|row| offsets[row + 2] += 1);
        }
        for row in 0..rows {
            offsets[row + 2] += offsets[row + 1];
        }
        // What was there before is written over.
        cells.resize(offsets[rows + 1] as usize, Cell::Of { column: 0, row: 0 });
        let mut give = |row: usize, cell| {
            let next = &mut offsets[row + 1];
            cells[*next as usize] = cell;
            *next += 1;
        };
        for (number, Column { attribute, name, .. }) in columns.iter().enumerate() {
            let of = |row| Cell::Of { column: number as u32, row: row as u32 };
            let values = &attribute.values;
            let Some(name) = name else {
                attribute.each_valid_row(|row| give(row, of(row)));
                continue;
            };
            match values {
                AttributeValues::Coded { texts, codes } => {
                    let mut counts = vec![0_u32; texts.len()];
                    attribute.each_valid_row(|row| counts[codes.value(row) as usize] += 1);
                    let cells: Vec<_> = counts
                        .iter()
                        .zip(texts.iter())
                        .map(|(count, text)| of_text(*name, text.unwrap_or_default().as_bytes(), *count, interner))
                        .collect();
                    attribute.each_valid_row(|row| {
                        give(row, cells[codes.value(row) as usize].map_or_else(|| of(row), Cell::Whole));
                    });
                }
                AttributeValues::Text(_) => attribute.each_valid_row(|row| give(row, of(row))),
                AttributeValues::Int(ints) => attribute.each_valid_row(|row| {
                    let value = ints.value(row) as u64;
                    give(row, if value < MAX_INT { whole(name.varint(4, value)) } else { of(row) });
                }),
                AttributeValues::Double(doubles) => attribute.each_valid_row(|row| {
                    give(row, whole(name.fixed64(5, doubles.value(row).to_bits())));
                }),
                AttributeValues::Bool(bools) => attribute.each_valid_row(|row| {
                    give(row, whole(name.varint(2, bools.value(row).into())));
                }),
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
                Cell::Whole(annotation) => event.append_kept(annotation),
                Cell::Of { column, row } => {
                    let Column { attribute, name, is_clean } = &self.columns[*column as usize];
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

fn whole(annotation: Short) -> Cell {
    Cell::Whole(annotation.nested(4).into())
}

/// The annotation of a text that so many rows have; `None` when it is to be written in full.
fn of_text(name: Short, text: &[u8], count: u32, interner: &mut Interner) -> Option<Kept> {
    let number = if count == 0 { None } else { interner.number_of_text(text, count > 1) }?;
    Some(name.varint(17, number).nested(4).into())
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
