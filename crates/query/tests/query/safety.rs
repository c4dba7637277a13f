//! SQL reads the lake and nothing else.

use glasshouse_tables::ports::{QueryEngine, QueryError};

use crate::lake::{Form, TestLake};
use crate::{sql, table};

#[tokio::test]
async fn statements_that_do_not_read_are_refused() {
    let lake = TestLake::new(Form::Hot);
    let secret = lake.dir.path().join("secret.csv");
    std::fs::write(&secret, "a,b\n1,2\n").unwrap();
    let secret = secret.display();
    let refused = [
        "CREATE TABLE t AS SELECT 1".to_owned(),
        "CREATE VIEW v AS SELECT 1".to_owned(),
        "CREATE SCHEMA s".to_owned(),
        "CREATE DATABASE d".to_owned(),
        "CREATE FUNCTION f() RETURNS INT RETURN 1".to_owned(),
        format!("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{secret}'"),
        "DROP TABLE spans".to_owned(),
        "DROP VIEW services".to_owned(),
        "ALTER TABLE spans ADD COLUMN a INT".to_owned(),
        "INSERT INTO spans VALUES (1)".to_owned(),
        "UPDATE spans SET name = 'x'".to_owned(),
        "DELETE FROM spans".to_owned(),
        "TRUNCATE TABLE spans".to_owned(),
        "MERGE INTO spans USING logs ON true WHEN MATCHED THEN DELETE".to_owned(),
        format!("COPY (SELECT 1) TO '{secret}'"),
        format!("COPY spans TO '{secret}' STORED AS PARQUET"),
        format!("EXPLAIN COPY spans TO '{secret}'"),
        "EXPLAIN INSERT INTO spans VALUES (1)".to_owned(),
        "EXPLAIN ANALYZE DELETE FROM spans".to_owned(),
        "SET datafusion.execution.batch_size = 1".to_owned(),
        "RESET datafusion.execution.batch_size".to_owned(),
        "PREPARE p AS SELECT 1".to_owned(),
        "EXECUTE p".to_owned(),
        "DEALLOCATE p".to_owned(),
        "BEGIN".to_owned(),
        "SELECT 1 INTO t".to_owned(),
        "WITH x AS (INSERT INTO spans VALUES (1)) SELECT 1".to_owned(),
        "SELECT 1; SELECT 2".to_owned(),
        String::new(),
        format!("SELECT * FROM '{secret}'"),
        format!("SELECT * FROM \"{secret}\""),
        format!("SELECT * FROM read_csv('{secret}')"),
        format!("SELECT * FROM parquet_metadata('{secret}')"),
        "SELECT * FROM 'lake://files/'".to_owned(),
    ];
    for statement in refused {
        let error = table(&lake.engine, sql(&statement)).await.expect_err(&statement);
        assert!(matches!(error, QueryError::Invalid(_)), "{statement}: {error:?}");
        let error = lake.engine.describe(&statement).await.expect_err(&statement);
        assert!(matches!(error, QueryError::Invalid(_)), "{statement}: {error:?}");
    }
    assert_eq!(std::fs::read_to_string(lake.dir.path().join("secret.csv")).unwrap(), "a,b\n1,2\n");
}

#[tokio::test]
async fn errors_help() {
    let lake = TestLake::new(Form::Hot);
    let check = async |statement: &str, expected: &str| {
        let error = table(&lake.engine, sql(statement)).await.expect_err(statement).to_string();
        assert!(error.contains(expected), "{statement}: {error}");
    };
    check("SELECT service FROM spans", "service_name").await;
    check("SELECT * FROM span", "span").await;
    check("SELEC 1", "not valid SQL: Expected: an SQL statement, found: SELEC at Line: 1").await;
    check("DROP TABLE spans", "DROP TABLE is not allowed").await;
    check("SELECT * FROM trace_spans('xyz')", "a trace id of 32 hex digits").await;
    check("SELECT * FROM trace_spans()", "trace_spans(trace_id)").await;
    check("SELECT * FROM process_spans('00000000-0000-4000-8000-000000000001', 'fast')", "'fast'").await;
    check("SELECT percentile(duration_ns, 2) FROM spans", "constant from 0 to 1").await;
    check("SELECT CAST(name AS BIGINT) FROM spans", "GET").await;
}
