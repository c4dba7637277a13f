use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, new_null_array};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use glasshouse_tables::ShreddedColumn;

use crate::FileColumns;
use crate::assemble::AttributesRow;
use crate::gather::relabel;
use crate::shred::Splitter;

/// Turns batches of one file into batches of the merged file: columns that both have pass as they are, the
/// values of others move between columns and the JSON text.
pub(super) struct Adapter {
    schema: SchemaRef,
    /// For each column of the merged file.
    sources: Vec<Source>,
    /// The file's columns that the merged file does not have.
    dropped: Vec<ShreddedColumn>,
    /// Fills the columns that the file does not have.
    splitter: Option<Splitter>,
    /// Position of the JSON text.
    attributes: Option<usize>,
}

#[derive(Clone, Copy)]
enum Source {
    /// The file's column of this position.
    File(usize),
    /// The splitter's column of this position.
    Split(usize),
    /// The file has values of the key in a column of another type; what is left of it stays in the JSON.
    Nothing,
}

impl Adapter {
    pub fn new(file: &FileColumns, merged: &FileColumns) -> Self {
        let table = merged.table();
        let fixed = table.columns().len();
        let keys: HashSet<&str> = file.shredded().iter().map(|column| column.key.as_str()).collect();
        let mut sources: Vec<Source> = (0..fixed).map(Source::File).collect();
        let mut missing = Vec::new();
        for column in merged.shredded() {
            sources.push(match file.shredded().iter().position(|other| other == column) {
                Some(i) => Source::File(fixed + i),
                None if keys.contains(column.key.as_str()) => Source::Nothing,
                None => {
                    missing.push(column.clone());
                    Source::Split(missing.len() - 1)
                }
            });
        }
        let dropped: Vec<_> =
            file.shredded().iter().filter(|column| !merged.shredded().contains(column)).cloned().collect();
        let splitter = (!missing.is_empty() || !dropped.is_empty()).then(|| Splitter::new(&missing));
        let attributes = table.shredded_column().and_then(|name| table.index_of(name));
        Self { schema: Arc::clone(merged.schema()), sources, dropped, splitter, attributes }
    }

    pub fn adapt(&mut self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let (mut rest, mut split) = (None, Vec::new());
        if let (Some(splitter), Some(attributes)) = (&mut self.splitter, self.attributes) {
            let json = batch.column(attributes);
            // Mostly nothing is left in the JSON and nothing has to go there: then there is nothing to move.
            if json.null_count() < json.len() || !self.dropped.is_empty() {
                let mut row = AttributesRow::new(json, &self.dropped, batch)?;
                for i in 0..batch.num_rows() {
                    match row.packed(i)? {
                        [] => splitter.push_null(),
                        packed => splitter.push(packed),
                    }
                }
                let (json, columns) = splitter.finish()?;
                (rest, split) = (Some(json), columns);
            }
        }
        let fields = self.schema.fields().iter().zip(&self.sources).enumerate();
        let columns = fields.map(|(i, (field, source))| -> Result<ArrayRef, ArrowError> {
            match *source {
                Source::File(_) if Some(i) == self.attributes && rest.is_some() => {
                    Ok(rest.take().expect("the guard checks it"))
                }
                Source::File(column) => relabel(batch.column(column), field.data_type()),
                Source::Split(column) if !split.is_empty() => Ok(Arc::clone(&split[column])),
                Source::Split(_) | Source::Nothing => Ok(new_null_array(field.data_type(), batch.num_rows())),
            }
        });
        RecordBatch::try_new(Arc::clone(&self.schema), columns.collect::<Result<_, _>>()?)
    }
}
