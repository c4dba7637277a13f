"""The stock ADBC driver for Flight SQL."""

import subprocess
import sys

from glasshouse import ROOT, TEST_DATA, needs_recordings


@needs_recordings
def test_connects_lists_objects_prepares_fetches_and_cancels(server):
    traces = [line for line in (TEST_DATA / "otel-demo/otel-demo.otlp.jsonl").read_bytes().splitlines() if b"resourceSpans" in line[:20]]
    for line in traces:
        server.post_json("/v1/traces", line)
    script = ROOT / "tests/clients/adbc.py"
    uri = f"grpc://{server.endpoints['flight_sql']}"
    checked = subprocess.run([sys.executable, script, uri], capture_output=True, text=True, timeout=300)
    assert checked.returncode == 0, checked.stdout + checked.stderr
