//! Rows to text, files and pipes.

use std::io::Write;

use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use arrow::util::pretty::pretty_format_batches_with_schema;
use glasshouse_formats::{RowFormat, RowWriteError, RowWriter};
use parquet::errors::ParquetError;

use crate::cli::OutputFormat;

/// Whether the reader of a pipe went away, which is its good right.
pub fn is_broken_pipe(error: &RowWriteError) -> bool {
    let broken = |error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe;
    match error {
        RowWriteError::Write(error) | RowWriteError::Arrow(ArrowError::IoError(_, error)) => broken(error),
        RowWriteError::Parquet(ParquetError::External(error)) => {
            error.downcast_ref::<std::io::Error>().is_some_and(broken)
        }
        _ => error.to_string().contains("Broken pipe"),
    }
}

/// Writes batches in one of the formats.
pub enum Output<W: Write + Send> {
    /// Widths depend on every row, so they are kept until the end.
    Table {
        out: W,
        schema: SchemaRef,
        batches: Vec<RecordBatch>,
    },
    File(Box<RowWriter<W>>),
}

impl<W: Write + Send> Output<W> {
    pub fn new(format: OutputFormat, schema: &SchemaRef, out: W) -> Result<Self, RowWriteError> {
        let format = match format {
            OutputFormat::Table => return Ok(Self::Table { out, schema: schema.clone(), batches: Vec::new() }),
            OutputFormat::Json => RowFormat::Json,
            OutputFormat::Csv => RowFormat::Csv,
            OutputFormat::Arrow => RowFormat::Arrow,
            OutputFormat::Parquet => RowFormat::Parquet,
        };
        Ok(Self::File(Box::new(RowWriter::new(format, schema, out)?)))
    }

    pub fn write(&mut self, batch: RecordBatch) -> Result<(), RowWriteError> {
        match self {
            Self::Table { batches, .. } => batches.push(batch),
            Self::File(writer) => writer.write(&batch)?,
        }
        Ok(())
    }

    pub fn finish(self) -> Result<(), RowWriteError> {
        match self {
            Self::Table { mut out, schema, batches } => {
                let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
                writeln!(out, "{}", pretty_format_batches_with_schema(schema, &batches)?)?;
                writeln!(out, "{rows} {}", if rows == 1 { "row" } else { "rows" })?;
                Ok(out.flush()?)
            }
            Self::File(writer) => writer.finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};

    use super::*;

    #[test]
    fn tables_show_every_row() {
        let rows = RecordBatch::try_from_iter([
            ("name", Arc::new(StringArray::from(vec![Some("GET /"), None])) as ArrayRef),
            ("duration_ns", Arc::new(Int64Array::from(vec![7, i64::MAX]))),
        ])
        .unwrap();
        let mut out = Vec::new();
        let mut output = Output::new(OutputFormat::Table, &rows.schema(), &mut out).unwrap();
        output.write(rows).unwrap();
        output.finish().unwrap();
        let table = String::from_utf8(out).unwrap();
        assert!(table.contains("| name  | duration_ns         |") && table.ends_with("2 rows\n"), "{table}");
    }
}
