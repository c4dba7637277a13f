"""What an operator meets: ports in use, signals, a full disk, commands of the binary."""

import io
import json
import os
import shutil
import signal
import socket
import subprocess
import time

import pyarrow.ipc
import pyarrow.parquet
import pytest

from glasshouse import BINARY, DEADLINE, LISTENERS, Refused, environment, eventually, run


def native_spans(count, service="native", start=1_700_000_000_000_000_000):
    span = lambda number: {  # noqa: E731
        "trace_id": f"{number // 10 + 1:032x}",
        "span_id": f"{number + 1:016x}",
        "name": "work",
        "service_name": service,
        "start_time": str(start + number * 1000),
        "end_time": str(start + number * 1000 + 500),
    }
    return {"spans": [span(number) for number in range(count)]}


@pytest.mark.parametrize("flag", LISTENERS)
def test_a_port_in_use_is_explained(tmp_path, flag):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        others = [text for other in LISTENERS if other != flag for text in (other, "127.0.0.1:0")]
        ended = run("serve", "--data-dir", tmp_path / "lake", flag, f"127.0.0.1:{port}", *others)
    assert ended.returncode == 2
    lines = [line for line in ended.stderr.splitlines() if line.startswith("error:")]
    assert len(lines) == 1 and str(port) in lines[0] and flag in lines[0], ended.stderr
    assert not (tmp_path / "lake/endpoints.json").exists()


def test_a_folder_in_use_is_explained(server):
    listeners = [text for listener in LISTENERS for text in (listener, "127.0.0.1:0")]
    second = run("serve", "--data-dir", server.data_dir, *listeners)
    assert second.returncode == 2
    assert f"process {server.process.pid}" in second.stderr, second.stderr
    server.post_json("/v1/traces", native_spans(10))
    assert server.count("spans") == 10


def test_wrong_use_is_explained(tmp_path):
    def check(expected, *arguments):
        ended = run(*arguments)
        assert ended.returncode == 2 and expected in ended.stderr, ended.stderr

    check("unexpected argument '--htpp'", "serve", "--htpp", "x")
    check("512MiB", "serve", "--memory-limit", "plenty")
    config = tmp_path / "glasshouse.toml"
    config.write_text('[serve]\nmemory-limt = "1GiB"\n')
    check("unknown key serve.memory-limt", "serve", "--config", config)


def test_settings_come_from_flags_environment_and_file(tmp_path):
    """Flags win over the environment, the environment over the file."""
    config = tmp_path / "glasshouse.toml"
    names = ("http", "otlp-grpc", "otlp-http", "flight-sql")
    config.write_text(f'data-dir = "{tmp_path}/file"\n[serve]\n' + "".join(f'{name} = "127.0.0.1:0"\n' for name in names))
    settings = environment() | {"GLASSHOUSE_CONFIG": str(config)}

    def starts_in(folder, arguments=(), variables={}):
        process = subprocess.Popen([BINARY, "serve", *arguments], env=settings | variables, stderr=subprocess.DEVNULL, stdout=subprocess.PIPE)
        try:
            eventually(f"a server has {folder}", lambda: (tmp_path / folder / "endpoints.json").exists())
        finally:
            process.terminate()
            out, _ = process.communicate(timeout=DEADLINE)
        assert process.returncode == 0
        assert sum(line.startswith(b"listening on ") for line in out.splitlines()) >= 3, out

    starts_in("file")
    variable = {"GLASSHOUSE_DATA_DIR": str(tmp_path / "environment")}
    starts_in("environment", variables=variable)
    starts_in("flag", ["--data-dir", str(tmp_path / "flag")], variable)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_in_time_with_everything_kept(start, stop):
    server = start()
    server.post_json("/v1/traces", native_spans(1000))
    # A client that holds its connection open and says nothing must not delay the end.
    host, port = server.endpoints["http"].split(":")
    with socket.create_connection((host, int(port))):
        began = time.monotonic()
        server.process.send_signal(stop)
        assert server.process.wait(DEADLINE) == 0
        assert time.monotonic() - began < 10
    assert not (server.data_dir / "endpoints.json").exists()
    server.log.close()
    assert server.start().count("spans") == 1000


