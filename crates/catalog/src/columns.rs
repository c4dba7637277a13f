//! Columns of the lake's tables as DuckLake knows them: what we declare, what the catalog has, and
//! what has to be added.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use glasshouse_tables::{ColumnIds, ColumnType, ShreddedColumn, Table};

use crate::database::{Transaction, Value};
use crate::ducklake::{COLUMN, COLUMN_TAG};
use crate::stats::LeafType;
use crate::{Catalog, CatalogError};

/// A column that a table should have.
#[derive(Debug)]
pub(crate) struct Declared {
    name: String,
    kind: &'static str,
    nullable: bool,
    doc: Option<&'static str>,
    children: Vec<Declared>,
}

/// The columns that a table has in the catalog.
#[derive(Debug, Clone)]
pub(crate) struct TableColumns {
    pub table_id: i64,
    pub ids: Arc<ColumnIds>,
    /// Types of the columns that have statistics.
    pub leaves: HashMap<i32, LeafType>,
    kinds: HashMap<i32, String>,
    /// Names of the outermost columns in lower case: engines do not tell `A` from `a`.
    names: HashSet<String>,
    shredded: usize,
    next_id: i32,
}

/// A column to add.
#[derive(Debug)]
struct NewColumn {
    id: i32,
    parent: Option<i32>,
    name: String,
    kind: &'static str,
    nullable: bool,
    doc: Option<&'static str>,
}

/// The columns that [`Table`] declares.
pub(crate) fn declared(table: Table) -> Vec<Declared> {
    let schema = table.stored_schema();
    let columns = table.columns().iter().zip(schema.fields());
    columns
        .map(|(column, field)| {
            let mut declared = Declared::of(field);
            match column.kind {
                ColumnType::Attributes => declared.kind = "varchar", // files hold them as JSON text
                ColumnType::ProcessId => declared.kind = "uuid",
                _ => {}
            }
            declared.nullable |= table.shredded_column() == Some(column.name);
            declared.doc = Some(column.doc);
            declared
        })
        .collect()
}

impl Declared {
    fn of(field: &Field) -> Self {
        let item = |item: &Field| Self { name: "element".to_owned(), ..Self::of(item) };
        let (kind, children) = match field.data_type() {
            DataType::FixedSizeBinary(_) | DataType::Binary => ("blob", Vec::new()),
            DataType::Timestamp(..) => ("timestamp_ns", Vec::new()),
            DataType::Int64 => ("int64", Vec::new()),
            DataType::Int32 => ("int32", Vec::new()),
            DataType::Float64 => ("float64", Vec::new()),
            DataType::Boolean => ("boolean", Vec::new()),
            DataType::List(child) => ("list", vec![item(child)]),
            DataType::Struct(fields) => ("struct", fields.iter().map(|child| Self::of(child)).collect()),
            _ => ("varchar", Vec::new()),
        };
        Self { name: field.name().clone(), kind, nullable: field.is_nullable(), doc: None, children }
    }

    /// A shredded column; absent from files written before it and from rows that lack the key.
    pub fn shredded(column: &ShreddedColumn) -> Self {
        Self::of(&Field::new(column.to_string(), column.kind.data_type(), true))
    }
}

impl TableColumns {
    /// A table without columns.
    pub fn new(table_id: i64) -> Self {
        Self {
            table_id,
            ids: Arc::default(),
            leaves: HashMap::new(),
            kinds: HashMap::new(),
            names: HashSet::new(),
            shredded: 0,
            next_id: 1,
        }
    }

    /// The columns that the catalog has now.
    pub async fn load(transaction: &mut Transaction, table_id: i64) -> Result<Self, CatalogError> {
        let sql = "SELECT column_id, column_name, column_type, parent_column FROM ducklake_column \
                   WHERE table_id = $1 AND end_snapshot IS NULL ORDER BY column_order";
        let mut columns = Self::new(table_id);
        let mut paths: HashMap<i64, String> = HashMap::new();
        for row in transaction.rows(sql, &[table_id.into()]).await? {
            let (id, name, kind) = (row.int(0)?, row.text(1)?, row.text(2)?);
            let path = if let Some(parent) = row.optional_int(3)? {
                format!("{}.{name}", paths.get(&parent).map_or("", String::as_str))
            } else {
                columns.shredded += usize::from(ShreddedColumn::from_name(&name).is_some());
                columns.names.insert(name.to_lowercase());
                name
            };
            paths.insert(id, path);
            columns.next_id = columns.next_id.max(id as i32 + 1);
            columns.leaves.extend(LeafType::from_name(&kind).map(|leaf| (id as i32, leaf)));
            columns.kinds.insert(id as i32, kind);
        }
        columns.ids = Arc::new(paths.into_iter().map(|(id, path)| (path, id as i32)).collect());
        Ok(columns)
    }

