import os
import subprocess

import pytest

from glasshouse import ROOT, Server, environment


@pytest.fixture
def start(tmp_path):
    """Starts servers; those that still run are ended with the test."""
    started = []

    def start(*arguments, data_dir="lake"):
        server = Server(tmp_path / data_dir, *arguments)
        started.append(server)
        return server.start()

    yield start
    for server in started:
        if server.process and server.process.poll() is None:
            server.process.kill()
            server.process.wait()


@pytest.fixture
def server(start):
    return start()


@pytest.fixture(scope="session")
def send_with_node():
    """Runs the Node SDK's sender."""

    def send(server, protocol, service):
        arguments = ["node", "send.mjs", server.url(listener="otlp_http"), protocol, service]
        folder = ROOT / "tests/clients/node"
        sent = subprocess.run(arguments, cwd=folder, env=environment(), capture_output=True, text=True, timeout=120)
        assert sent.returncode == 0, sent.stderr
        return sent.stdout

    return send


# The SDKs read these and would send elsewhere.
for name in [name for name in os.environ if name.startswith("OTEL_")]:
    del os.environ[name]
