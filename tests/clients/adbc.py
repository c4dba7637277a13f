"""The stock ADBC driver for Flight SQL against a running server: connect, list objects, prepare, fetch, cancel.

    python tests/clients/adbc.py grpc://127.0.0.1:32010 [--rows 1000000]

The server should hold some spans. Ends with an error at the first thing that is not as it should be.
"""

import argparse
import threading
import time

import adbc_driver_flightsql.dbapi as flightsql
import adbc_driver_manager
import pyarrow as pa

TABLES = {"processes", "spans", "span_events", "span_links", "logs", "metrics"}


def check_objects(connection):
    info = connection.adbc_get_info()
    assert info["vendor_name"] == "Glasshouse", info
    assert set(connection.adbc_get_table_types()) == {"TABLE", "VIEW"}

    catalogs = connection.adbc_get_objects(depth="all").read_all().to_pylist()
    [catalog] = [catalog for catalog in catalogs if catalog["catalog_name"] == "glasshouse"]
    schemas = {schema["db_schema_name"]: schema["db_schema_tables"] for schema in catalog["catalog_db_schemas"]}
    tables = {table["table_name"]: table for table in schemas["main"]}
    assert TABLES <= tables.keys(), tables.keys()
    columns = {column["column_name"] for column in tables["spans"]["table_columns"]}
    assert {"trace_id", "start_time", "duration_ns", "attributes"} <= columns, columns

    schema = connection.adbc_get_table_schema("spans", db_schema_filter="main")
    assert schema.field("trace_id").type == pa.string()
    assert schema.field("start_time").type == pa.timestamp("ns", "UTC")


def check_queries(cursor):
    cursor.execute("SELECT 1 AS one, 'text' AS two, CAST(NULL AS BIGINT) AS three")
    assert cursor.fetchall() == [(1, "text", None)]
    assert [column[0] for column in cursor.description] == ["one", "two", "three"]

    cursor.execute("SELECT * FROM spans WHERE false")
    assert cursor.fetch_arrow_table().num_rows == 0

    assert cursor.adbc_execute_schema("SELECT trace_id, start_time FROM spans").names == ["trace_id", "start_time"]

    for wrong in ("SELEKT 1", "SELECT * FROM no_such_table", "DROP TABLE spans", "INSERT INTO spans VALUES (1)"):
        try:
            cursor.execute(wrong)
            cursor.fetchall()
        except adbc_driver_manager.Error:
            continue
        raise AssertionError(f"not refused: {wrong}")


def check_parameters(cursor):
    for value in (7, "text", 1.5, None):
        cursor.execute("SELECT $1 AS value", (value,))
        [(answer,)] = cursor.fetchall()
        assert answer == value or str(answer) == str(value), (answer, value)

    cursor.execute("SELECT service_name, count(*) FROM spans GROUP BY service_name ORDER BY 2 DESC LIMIT 1")
    rows = cursor.fetchall()
    if not rows:
        return
    [(service, count)] = rows
    cursor.execute("SELECT count(*) FROM spans WHERE service_name = $1", (service,))
    assert cursor.fetchall() == [(count,)], service
    cursor.execute("SELECT count(*) FROM spans WHERE service_name = $1", ("no such service",))
    assert cursor.fetchall() == [(0,)]


def check_fetch(cursor, rows):
    begin = time.monotonic()
    cursor.execute(
        f"SELECT value, value * 2 AS twice, CAST(value AS DOUBLE) AS float, 'service-' || (value % 20) AS name "
        f"FROM (SELECT unnest(generate_series(1, {rows})) AS value)"
    )
    fetched = expected = 0
    for batch in cursor.fetch_record_batch():
        fetched += batch.num_rows
        expected += sum(batch.column(0)[i].as_py() for i in (0, -1)) * batch.num_rows // 2
    seconds = time.monotonic() - begin
    assert (fetched, expected) == (rows, rows * (rows + 1) // 2), (fetched, expected)
    print(f"fetched {rows} rows in {seconds:.2f} s: {rows / seconds / 1e6:.2f} M rows/s")

    cursor.execute(f"SELECT * FROM spans LIMIT {rows}")
    begin = time.monotonic()
    spans = sum(batch.num_rows for batch in cursor.fetch_record_batch())
    seconds = time.monotonic() - begin
    print(f"fetched {spans} whole spans in {seconds:.2f} s: {spans / seconds / 1e6:.2f} M rows/s")


def check_cancel(connection):
    with connection.cursor() as cursor:
        # More rows than anyone waits for.
        few, many = (f"(SELECT unnest(generate_series(1, {count})) AS value)" for count in (1000, 1_000_000))
        cursor.execute(f"SELECT few.value + many.value FROM {few} few, {many} many")
        reader = cursor.fetch_record_batch()
        assert reader.read_next_batch().num_rows > 0
        timer = threading.Timer(0.2, cursor.adbc_cancel)
        timer.start()
        begin = time.monotonic()
        try:
            while True:
                reader.read_next_batch()
        except StopIteration:
            raise AssertionError("a cancelled answer looks whole") from None
        except (adbc_driver_manager.Error, OSError, pa.ArrowInvalid, pa.ArrowCancelled):
            pass
        timer.join()
        print(f"cancelled after {time.monotonic() - begin:.2f} s")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("uri", help="for example grpc://127.0.0.1:32010")
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments = arguments.parse_args()
    with flightsql.connect(arguments.uri, autocommit=True) as connection:
        check_objects(connection)
        with connection.cursor() as cursor:
            check_queries(cursor)
            check_parameters(cursor)
            check_fetch(cursor, arguments.rows)
        check_cancel(connection)
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            assert cursor.fetchall() == [(1,)], "the connection works on after cancelling"
    print("all as it should be")


if __name__ == "__main__":
    main()
