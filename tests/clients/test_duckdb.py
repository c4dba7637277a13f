"""DuckDB attaches the catalog while the server writes, and counts as we do."""

import json
import subprocess
import sys
import threading

from glasshouse import ROOT, TEST_DATA, eventually, needs_recordings, run
from test_operation import native_spans


def read_with_duckdb(server, snapshots=3):
    script = ROOT / "tests/clients/duckdb_lake.py"
    command = [sys.executable, script, server.data_dir, "--snapshots", str(snapshots)]
    read = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert read.returncode == 0, read.stdout[-3000:] + read.stderr[-3000:]
    return json.loads(read.stdout)


def assert_same_counts(server, read):
    assert read["snapshots"]
    for snapshot, counts in read["snapshots"].items():
        for table, expected in counts.items():
            assert server.count(table, snapshot=int(snapshot)) == expected, f"{table} in snapshot {snapshot}"


def test_counts_are_equal_while_the_server_writes(start):
    # Little memory makes it write files all the time.
    server = start("--memory-limit", "64MiB")
    stop = threading.Event()

    def write():
        shop = 0
        while not stop.is_set():
            shop += 1
            sent = run("demo", "--for", "1s", "--traces-per-second", "800", "--seed", shop, "--endpoint", server.url())
            assert sent.returncode == 0, sent.stderr

    writer = threading.Thread(target=write)
    writer.start()
    try:
        eventually("there are files", lambda: server.figure("glasshouse_files") > 0, within=120)
        for _ in range(3):
            assert_same_counts(server, read_with_duckdb(server))
    finally:
        stop.set()
        writer.join()
    server.wait_until_flushed()
    read = read_with_duckdb(server, snapshots=1)
    assert_same_counts(server, read)
    for table, counted in read["snapshots"][max(read["snapshots"], key=int)].items():
        assert server.count(table) == counted


@needs_recordings
def test_values_are_equal(server):
    for line in (TEST_DATA / "otel-demo/otel-demo.otlp.jsonl").read_bytes().splitlines():
        signal = next(iter(json.loads(line))).removeprefix("resource").lower().replace("spans", "traces")
        server.post_json(f"/v1/{signal}", line)
    server.post_json("/v1/traces", native_spans(100))
    server.wait_until_flushed()
    read = read_with_duckdb(server, snapshots=1)
    assert_same_counts(server, read)
    assert read["read"]["spans"]["rows"] == 647
    assert read["read"]["metrics"]["rows"] == 4551
