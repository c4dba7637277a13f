//! Rows of an answer as files of other tools, written as they come.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};
use arrow::csv;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use arrow::json::ArrayWriter;
use arrow::json::writer::{EncoderOptions, make_encoder};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

/// Bytes of a Parquet row group, about: what is held until they are written.
const ROW_GROUP: usize = 16 << 20;

/// What rows are written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFormat {
    /// One array of objects.
    Json,
    /// Text with commas, the names of the columns first (RFC 4180); what CSV cannot hold, such as a list, as JSON.
    Csv,
    /// An Arrow IPC stream.
    Arrow,
    /// Parquet, compressed with zstd.
    Parquet,
}

impl RowFormat {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Json, Self::Csv, Self::Arrow, Self::Parquet];

    /// Its name, which is also how files of it end.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Arrow => "arrow",
            Self::Parquet => "parquet",
        }
    }

    /// The format of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Its media type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Arrow => "application/vnd.apache.arrow.stream",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }
}

/// Why rows could not be written.
#[derive(Debug, thiserror::Error)]
pub enum RowWriteError {
    /// The output failed.
    #[error("{0}")]
    Write(#[from] std::io::Error),
    /// The format cannot hold them, or the output failed.
    #[error("{0}")]
    Arrow(#[from] ArrowError),
    /// The format cannot hold them, or the output failed.
    #[error("{0}")]
    Parquet(#[from] ParquetError),
}

/// Writes batches in one of the formats.
#[derive(Debug)]
pub struct RowWriter<W: Write + Send>(Writer<W>);

enum Writer<W: Write + Send> {
    Json(ArrayWriter<W>),
    Csv { writer: Box<csv::Writer<W>>, schema: SchemaRef },
    Arrow(StreamWriter<W>),
    Parquet(Box<ArrowWriter<W>>),
}

impl<W: Write + Send> std::fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Json(_) => "Json",
            Self::Csv { .. } => "Csv",
            Self::Arrow(_) => "Arrow",
            Self::Parquet(_) => "Parquet",
        })
    }
}

impl<W: Write + Send> RowWriter<W> {
    /// A writer of rows of `schema`.
    pub fn new(format: RowFormat, schema: &SchemaRef, out: W) -> Result<Self, RowWriteError> {
        Ok(Self(match format {
            RowFormat::Json => Writer::Json(ArrayWriter::new(out)),
            RowFormat::Csv => {
                let schema = flat_schema(schema);
                let mut writer = csv::WriterBuilder::new().with_header(true).build(out);
                // The names are wanted even when there is no row.
                writer.write(&RecordBatch::new_empty(Arc::clone(&schema)))?;
                Writer::Csv { writer: Box::new(writer), schema }
            }
            RowFormat::Arrow => Writer::Arrow(StreamWriter::try_new(out, schema)?),
            RowFormat::Parquet => {
                let compression = Compression::ZSTD(ZstdLevel::default());
                let properties = WriterProperties::builder().set_compression(compression).build();
                Writer::Parquet(Box::new(ArrowWriter::try_new(out, Arc::clone(schema), Some(properties))?))
            }
        }))
    }

    /// Writes rows.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), RowWriteError> {
        match &mut self.0 {
            Writer::Json(writer) => writer.write(batch)?,
            Writer::Csv { writer, schema } => writer.write(&flat(batch, schema)?)?,
            Writer::Arrow(writer) => writer.write(batch)?,
            Writer::Parquet(writer) => {
                writer.write(batch)?;
                if writer.in_progress_size() > ROW_GROUP {
                    writer.flush()?;
                }
            }
        }
        Ok(())
    }

    /// Writes what is left; without it, the file is not whole.
    pub fn finish(self) -> Result<(), RowWriteError> {
        match self.0 {
            Writer::Json(mut writer) => {
                writer.finish()?;
                let mut out = writer.into_inner();
                writeln!(out)?;
                out.flush()?;
            }
            Writer::Csv { writer, .. } => writer.into_inner().flush()?,
            Writer::Arrow(writer) => writer.into_inner()?.flush()?,
            Writer::Parquet(writer) => writer.into_inner()?.flush()?,
        }
        Ok(())
    }
}

