"""Starts the real server and speaks with it as any program would."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("GLASSHOUSE_BIN", str(ROOT / "target/debug/glasshouse"))
TEST_DATA = pathlib.Path(os.environ.get("GLASSHOUSE_TEST_DATA", ROOT.parent / "shared/data"))

# Recordings are optional (see CONTRIBUTING.md), but a folder that is named must be there.
needs_recordings = pytest.mark.skipif(
    "GLASSHOUSE_TEST_DATA" not in os.environ and not TEST_DATA.is_dir(),
    reason=f"no recordings in {TEST_DATA}, and GLASSHOUSE_TEST_DATA is not set",
)

# Long enough for a debug build on a busy machine; nothing waits for it to pass.
DEADLINE = 60.0

LISTENERS = ("--http", "--otlp-grpc", "--otlp-http", "--flight-sql")


def eventually(what, condition, within=DEADLINE):
    """Waits until the condition gives something true, and gives that."""
    deadline = time.monotonic() + within
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {what}")
        time.sleep(0.02)


def environment():
    """The environment without settings of a Glasshouse or an SDK that the person who runs the tests may use."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("GLASSHOUSE_", "OTEL_"))}


def run(*arguments, **options):
    """Runs a command of the binary to its end."""
    return subprocess.run(
        [BINARY, *map(str, arguments)], env=environment(), capture_output=True, text=True, timeout=DEADLINE * 2, **options
    )


class Refused(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status, self.body = status, body


class Server:
    """A server on free ports with a folder of its own."""

    def __init__(self, data_dir, *arguments):
        self.data_dir = pathlib.Path(data_dir)
        self.arguments = arguments
        self.process = None
        self.endpoints = None

    def start(self):
        ports = [text for listener in LISTENERS for text in (listener, "127.0.0.1:0")]
        command = [BINARY, "serve", "--data-dir", self.data_dir, *ports, *self.arguments]
        self.log = open(self.data_dir.parent / f"{self.data_dir.name}.log", "ab")
        self.process = subprocess.Popen(
            command, env=environment(), stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log
        )
        self.endpoints = eventually("the server is ready", self._ready)
        return self

    def _ready(self):
        assert self.process.poll() is None, f"the server ended with {self.process.returncode}:\n{self.said()}"
        try:
            endpoints = json.loads((self.data_dir / "endpoints.json").read_text())
        except FileNotFoundError:
            return None
        # A killed predecessor leaves its file behind.
        return endpoints if endpoints["pid"] == self.process.pid else None

    def said(self):
        self.log.flush()
        return pathlib.Path(self.log.name).read_text()

    def stop(self, within=DEADLINE):
        """Ends the server as an operator does, and checks that it ends in good order."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(within) == 0, self.said()
        self.log.close()

    def kill(self):
        """Ends the server as a crash does."""
        self.process.kill()
        self.process.wait()
        self.log.close()

    def restart(self):
        self.stop()
        return self.start()

    def url(self, path="", listener="http"):
        return f"http://{self.endpoints[listener]}{path}"

    def request(self, path, body=None, headers=None, listener="http"):
        """Gives the body of a successful answer."""
        request = urllib.request.Request(self.url(path, listener), data=body, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            raise Refused(error.code, error.read().decode()) from error

    def get(self, path):
        return json.loads(self.request(path))

    def post_json(self, path, value, listener="http"):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.request(path, body, {"content-type": "application/json"}, listener)

    def sql(self, sql, **options):
        """Rows as dictionaries, values with their types."""
        answer = json.loads(self.post_json("/api/query", {"sql": sql, **options}))
        names = [column["name"] for column in answer["columns"]]
        exact = {"bigint": int, "timestamp": int, "duration": int}
        convert = [exact.get(column["type"], lambda value: value) for column in answer["columns"]]
        return [
            {name: None if value is None else to(value) for name, to, value in zip(names, convert, row)}
            for row in answer["rows"]
        ]

    def count(self, table, where="true", **options):
        return self.sql(f"SELECT count(*) AS n FROM {table} WHERE {where}", **options)[0]["n"]

    def figure(self, name):
        """A figure of /metrics, summed up over its labels."""
        lines = self.request("/metrics").decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.split("{")[0].split(" ")[0] == name)

    def wait_until_flushed(self):
        """Waits until every row is in files."""
        eventually(
            "all rows are in files",
            lambda: self.figure("glasshouse_hot_bytes") + self.figure("glasshouse_frozen_bytes") == 0,
        )


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
