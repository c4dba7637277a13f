"""Reads a Glasshouse lake with DuckDB alone, while a server may be writing to it.

    duckdb_lake.py DATA_DIR [--catalog sqlite:PATH] [--snapshots N]

Attaches the DuckLake catalog read-only, reads every column of every table, counts the rows of the newest
snapshots with AT (VERSION => n), and prints JSON to compare with the server's own counts. Exits with 1 when
something cannot be read or is not as documented, with 2 when DuckDB or its extensions are missing:

    pip install duckdb duckdb-extension-ducklake duckdb-extension-sqlite      (all of the same version)
"""

import argparse
import importlib.util
import json
import pathlib
import shutil
import sys
import tempfile

TABLES = ["processes", "spans", "span_events", "span_links", "logs", "metrics"]

# What must hold for every row; a condition counts the rows that break it.
CONDITIONS = {
    "processes": ["process_id IS NULL", "resource IS NULL OR NOT json_valid(resource)"],
    "spans": [
        "octet_length(trace_id) <> 16 OR octet_length(span_id) <> 8",
        "octet_length(parent_span_id) <> 8",
        "epoch_ns(end_time) - epoch_ns(start_time) <> duration_ns",
        "(end_time IS NULL) <> (duration_ns IS NULL)",
        "kind NOT IN ('UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER')",
        "status_code NOT IN ('UNSET', 'OK', 'ERROR')",
        "attributes IS NOT NULL AND NOT json_valid(attributes)",
    ],
    "span_events": ["octet_length(trace_id) <> 16 OR octet_length(span_id) <> 8", "NOT json_valid(attributes)"],
    "span_links": ["octet_length(linked_trace_id) <> 16 OR octet_length(linked_span_id) <> 8"],
    "logs": ["octet_length(trace_id) <> 16", "severity_number NOT BETWEEN 0 AND 24"],
    "metrics": [
        "kind = 'HISTOGRAM' AND len(bucket_counts) NOT IN (0, len(bucket_bounds) + 1)",
        "kind = 'EXPONENTIAL_HISTOGRAM' AND exponential.scale IS NULL",
    ],
}


def fail(code, message):
    print(message, file=sys.stderr)
    sys.exit(code)


def connect():
    try:
        import duckdb
    except ModuleNotFoundError:
        fail(2, "the Python module duckdb is missing: see the head of this file")
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    with tempfile.TemporaryDirectory() as folder:
        # Wheels name the second file `sqlite`, but DuckDB looks for the entry point by the file's name.
        for package, name in [("duckdb_extension_ducklake", "ducklake"), ("duckdb_extension_sqlite", "sqlite_scanner")]:
            found = importlib.util.find_spec(package)
            try:
                if found is None:
                    connection.execute(f"LOAD {name}")
                    continue
                file = next(pathlib.Path(found.submodule_search_locations[0]).rglob("*.duckdb_extension"))
                connection.execute(f"LOAD '{shutil.copy(file, f'{folder}/{name}.duckdb_extension')}'")
            except (duckdb.Error, StopIteration) as error:
                fail(2, f"DuckDB's extension {name} is missing: see the head of this file ({error})")
    return connection


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data_dir", type=pathlib.Path)
    parser.add_argument("--catalog", help="default: sqlite:DATA_DIR/catalog.sqlite")
    parser.add_argument("--snapshots", type=int, default=3, help="how many of the newest snapshots to count")
    arguments = parser.parse_args()
    catalog = arguments.catalog or f"sqlite:{arguments.data_dir.resolve()}/catalog.sqlite"

    path = catalog.removeprefix("sqlite:")
    if path != catalog and not pathlib.Path(path).is_file():
        fail(1, f"there is no catalog {path}")

    connection = connect()
    connection.execute(f"ATTACH 'ducklake:{catalog}' AS lake (READ_ONLY)")

    def rows(sql):
        return connection.execute(sql).fetchall()

    def counts(snapshot):
        # A process has a row for each time it was seen, until files are merged.
        counted = {t: "count(DISTINCT process_id)" if t == "processes" else "count(*)" for t in TABLES}
        return {t: rows(f"SELECT {counted[t]} FROM lake.{t} AT (VERSION => {snapshot})")[0][0] for t in TABLES}

    def kept():
        listed = rows("SELECT snapshot_id FROM ducklake_snapshots('lake') ORDER BY snapshot_id DESC")
        return [snapshot for (snapshot,) in listed]

    problems, snapshots = [], {}
    for snapshot in kept():
        # The first snapshots of a lake have no tables yet.
        if len(snapshots) == arguments.snapshots or snapshot < 1:
            break
        try:
            snapshots[snapshot] = counts(snapshot)
        except Exception as error:
            if snapshot in kept():
                problems.append(f"snapshot {snapshot} cannot be counted: {error}")

    # One moment for everything that follows, however much is written meanwhile.
    connection.execute("BEGIN TRANSACTION")
    newest = kept()[0]
    described, read = {}, {}
    for table in TABLES:
        columns = rows(
            "SELECT column_name, data_type, comment FROM duckdb_columns() "
            f"WHERE database_name = 'lake' AND table_name = '{table}' ORDER BY column_index"
        )
        described[table] = {name: kind for name, kind, _ in columns}
        problems += [f"{table}.{name} has no comment" for name, _, comment in columns if ":" not in name and not comment]
        # max() of a column reads all its values, which count() might take from statistics.
        selected = ", ".join(f'count(*) FILTER ("{name}" IS NOT NULL), max("{name}"::VARCHAR)' for name in described[table])
        values = rows(f"SELECT count(*), {selected} FROM lake.{table}")[0]
        read[table] = {"rows": values[0], "values": dict(zip(described[table], values[1::2]))}
        for condition in CONDITIONS[table]:
            broken = rows(f"SELECT count(*) FROM lake.{table} WHERE {condition}")[0][0]
            if broken:
                problems.append(f"{broken} rows of {table} where {condition}")
        # Pruning by the catalog's statistics must not lose rows.
        for name, kind in described[table].items():
            if kind in ("VARCHAR", "BIGINT", "TIMESTAMP_NS", "UUID") and read[table]["values"][name]:
                low, high = rows(f'SELECT min("{name}")::VARCHAR, max("{name}")::VARCHAR FROM lake.{table}')[0]
                sql = f'SELECT count(*) FROM lake.{table} WHERE "{name}" >= ?::{kind} AND "{name}" <= ?::{kind}'
                found = connection.execute(sql, [low, high]).fetchone()[0]
                if found != read[table]["values"][name]:
                    problems.append(f"{table}.{name}: {found} of {read[table]['values'][name]} values are found by range")
    connection.execute("COMMIT")

    print(json.dumps({"snapshots": snapshots, "read": read, "columns": described, "problems": problems}))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
