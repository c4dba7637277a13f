use std::collections::HashSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use glasshouse_tables::{Column, ColumnIds, ColumnType, ShreddedColumn, Table};
use parquet::arrow::{ArrowSchemaConverter, PARQUET_FIELD_ID_META_KEY};
use parquet::basic::{LogicalType, Type as PhysicalType};
use parquet::errors::ParquetError;
use parquet::schema::types::{SchemaDescriptor, Type};

use crate::FilesError;

/// The columns of one file: those of the table, in its order, then the shredded ones.
///
/// | [`ColumnType`] | in Parquet | read as Arrow | DuckLake |
/// |---|---|---|---|
/// | `TraceId`, `SpanId` | `FIXED_LEN_BYTE_ARRAY` | `FixedSizeBinary(16 or 8)` | `blob` |
/// | `ProcessId` | `FIXED_LEN_BYTE_ARRAY`, UUID | `FixedSizeBinary(16)` | `uuid` |
/// | `Time` | INT64, TIMESTAMP(NANOS, isAdjustedToUTC=false) | `Timestamp(ns)`, no zone | `timestamp_ns` |
/// | `Text`, `Attributes` (JSON text) | `BYTE_ARRAY`, STRING | `Utf8` | `varchar` |
/// | lists | 3-level, the item is called `element` | `List` | `list` with child `element` |
/// | the rest | the plain type | the plain type | `int64`, `int32`, `float64`, `boolean` |
///
/// Times are UTC although the type says "local": DuckDB reads a UTC-adjusted time as `timestamptz`, which
/// holds microseconds, and only the unadjusted one as `timestamp_ns`, without loss.
///
/// The column `attributes` of a table with shredded columns is NULL where nothing is left for it.
#[derive(Debug, Clone)]
pub struct FileColumns {
    table: Table,
    shredded: Vec<ShreddedColumn>,
    schema: SchemaRef,
}

/// A table's column as files have it, without field id.
pub fn file_field(table: Table, column: &Column) -> Field {
    let nullable = column.nullable || table.shredded_column() == Some(column.name);
    let data_type = match column.kind {
        ColumnType::Attributes => DataType::Utf8,
        kind => file_type(&kind.stored_type()),
    };
    Field::new(column.name, data_type, nullable)
}

/// A shredded column as files have it, without field id.
pub fn shredded_field(column: &ShreddedColumn) -> Field {
    Field::new(column.to_string(), column.kind.data_type(), true)
}

impl FileColumns {
    /// The columns of a new file. Shredded columns that the catalog gave no id (it has a limit, and
    /// refuses names that differ only in case) are left out: their values stay in `attributes`.
    pub fn new(table: Table, shredded: &[ShreddedColumn], ids: &ColumnIds) -> Result<Self, FilesError> {
        let mut names = HashSet::new();
        let shredded: Vec<ShreddedColumn> = shredded
            .iter()
            .filter(|column| {
                let name = column.to_string();
                ids.get(&name).is_some() && names.insert(name.to_lowercase())
            })
            .cloned()
            .collect();
        let fields = fields(table, &shredded)
            .map(|field| with_ids(&field, field.name(), table, ids))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { table, shredded, schema: Arc::new(Schema::new(fields)) })
    }

    /// The same columns without field ids: for tests and tools that have no catalog.
    pub fn without_ids(table: Table, shredded: &[ShreddedColumn]) -> Self {
        let fields: Vec<_> = fields(table, shredded).collect();
        Self { table, shredded: shredded.to_vec(), schema: Arc::new(Schema::new(fields)) }
    }

    /// The columns of an existing file, told from its schema; the error says what is wrong with them.
    pub(crate) fn of_file(table: Table, file: &SchemaRef) -> Result<Self, String> {
        let names = file.fields().iter().map(|field| field.name().as_str());
        let expected = table.columns().iter().map(|column| column.name);
        if !names.clone().take(table.columns().len()).eq(expected) {
            return Err(format!("its columns are not those of {}", table.name()));
        }
        let shredded = names
            .skip(table.columns().len())
            .map(|name| ShreddedColumn::from_name(name).ok_or_else(|| format!("{name} is no column of its layout")))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { table, shredded, schema: Arc::clone(file) })
    }

    /// The table.
    pub fn table(&self) -> Table {
        self.table
    }

    /// The shredded columns.
    pub fn shredded(&self) -> &[ShreddedColumn] {
        &self.shredded
    }

    /// The file's Parquet schema: what Arrow's says, and which ids are UUIDs.
    pub(crate) fn parquet_schema(&self) -> Result<SchemaDescriptor, ParquetError> {
        let converted = ArrowSchemaConverter::new().convert(&self.schema)?;
        let root = converted.root_schema();
        let fields = root.get_fields().iter().map(|field| {
            let kind = self.table.index_of(field.name()).map(|i| self.table.columns()[i].kind);
            if kind == Some(ColumnType::ProcessId) { uuid(field).map(Arc::new) } else { Ok(Arc::clone(field)) }
        });
        let fields = fields.collect::<Result<Vec<_>, _>>()?;
        let root = Type::group_type_builder(root.name()).with_fields(fields).build()?;
        Ok(SchemaDescriptor::new(Arc::new(root)))
    }

    /// The file's Arrow schema; fields carry their DuckLake ids as Parquet field ids.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }
}

fn uuid(field: &Type) -> Result<Type, ParquetError> {
    let info = field.get_basic_info();
    Type::primitive_type_builder(field.name(), PhysicalType::FIXED_LEN_BYTE_ARRAY)
        .with_length(16)
        .with_repetition(info.repetition())
        .with_id(info.has_id().then(|| info.id()))
        .with_logical_type(Some(LogicalType::Uuid))
        .build()
}

fn fields(table: Table, shredded: &[ShreddedColumn]) -> impl Iterator<Item = Field> {
    table.columns().iter().map(move |column| file_field(table, column)).chain(shredded.iter().map(shredded_field))
}

/// The type that files give to a stored type: times have no zone, list items are called `element`.
fn file_type(stored: &DataType) -> DataType {
    match stored {
        DataType::Timestamp(unit, _) => DataType::Timestamp(*unit, None),
        DataType::List(item) => {
            DataType::List(Arc::new(Field::new("element", file_type(item.data_type()), item.is_nullable())))
        }
        DataType::Struct(fields) => DataType::Struct(
            fields.iter().map(|f| Field::new(f.name(), file_type(f.data_type()), f.is_nullable())).collect(),
        ),
        other => other.clone(),
    }
}

fn with_ids(field: &Field, path: &str, table: Table, ids: &ColumnIds) -> Result<Field, FilesError> {
    let id = ids.get(path).ok_or_else(|| FilesError::NoColumnId { table: table.name(), path: path.to_owned() })?;
    let child = |child: &Field| with_ids(child, &format!("{path}.{}", child.name()), table, ids);
    let data_type = match field.data_type() {
        DataType::List(item) => DataType::List(Arc::new(child(item)?)),
        DataType::Struct(fields) => {
            DataType::Struct(fields.iter().map(|f| child(f)).collect::<Result<Vec<_>, _>>()?.into())
        }
        other => other.clone(),
    };
    let metadata = [(PARQUET_FIELD_ID_META_KEY.to_owned(), id.to_string())].into();
    Ok(Field::new(field.name(), data_type, field.is_nullable()).with_metadata(metadata))
}
