//! Documentation of tables, columns and functions: as tables of the schema `glasshouse`, and as the page
//! `docs/reference/tables.md`.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::catalog::{MemTable, SchemaProvider, TableProvider};
use datafusion::common::Result;
use glasshouse_tables::Table;

use crate::functions;
use crate::table_functions;
use crate::trace_spans::EXTRA_COLUMNS;
use crate::views::DERIVED;

/// The tables that document the others: `glasshouse.tables`, `glasshouse.columns`, `glasshouse.functions`.
#[derive(Debug)]
pub(crate) struct DocsSchema;

const TABLES: [&str; 3] = ["tables", "columns", "functions"];

#[async_trait]
impl SchemaProvider for DocsSchema {
    fn table_names(&self) -> Vec<String> {
        TABLES.map(str::to_owned).to_vec()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let (columns, rows): (&[&str], _) = match name {
            "tables" => (&["table_name", "description"], tables()),
            "columns" => (&["table_name", "column_name", "data_type", "description"], columns()),
            "functions" => (&["function_name", "syntax", "description"], functions()),
            _ => return Ok(None),
        };
        let schema = Arc::new(Schema::new(
            columns.iter().map(|name| Field::new(*name, DataType::Utf8, false)).collect::<Vec<_>>(),
        ));
        let arrays = (0..columns.len())
            .map(|column| {
                Arc::new(rows.iter().map(|row| Some(row[column].as_str())).collect::<StringArray>()) as ArrayRef
            })
            .collect();
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)?;
        Ok(Some(Arc::new(MemTable::try_new(schema, vec![vec![batch]])?)))
    }

    fn table_exist(&self, name: &str) -> bool {
        TABLES.contains(&name)
    }
}

fn tables() -> Vec<Vec<String>> {
    let stored = Table::ALL.into_iter().map(|table| (table.name(), table.doc()));
    let derived = DERIVED.iter().map(|view| (view.name, view.doc));
    stored.chain(derived).map(|(name, doc)| vec![name.to_owned(), doc.to_owned()]).collect()
}

fn columns() -> Vec<Vec<String>> {
    let stored = Table::ALL.into_iter().flat_map(|table| {
        table.columns().iter().map(move |column| {
            let data_type = type_name(&column.kind.logical_type());
            vec![table.name().to_owned(), column.name.to_owned(), data_type, column.doc.to_owned()]
        })
    });
    let derived = DERIVED.iter().flat_map(|view| {
        view.columns.iter().map(|(name, doc)| {
            vec![view.name.to_owned(), (*name).to_owned(), derived_type(name).to_owned(), (*doc).to_owned()]
        })
    });
    stored.chain(derived).collect()
}

fn functions() -> Vec<Vec<String>> {
    let tables = table_functions::ALL
        .iter()
        .map(|function| vec![function.name.to_owned(), function.syntax.to_owned(), function.doc.to_owned()]);
    let others = functions::documentation().into_iter().map(|doc| {
        let name = doc.syntax_example.split('(').next().unwrap_or_default().to_owned();
        vec![name, doc.syntax_example, doc.description]
    });
    tables.chain(others).collect()
}

/// The SQL name of a column's type.
fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 => "VARCHAR".to_owned(),
        DataType::Int64 => "BIGINT".to_owned(),
        DataType::Int32 => "INTEGER".to_owned(),
        DataType::Float64 => "DOUBLE".to_owned(),
        DataType::Boolean => "BOOLEAN".to_owned(),
        DataType::Timestamp(..) => "TIMESTAMP(9) WITH TIME ZONE".to_owned(),
        DataType::List(item) => format!("LIST<{}>", type_name(item.data_type())),
        DataType::Struct(fields) => {
            let fields: Vec<_> =
                fields.iter().map(|field| format!("{} {}", field.name(), type_name(field.data_type()))).collect();
            format!("STRUCT<{}>", fields.join(", "))
        }
        other => other.to_string(),
    }
}

fn derived_type(column: &str) -> &'static str {
    match column {
        "first_time" | "last_time" => "TIMESTAMP(9) WITH TIME ZONE",
        "service_name" | "caller" | "callee" => "VARCHAR",
        _ => "DOUBLE",
    }
}

/// The reference page of tables and functions, in Markdown.
pub fn reference_page() -> String {
    let mut page = String::from(
        "# Tables and functions of SQL\n\n\
         This page is generated from the declarations in `crates/tables` and `crates/query`; a test fails when it is \
         stale, and `UPDATE_DOCS=1 cargo test -p glasshouse-query` writes it anew. The same can be asked in SQL: \
         `SELECT * FROM glasshouse.columns`, `glasshouse.tables`, `glasshouse.functions`.\n\n\
         Ids are lower-case hex text and may be compared in either case, `process_id` is a UUID. Times are \
         nanoseconds, UTC. Attributes are JSON text whose values keep their type; `attributes['k']` gives one as text.\n",
    );
    let columns = columns();
    for table in tables() {
        let (name, doc) = (&table[0], &table[1]);
        let _ = write!(page, "\n## {name}\n\n{doc}.\n\n| column | type | what it holds |\n|---|---|---|\n");
        for column in columns.iter().filter(|column| column[0] == *name) {
            let _ = writeln!(page, "| `{}` | {} | {} |", column[1], column[2], column[3].replace('|', "\\|"));
        }
    }
    page.push_str("\n## Table functions\n\n");
    for function in &table_functions::ALL {
        let _ = writeln!(page, "- `{}`: {}.", function.syntax, function.doc);
    }
    for (name, doc) in EXTRA_COLUMNS {
        let _ = writeln!(page, "  - `{name}`: {doc}.");
    }
    page.push_str("\n## Functions\n\nBesides those of DataFusion:\n");
    for doc in functions::documentation() {
        let _ = write!(page, "\n### `{}`\n\n{}\n\n", doc.syntax_example, doc.description);
        for (argument, what) in doc.arguments.iter().flatten() {
            let _ = writeln!(page, "- `{argument}`: {what}.");
        }
        if let Some(example) = &doc.sql_example {
            let _ = write!(page, "\n{example}\n");
        }
    }
    page
}
