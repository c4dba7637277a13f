//! Rows to text, files and pipes.

use std::io::Write;

use arrow::csv;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use arrow::json::ArrayWriter;
use arrow::record_batch::RecordBatch;
use arrow::util::pretty::pretty_format_batches_with_schema;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use crate::cli::OutputFormat;

/// Why rows could not be written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    #[error("{0}")]
    Write(#[from] std::io::Error),
    #[error("{0}")]
    Arrow(#[from] ArrowError),
    #[error("{0}")]
    Parquet(#[from] ParquetError),
}

impl OutputError {
    /// Whether the reader of a pipe went away, which is its good right.
    pub fn is_broken_pipe(&self) -> bool {
        let broken = |error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe;
        match self {
            Self::Write(error) | Self::Arrow(ArrowError::IoError(_, error)) => broken(error),
            Self::Parquet(ParquetError::External(error)) => error.downcast_ref::<std::io::Error>().is_some_and(broken),
            _ => self.to_string().contains("Broken pipe"),
        }
    }
}

/// Writes batches in one of the formats.
pub enum RowWriter<W: Write + Send> {
    /// Widths depend on every row, so they are kept until the end.
    Table {
        out: W,
        schema: SchemaRef,
        batches: Vec<RecordBatch>,
    },
    Json(ArrayWriter<W>),
    Csv(Box<csv::Writer<W>>),
    Arrow(StreamWriter<W>),
    Parquet(Box<ArrowWriter<W>>),
}

impl<W: Write + Send> RowWriter<W> {
    pub fn new(format: OutputFormat, schema: &SchemaRef, out: W) -> Result<Self, OutputError> {
        Ok(match format {
            OutputFormat::Table => Self::Table { out, schema: schema.clone(), batches: Vec::new() },
            OutputFormat::Json => Self::Json(ArrayWriter::new(out)),
            OutputFormat::Csv => {
                let mut writer = csv::WriterBuilder::new().with_header(true).build(out);
                // The names are wanted even when there is no row.
                writer.write(&RecordBatch::new_empty(schema.clone()))?;
                Self::Csv(Box::new(writer))
            }
            OutputFormat::Arrow => Self::Arrow(StreamWriter::try_new(out, schema)?),
            OutputFormat::Parquet => {
                let compression = Compression::ZSTD(ZstdLevel::default());
                let properties = WriterProperties::builder().set_compression(compression).build();
                Self::Parquet(Box::new(ArrowWriter::try_new(out, schema.clone(), Some(properties))?))
            }
        })
    }

    pub fn write(&mut self, batch: RecordBatch) -> Result<(), OutputError> {
        match self {
            Self::Table { batches, .. } => batches.push(batch),
            Self::Json(writer) => writer.write(&batch)?,
            Self::Csv(writer) => writer.write(&batch)?,
            Self::Arrow(writer) => writer.write(&batch)?,
            Self::Parquet(writer) => writer.write(&batch)?,
        }
        Ok(())
    }

    pub fn finish(self) -> Result<(), OutputError> {
        match self {
            Self::Table { mut out, schema, batches } => {
                let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
                writeln!(out, "{}", pretty_format_batches_with_schema(schema, &batches)?)?;
                writeln!(out, "{rows} {}", if rows == 1 { "row" } else { "rows" })?;
                out.flush()?;
            }
            Self::Json(mut writer) => {
                writer.finish()?;
                let mut out = writer.into_inner();
                writeln!(out)?;
                out.flush()?;
            }
            Self::Csv(writer) => writer.into_inner().flush()?,
            Self::Arrow(writer) => writer.into_inner()?.flush()?,
            Self::Parquet(writer) => writer.into_inner()?.flush()?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray, TimestampNanosecondArray};

    use super::*;

    fn rows() -> RecordBatch {
        let times = TimestampNanosecondArray::from(vec![1, 1_700_000_000_000_000_001]).with_timezone("UTC");
        RecordBatch::try_from_iter([
            ("name", Arc::new(StringArray::from(vec![Some("GET /"), None])) as ArrayRef),
            ("duration_ns", Arc::new(Int64Array::from(vec![7, i64::MAX]))),
            ("start_time", Arc::new(times)),
        ])
        .unwrap()
    }

    fn print(format: OutputFormat) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = RowWriter::new(format, &rows().schema(), &mut out).unwrap();
        writer.write(rows()).unwrap();
        writer.finish().unwrap();
        out
    }

    #[test]
    fn text_formats_show_names_and_exact_values() {
        let csv = String::from_utf8(print(OutputFormat::Csv)).unwrap();
        assert_eq!(
            csv,
            "name,duration_ns,start_time\nGET /,7,1970-01-01T00:00:00.000000001Z\n,9223372036854775807,2023-11-14T22:13:20.000000001Z\n"
        );
        let json: serde_json::Value = serde_json::from_slice(&print(OutputFormat::Json)).unwrap();
        assert_eq!(json[1]["duration_ns"], i64::MAX);
        assert_eq!(json[1]["start_time"], "2023-11-14T22:13:20.000000001Z");
        let table = String::from_utf8(print(OutputFormat::Table)).unwrap();
        assert!(table.contains("| name  | duration_ns         | start_time") && table.ends_with("2 rows\n"), "{table}");
    }

    #[test]
    fn binary_formats_read_back() {
        let stream = print(OutputFormat::Arrow);
        let read: Vec<_> = arrow::ipc::reader::StreamReader::try_new(stream.as_slice(), None).unwrap().collect();
        assert_eq!(read[0].as_ref().unwrap(), &rows());
        let file = bytes::Bytes::from(print(OutputFormat::Parquet));
        let mut reader = parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(file, 1024).unwrap();
        assert_eq!(reader.next().unwrap().unwrap(), rows());
    }
}
