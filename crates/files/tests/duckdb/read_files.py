"""Reads Parquet files of Glasshouse with DuckDB and compares them with what was written.

    read_files.py EXPECTED.json

Exits with 1 when DuckDB sees something else, with 2 when DuckDB is not installed (pip install duckdb).
"""

import json
import sys

try:
    import duckdb
except ImportError:
    print("DuckDB is not installed", file=sys.stderr)
    sys.exit(2)

TYPES = {
    "spans": {
        "trace_id": "BLOB",
        "process_id": "UUID",
        "start_time": "TIMESTAMP_NS",
        "duration_ns": "BIGINT",
        "attributes": "VARCHAR",
        "str:http.route": "VARCHAR",
        "int:http.response.status_code": "BIGINT",
        "double:ratio": "DOUBLE",
        "bool:cached": "BOOLEAN",
    },
    "metrics": {
        "bucket_counts": "BIGINT[]",
        "exemplars": 'STRUCT("time" TIMESTAMP_NS, "value" DOUBLE, value_int BIGINT, trace_id VARCHAR, '
        "span_id VARCHAR, attributes VARCHAR)[]",
    },
    "processes": {"process_id": "UUID", "resource": "VARCHAR"},
    "logs": {"time": "TIMESTAMP_NS", "trace_id": "BLOB"},
}

ROWS = {
    "spans": """hex(trace_id) || ' ' || process_id || ' ' || epoch_ns(start_time) || ' '
        || coalesce(duration_ns::VARCHAR, '-') || ' ' || coalesce("str:http.route", '-')""",
    "logs": "epoch_ns(time) || ' ' || coalesce(body, '-')",
    "metrics": "epoch_ns(time) || ' ' || coalesce(len(bucket_counts)::VARCHAR, '-')",
    "processes": "process_id || ' ' || epoch_ns(first_seen)",
}


def main(path: str) -> int:
    failures = 0
    with open(path, encoding="utf-8") as file:
        expected = json.load(file)
    for table, content in expected.items():
        source = f"read_parquet({content['files']})"
        types = {row[0]: row[1] for row in duckdb.sql(f"DESCRIBE SELECT * FROM {source}").fetchall()}
        for column, kind in TYPES.get(table, {}).items():
            if types.get(column) != kind:
                print(f"{table}.{column} is {types.get(column)}, not {kind}", file=sys.stderr)
                failures += 1
        rows = duckdb.sql(f"SELECT {ROWS.get(table, 'count(*)::VARCHAR')} FROM {source}").fetchall()
        if sorted(row[0] for row in rows) != sorted(content["rows"]):
            print(f"rows of {table} differ: {rows[:3]} and {content['rows'][:3]}", file=sys.stderr)
            failures += 1
        # Reads every column of every row.
        duckdb.sql(f"SELECT * FROM {source}").fetchall()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
