//! What a client may ask about the server and its tables.

use arrow::array::AsArray;
use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use arrow::util::pretty::pretty_format_batches;
use arrow_flight::IpcMessage;
use arrow_flight::sql::metadata::SqlInfoDataBuilder;
use arrow_flight::sql::{
    CommandGetCrossReference, CommandGetDbSchemas, CommandGetExportedKeys, CommandGetImportedKeys,
    CommandGetPrimaryKeys, CommandGetTables, CommandGetXdbcTypeInfo, SqlInfo,
};
use bytes::Bytes;
use glasshouse_tables::Table;

use crate::engine::start;
use crate::read;

fn assert_rows(batches: &[RecordBatch], expected: &str) {
    let shown = pretty_format_batches(batches).unwrap().to_string();
    let expected: Vec<_> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(shown.lines().collect::<Vec<_>>(), expected, "{shown}");
}

#[tokio::test]
async fn catalogs_schemas_and_tables() {
    let (_, mut client) = start().await;
    let info = client.get_catalogs().await.unwrap();
    assert_rows(
        &read(&mut client, info).await.unwrap(),
        "+--------------+
         | catalog_name |
         +--------------+
         | glasshouse   |
         +--------------+",
    );
    let info = client.get_db_schemas(CommandGetDbSchemas::default()).await.unwrap();
    assert_rows(
        &read(&mut client, info).await.unwrap(),
        "+--------------+----------------+
         | catalog_name | db_schema_name |
         +--------------+----------------+
         | glasshouse   | main           |
         +--------------+----------------+",
    );
    let info = client.get_table_types().await.unwrap();
    assert_rows(
        &read(&mut client, info).await.unwrap(),
        "+------------+
         | table_type |
         +------------+
         | TABLE      |
         | VIEW       |
         +------------+",
    );
    let info = client.get_tables(CommandGetTables::default()).await.unwrap();
    assert_rows(
        &read(&mut client, info).await.unwrap(),
        "+--------------+----------------+------------+------------+
         | catalog_name | db_schema_name | table_name | table_type |
         +--------------+----------------+------------+------------+
         | glasshouse   | main           | services   | VIEW       |
         | glasshouse   | main           | spans      | TABLE      |
         +--------------+----------------+------------+------------+",
    );
}

#[tokio::test]
async fn tables_are_filtered_and_tell_their_columns() {
    let (_, mut client) = start().await;
    let command = CommandGetTables {
        table_name_filter_pattern: Some("sp%".to_owned()),
        table_types: vec!["TABLE".to_owned()],
        include_schema: true,
        ..CommandGetTables::default()
    };
    let info = client.get_tables(command).await.unwrap();
    let tables = read(&mut client, info).await.unwrap().remove(0);
    assert_eq!(tables.num_rows(), 1);
    let message = tables.column_by_name("table_schema").unwrap().as_binary::<i32>().value(0);
    let schema = Schema::try_from(IpcMessage(Bytes::copy_from_slice(message))).unwrap();
    assert_eq!(schema, *Table::Spans.logical_schema());
}

#[tokio::test]
async fn abilities_and_types() {
    let (_, mut client) = start().await;
    let info = client.get_sql_info(vec![SqlInfo::FlightSqlServerName, SqlInfo::FlightSqlServerReadOnly]).await.unwrap();
    // The driver behind ADBC and JDBC does not survive another schema.
    assert_eq!(Schema::try_from(info.clone()).unwrap(), *SqlInfoDataBuilder::schema());
    assert_rows(
        &read(&mut client, info).await.unwrap(),
        "+-----------+---------------------------+
         | info_name | value                     |
         +-----------+---------------------------+
         | 0         | {string_value=Glasshouse} |
         | 3         | {bool_value=true}         |
         +-----------+---------------------------+",
    );
    let info = client.get_sql_info(vec![]).await.unwrap();
    assert!(read(&mut client, info).await.unwrap()[0].num_rows() > 30);
    let info = client.get_xdbc_type_info(CommandGetXdbcTypeInfo { data_type: None }).await.unwrap();
    let types = read(&mut client, info).await.unwrap().remove(0);
    assert_eq!(types.num_rows(), 7);
    let info = client.get_xdbc_type_info(CommandGetXdbcTypeInfo { data_type: Some(-5) }).await.unwrap();
    let bigint = read(&mut client, info).await.unwrap().remove(0);
    assert_eq!(bigint.column(0).as_string::<i32>().value(0), "BIGINT");
}

#[tokio::test]
async fn tables_have_no_keys() {
    let (_, mut client) = start().await;
    let table = "spans".to_owned();
    let infos = [
        client.get_primary_keys(CommandGetPrimaryKeys { table: table.clone(), ..Default::default() }).await.unwrap(),
        client.get_exported_keys(CommandGetExportedKeys { table: table.clone(), ..Default::default() }).await.unwrap(),
        client.get_imported_keys(CommandGetImportedKeys { table: table.clone(), ..Default::default() }).await.unwrap(),
        client
            .get_cross_reference(CommandGetCrossReference {
                pk_table: table.clone(),
                fk_table: table,
                ..Default::default()
            })
            .await
            .unwrap(),
    ];
    for info in infos {
        let rows: usize = read(&mut client, info).await.unwrap().iter().map(RecordBatch::num_rows).sum();
        assert_eq!(rows, 0);
    }
}

#[tokio::test]
async fn a_handshake_lets_everyone_in() {
    let (_, mut client) = start().await;
    client.handshake("anyone", "anything").await.unwrap();
    let info = client.execute("numbers 1".to_owned(), None).await.unwrap();
    read(&mut client, info).await.unwrap();
}