    /// Those of the wanted columns that are absent and may be added.
    pub fn missing_shredded(&self, wanted: &[ShreddedColumn]) -> Vec<Declared> {
        let mut names = HashSet::new();
        wanted
            .iter()
            .filter(|column| {
                let name = column.to_string().to_lowercase();
                !self.names.contains(&name) && names.insert(name)
            })
            .take(Catalog::MAX_SHREDDED.saturating_sub(self.shredded))
            .map(Declared::shredded)
            .collect()
    }

    /// Adds what is missing of the declared columns, beginning with `snapshot`. Answers whether there
    /// was any; a reload shows the columns then.
    pub async fn add(
        &self,
        transaction: &mut Transaction,
        snapshot: i64,
        declared: &[Declared],
    ) -> Result<bool, CatalogError> {
        let mut new = Vec::new();
        self.missing(declared, None, "", &mut new)?;
        // Rows of files that are older than a column have no value in it.
        let old_rows = self.next_id > 1;
        let mut columns = Vec::with_capacity(new.len());
        let mut comments = Vec::new();
        for column in new {
            let default_type = if matches!(column.kind, "list" | "struct") { "" } else { "literal" };
            columns.push(vec![
                i64::from(column.id).into(),
                snapshot.into(),
                Value::Int(None),
                self.table_id.into(),
                i64::from(column.id).into(),
                column.name.into(),
                column.kind.into(),
                Value::Text(None),
                "NULL".into(),
                (column.nullable || old_rows).into(),
                column.parent.map(i64::from).into(),
                default_type.into(),
                "duckdb".into(),
            ]);
            if let Some(doc) = column.doc {
                comments.push(vec![
                    self.table_id.into(),
                    i64::from(column.id).into(),
                    snapshot.into(),
                    Value::Int(None),
                    "comment".into(),
                    doc.into(),
                ]);
            }
        }
        transaction.insert(&COLUMN, &columns).await?;
        transaction.insert(&COLUMN_TAG, &comments).await?;
        Ok(!columns.is_empty())
    }

    fn missing(
        &self,
        declared: &[Declared],
        parent: Option<i32>,
        prefix: &str,
        new: &mut Vec<NewColumn>,
    ) -> Result<(), CatalogError> {
        for column in declared {
            let path = format!("{prefix}{}", column.name);
            let id = if let Some(id) = self.ids.get(&path) {
                let kind = self.kinds.get(&id).map_or("", String::as_str);
                if kind != column.kind {
                    let reason = format!("column {path} is of type {kind}, not {}", column.kind);
                    return Err(CatalogError::Incompatible(reason));
                }
                id
            } else {
                let id = self.next_id + new.len() as i32;
                let Declared { name, kind, nullable, doc, .. } = column;
                new.push(NewColumn { id, parent, name: name.clone(), kind, nullable: *nullable, doc: *doc });
                id
            };
            self.missing(&column.children, Some(id), &format!("{path}."), new)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use glasshouse_tables::ShredType;

    use super::*;

    fn text(key: &str) -> ShreddedColumn {
        ShreddedColumn { kind: ShredType::String, key: key.to_owned() }
    }

    #[test]
    fn shredded_columns_are_limited_and_differ_in_more_than_case() {
        let mut columns = TableColumns::new(1);
        columns.names.insert("str:a".to_owned());
        let names = |columns: &TableColumns, wanted: &[ShreddedColumn]| -> Vec<String> {
            columns.missing_shredded(wanted).into_iter().map(|column| column.name).collect()
        };
        assert_eq!(names(&columns, &[text("A"), text("b"), text("B"), text("c")]), ["str:b", "str:c"]);
        columns.shredded = Catalog::MAX_SHREDDED - 1;
        assert_eq!(names(&columns, &[text("b"), text("c")]), ["str:b"]);
    }
}