/// The columns as CSV holds them: those of lists, objects and the like as text.
fn flat_schema(schema: &SchemaRef) -> SchemaRef {
    let flat = |field: &Arc<Field>| {
        let text = || Arc::new(Field::new(field.name(), DataType::Utf8, true));
        if field.data_type().is_nested() { text() } else { Arc::clone(field) }
    };
    Arc::new(Schema::new(schema.fields().iter().map(flat).collect::<Vec<_>>()))
}

fn flat(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let options = EncoderOptions::default();
    let fields = batch.schema_ref().fields().iter();
    let columns = fields.zip(batch.columns()).map(|(field, column)| {
        if !field.data_type().is_nested() {
            return Ok(Arc::clone(column));
        }
        let mut encoder = make_encoder(field, column, &options)?;
        let (mut texts, mut json) = (StringBuilder::new(), Vec::new());
        for row in 0..column.len() {
            if encoder.is_null(row) {
                texts.append_null();
                continue;
            }
            json.clear();
            encoder.encode(row, &mut json);
            let text = str::from_utf8(&json).map_err(|error| ArrowError::JsonError(error.to_string()))?;
            texts.append_value(text);
        }
        Ok(Arc::new(texts.finish()) as ArrayRef)
    });
    RecordBatch::try_new(Arc::clone(schema), columns.collect::<Result<_, ArrowError>>()?)
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, Int64Array, ListArray, StringArray, StructArray, TimestampNanosecondArray};
    use arrow::datatypes::Int64Type;

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

    fn written(format: RowFormat, batch: &RecordBatch) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = RowWriter::new(format, &batch.schema(), &mut out).unwrap();
        writer.write(batch).unwrap();
        writer.finish().unwrap();
        out
    }

    #[test]
    fn text_formats_hold_names_and_exact_values() {
        let csv = String::from_utf8(written(RowFormat::Csv, &rows())).unwrap();
        assert_eq!(
            csv,
            "name,duration_ns,start_time\nGET /,7,1970-01-01T00:00:00.000000001Z\n,9223372036854775807,2023-11-14T22:13:20.000000001Z\n"
        );
        let json: serde_json::Value = serde_json::from_slice(&written(RowFormat::Json, &rows())).unwrap();
        assert_eq!(json[1]["duration_ns"], i64::MAX);
        assert_eq!(json[1]["start_time"], "2023-11-14T22:13:20.000000001Z");
        let none = written(RowFormat::Csv, &RecordBatch::new_empty(rows().schema()));
        assert_eq!(none, b"name,duration_ns,start_time\n");
    }

    #[test]
    fn csv_holds_lists_and_objects_as_json() {
        let lists = ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1), None]), None]);
        let names: ArrayRef = Arc::new(StringArray::from(vec![Some("a \"b\""), None]));
        let objects = StructArray::from(vec![(Arc::new(Field::new("name", DataType::Utf8, true)), names)]);
        assert!(objects.is_valid(1));
        let columns: [(&str, ArrayRef); 2] = [("list", Arc::new(lists)), ("object", Arc::new(objects))];
        let csv = written(RowFormat::Csv, &RecordBatch::try_from_iter(columns).unwrap());
        let csv = String::from_utf8(csv).unwrap();
        assert_eq!(csv, "list,object\n\"[1,null]\",\"{\"\"name\"\":\"\"a \\\"\"b\\\"\"\"\"}\"\n,{}\n");
    }

    #[test]
    fn binary_formats_read_back() {
        let stream = written(RowFormat::Arrow, &rows());
        let read: Vec<_> = arrow::ipc::reader::StreamReader::try_new(stream.as_slice(), None).unwrap().collect();
        assert_eq!(read[0].as_ref().unwrap(), &rows());
        let file = bytes::Bytes::from(written(RowFormat::Parquet, &rows()));
        let mut reader = parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(file, 1024).unwrap();
        assert_eq!(reader.next().unwrap().unwrap(), rows());
    }
}
