"""Starts and stops the server under test, each with a fresh data directory."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 20
# How long a write of a server that is easily overloaded waits for its turn.
WAIT_MS = 500
# Several that start at the same time would only take each other's processors.
_STARTING = threading.Lock()

_INFLUXD_CONFIG = """
reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
  dir = "{data}/meta"
[data]
  dir = "{data}/data"
  wal-dir = "{data}/wal"
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  auth-enabled = {auth}
  log-enabled = false
  max-concurrent-write-limit = {writes}
  enqueued-write-timeout = {wait_ms}000000
"""


class Server:
    """A server process on a free loopback port; `kind` is 'tidegate' or 'influxd'.

    One that is `narrow` serves one write at a time, so that one client can keep it busy.
    """

    def __init__(self, kind, binary, auth=False, narrow=False):
        self.kind = kind
        self.host = "127.0.0.1"
        self.port = _free_port()
        self._binary = str(binary)
        self._auth = auth
        self._narrow = narrow
        self._home = tempfile.TemporaryDirectory(prefix="tidegate-clients-")
        self._log = open(Path(self._home.name) / "server.log", "ab")
        self._process = None

    @property
    def has_v2(self):
        """Whether the server itself has /api/v2/write (influxd has it from 1.8 on)."""
        return self.kind != "influxd"

    def start(self):
        """Start, and return once `GET /ping` answers 204."""
        with _STARTING:
            return self._start()

    def _start(self):
        self._process = subprocess.Popen(
            self._command(), stdout=self._log, stderr=self._log, stdin=subprocess.DEVNULL,
            env=self._environment())
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            if self._answers_ping():
                return self
            time.sleep(0.05)
        raise RuntimeError(f"{self._binary} did not start:\n{self.log_tail()}")

    def stop(self):
        """SIGTERM; the exit code, or None if it had to be killed."""
        if self._process is None:
            return None
        self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            code = None
        self._process = None
        return code

    def kill(self):
        """SIGKILL, as a crash; the data directory stays."""
        self._process.kill()
        self._process.wait()
        self._process = None

    @contextlib.contextmanager
    def overloaded(self, db):
        """Meanwhile every write is answered 503: one that never ends has the only turn.

        It lasts less than the ten seconds after which a body has to keep a pace.
        """
        stalled = socket.create_connection((self.host, self.port))
        try:
            stalled.sendall(f"POST /write?db={db} HTTP/1.1\r\nHost: stalled\r\n"
                            "Content-Length: 1000\r\n\r\n#".encode())
            self._await_status(db, 503)
            yield
        finally:
            stalled.close()
        self._await_status(db, 204)

    def _await_status(self, db, status):
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            connection = http.client.HTTPConnection(self.host, self.port, timeout=10)
            try:
                connection.request("POST", f"/write?db={db}", body=b"")
                if connection.getresponse().status == status:
                    return
            finally:
                connection.close()
            time.sleep(0.05)
        raise RuntimeError(f"no write was answered {status}")

    def close(self):
        """Stop if it still runs, and remove the data."""
        if self._process is not None:
            self.kill()
        self._log.close()
        self._home.cleanup()

    def log_tail(self, lines_max=30):
        """The end of what the server printed."""
        text = (Path(self._home.name) / "server.log").read_text("utf-8", "replace")
        return "\n".join(text.splitlines()[-lines_max:])

    def _command(self):
        data = Path(self._home.name) / "data"
        if self.kind != "influxd":
            return [self._binary, "serve", "--data", str(data), "--http",
                    f"{self.host}:{self.port}"]
        config = Path(self._home.name) / "influxd.conf"
        config.write_text(_INFLUXD_CONFIG.format(
            data=data, port=self.port, auth=str(self._auth).lower(),
            writes=1 if self._narrow else 0, wait_ms=WAIT_MS))
        return [self._binary, "run", "-config", str(config)]

    def _environment(self):
        # Settings of the caller's own server must not leak into the one under test.
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith(("TIDEGATE_", "INFLUXDB_", "INFLUX_"))}
        if self._auth:
            environment["TIDEGATE_HTTP_AUTH_ENABLED"] = "true"
        if self._narrow:
            environment["TIDEGATE_HTTP_MAX_CONCURRENT_WRITE_LIMIT"] = "1"
            environment["TIDEGATE_HTTP_ENQUEUED_WRITE_TIMEOUT"] = f"{WAIT_MS}ms"
        return environment

    def _answers_ping(self):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=2)
        try:
            connection.request("GET", "/ping")
            return connection.getresponse().status == 204
        except OSError:
            return False
        finally:
            connection.close()


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
