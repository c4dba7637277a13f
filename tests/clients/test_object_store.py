"""The lake's files in an object store that speaks S3."""

import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from glasshouse import environment, eventually, free_port, run
from test_operation import native_spans

def keys(bucket):
    with urllib.request.urlopen(f"{bucket}?list-type=2") as listed:
        found = [part.split("</Key>")[0] for part in listed.read().decode().split("<Key>")[1:]]
    return [key for key in found if not key.endswith("/lake_id")]


@pytest.fixture
def bucket(tmp_path, monkeypatch):
    """The URL of an empty bucket `telemetry`; what the server needs to reach it is in the environment."""
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with open(tmp_path / "s3.log", "wb") as log:
        store = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment())

        def is_made():
            assert store.poll() is None, (tmp_path / "s3.log").read_text()
            try:
                return urllib.request.urlopen(urllib.request.Request(f"{endpoint}/telemetry", method="PUT")).status == 200
            except urllib.error.URLError:
                return False

        eventually("there is a bucket", is_made)
        for name, value in {
            "AWS_ENDPOINT": endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "someone",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        yield f"{endpoint}/telemetry"
        store.kill()
        store.wait()


def test_files_live_in_the_bucket(bucket, start):
    place = ("--object-store", "s3://telemetry/lake")
    server = start(*place)
    spans = native_spans(300)["spans"]
    for part in range(3):
        server.post_json("/v1/traces", {"spans": spans[part::3]})
        server.wait_until_flushed()
    files = keys(bucket)
    assert len(files) > 3 and all(key.startswith("lake/") and key.endswith(".parquet") for key in files), files
    assert not list(server.data_dir.rglob("*.parquet"))
    server.restart()
    assert server.count("spans") == 300
    assert len(server.get(f"/v1/traces/{1:032x}")["spans"]) == 10
    server.stop()

    compacted = run("compact", "--data-dir", server.data_dir, *place)
    assert compacted.returncode == 0 and "became" in compacted.stdout, compacted.stdout + compacted.stderr
    looked = run("doctor", "--data-dir", server.data_dir, *place)
    assert looked.returncode == 0, looked.stdout + looked.stderr
    assert server.start().count("spans") == 300
    server.stop()

    [victim, *_] = set(keys(bucket)) - set(files)
    urllib.request.urlopen(urllib.request.Request(f"{bucket}/{victim}", method="DELETE"))
    looked = run("doctor", "--data-dir", server.data_dir, *place)
    assert looked.returncode == 1 and victim.rsplit("/", 1)[1] in looked.stdout, looked.stdout + looked.stderr


def test_a_store_that_is_away_costs_nothing_accepted(bucket, start, monkeypatch):
    server = start("--object-store", "s3://telemetry/lake")
    server.stop()
    monkeypatch.setenv("AWS_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    server.start()
    server.post_json("/v1/traces", native_spans(100))
    assert server.count("spans") == 100
    eventually("the trouble is told", lambda: "object_store" in server.said())
    server.kill()

    monkeypatch.setenv("AWS_ENDPOINT", bucket.removesuffix("/telemetry"))
    server.start()
    assert server.count("spans") == 100
    server.wait_until_flushed()
    assert keys(bucket)


def test_a_bucket_that_does_not_exist_is_told(bucket, start):
    server = start("--object-store", "s3://nowhere/lake")
    eventually("the trouble is told", lambda: "NoSuchBucket" in server.said())
    health = server.get("/api/health")
    assert any("NoSuchBucket" in part.get("problem", "") for part in health["parts"]), health
    # What is accepted is in the log, so the server is ready all the same.
    server.post_json("/v1/traces", native_spans(10))
    assert server.count("spans") == 10