def test_exposure_is_told(tmp_path):
    arguments = [BINARY, "serve", "--data-dir", tmp_path / "open", "--http", "0.0.0.0:0"]
    arguments += [text for listener in LISTENERS[1:] for text in (listener, "off")]
    process = subprocess.Popen(arguments, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    eventually("it is ready", lambda: (tmp_path / "open/endpoints.json").exists())
    process.terminate()
    out, err = process.communicate(timeout=DEADLINE)
    assert "can be reached from other machines" in err
    assert out.count("listening on ") == 1


def test_query_prints_every_format(server, tmp_path):
    server.post_json("/v1/traces", native_spans(25))
    sql = "SELECT span_id, start_time, duration_ns FROM spans ORDER BY span_id"

    def query(*arguments, binary=False):
        command = [BINARY, "query", sql, *arguments]
        ended = subprocess.run(command, env=environment(), capture_output=True, timeout=DEADLINE)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout if binary else ended.stdout.decode()

    for where in (["--endpoint", server.url()], ["--data-dir", str(server.data_dir)]):
        assert "25 rows" in query(*where)
        rows = json.loads(query(*where, "--format", "json"))
        assert len(rows) == 25 and rows[0]["duration_ns"] == 500
        assert query(*where, "--format", "csv").splitlines()[1] == "0000000000000001,2023-11-14T22:13:20Z,500"
        table = pyarrow.ipc.open_stream(io.BytesIO(query(*where, "--format", "arrow", binary=True))).read_all()
        assert table.num_rows == 25
        query(*where, "--format", "parquet", "--output", str(tmp_path / "rows.parquet"))
        assert pyarrow.parquet.read_table(tmp_path / "rows.parquet").num_rows == 25
        assert "10 rows" in query(*where, "--from", "2023-11-14T22:13:20.000015Z")
    server.stop()
    # Without a server the folder itself is asked.
    assert "25 rows" in query("--data-dir", str(server.data_dir))
    failed = run("query", "SELECT nothing FROM spans", "--data-dir", server.data_dir)
    assert failed.returncode == 1 and failed.stderr.startswith("error: query failed: ") and "nothing" in failed.stderr
    failed = run("query", "SELECT 1", "--endpoint", "http://127.0.0.1:1")
    assert failed.returncode == 1 and failed.stderr.startswith("error: cannot reach http://127.0.0.1:1")
    failed = run("query", "SELECT 1", "--data-dir", tmp_path / "nowhere")
    assert failed.returncode == 1 and "no lake in" in failed.stderr and not (tmp_path / "nowhere").exists()


def test_compact_and_doctor(server):
    for number in range(3):
        server.post_json("/v1/traces", native_spans(100, f"service-{number}", 1_700_000_000_000_000_000 + number))
        server.wait_until_flushed()
    spans = server.count("spans")
    refused = run("compact", "--data-dir", server.data_dir)
    assert refused.returncode == 2 and "in use" in refused.stderr
    server.stop()
    compacted = run("compact", "--data-dir", server.data_dir)
    assert compacted.returncode == 0 and "became" in compacted.stdout, compacted.stderr
    checked = run("doctor", "--data-dir", server.data_dir)
    assert checked.returncode == 0 and "files:" in checked.stdout, checked.stdout + checked.stderr
    assert server.start().sql("SELECT count(*) AS n FROM (SELECT DISTINCT trace_id, span_id FROM spans)")[0]["n"] == 100
    assert server.count("spans") <= spans
    server.stop()
    # Replaced files wait for their readers for a while, so one of these is live.
    victims = list((server.data_dir / "data/spans").rglob("*.parquet"))
    for victim in victims:
        victim.unlink()
    checked = run("doctor", "--data-dir", server.data_dir)
    assert checked.returncode == 1 and any(victim.name in checked.stdout for victim in victims), checked.stdout + checked.stderr


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_demo(server, protocol):
    endpoint = server.url(listener="http" if protocol == "http" else "otlp_grpc")
    shop = run("demo", "--for", "2s", "--traces-per-second", "150", "--endpoint", endpoint, "--protocol", protocol)
    assert shop.returncode == 0, shop.stderr
    sent = [int(word) for word in shop.stdout.split("sent")[1].split() if word.isdigit()]
    spans, logs = sent[0], sent[1]
    assert (server.count("spans"), server.count("logs")) == (spans, logs)
    assert server.sql("SELECT count(DISTINCT service_name) AS n FROM spans")[0]["n"] == 11
    kinds = {row["kind"] for row in server.sql("SELECT DISTINCT kind FROM metrics")}
    assert kinds == {"GAUGE", "SUM", "HISTOGRAM", "EXPONENTIAL_HISTOGRAM", "SUMMARY"}
    assert server.count("logs", "trace_id IN (SELECT trace_id FROM spans)") == logs
    assert server.count("span_links") > 0 and server.count("spans", "status_code = 'ERROR'") > 0


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="mounting needs root")
def test_a_full_disk_refuses_and_keeps_what_was_accepted(tmp_path, start):
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", small], capture_output=True).returncode != 0:
        pytest.skip("this machine does not allow mounting")
    try:
        server = start(data_dir="small/lake")
        accepted, refusal = 0, None
        for number in range(2000):
            spans = native_spans(500, "full", 1_700_000_000_000_000_000 + number * 1_000_000)
            for position, span in enumerate(spans["spans"]):
                span["span_id"] = f"{number * 500 + position + 1:016x}"
                span["attributes"] = {"filler": os.urandom(32).hex()}
            try:
                server.post_json("/v1/traces", spans)
                accepted += 500
            except Refused as refused:
                refusal = refused
                break
        assert refusal is not None and refusal.status in (429, 503), refusal
        assert server.count("spans") == accepted
        assert server.process.poll() is None
        # With room again everything goes on, and nothing accepted is lost.
        subprocess.run(["mount", "-o", "remount,size=200m", small], check=True)

        def goes_on():
            try:
                server.post_json("/v1/traces", native_spans(1, "after"))
                return True
            except Refused:
                return False

        eventually("the server accepts again", goes_on)
        assert server.count("spans", "service_name = 'full'") == accepted
        server.wait_until_flushed()
        server.restart()
        assert server.count("spans", "service_name = 'full'") == accepted
        server.stop()
    finally:
        subprocess.run(["umount", "-l", small], check=False)
