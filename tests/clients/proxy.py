"""A recording proxy on loopback: passes every request on unchanged and keeps both sides.

What it keeps is the ground truth of the suite: a body acknowledged with 204 must be
found in the server, line by line (verify.py).
"""

import gzip
import http.client
import socket
import threading
import time
from base64 import b64encode
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclass
class Exchange:
    """One request as the client sent it and the answer it got."""

    method: str
    target: str
    headers: dict
    body: bytes
    status: int
    answer: bytes
    started_ns: int
    ended_ns: int
    version: str = "HTTP/1.1"
    answer_headers: dict = field(default_factory=dict)

    @property
    def path(self):
        """The path without parameters."""
        return urlsplit(self.target).path

    @property
    def params(self):
        """The first value of each URL parameter, empty ones included."""
        return _params(self.target)

    @property
    def is_write(self):
        """Whether it carries line protocol."""
        return self.method == "POST" and self.path in ("/write", "/api/v2/write")

    def destination(self):
        """(database, retention policy); the policy is '' for the default one."""
        params = self.params
        if self.path == "/write":
            return params.get("db", ""), params.get("rp", "")
        db, _, policy = params.get("bucket", "").partition("/")
        return db, policy

    def lines(self):
        """The body as line protocol."""
        if self.headers.get("content-encoding") == "gzip":
            return gzip.decompress(self.body)
        return self.body


class Proxy:
    """Listens on a free port in front of `server`; `adapt_v2` see `_adapted`."""

    def __init__(self, server, adapt_v2=False):
        self.exchanges = []
        self._lock = threading.Lock()
        proxy = self

        class Handler(_Handler):
            upstream = (server.host, server.port)
            adapt = adapt_v2
            record = staticmethod(proxy._record)

        self._handler = Handler
        self._listener = None
        self.host, self.port = "127.0.0.1", 0
        self.listen()
        self.url = f"http://{self.host}:{self.port}"

    def listen(self):
        """Take connections, after a `close()` on the same port as before."""
        self._listener = _Listener((self.host, self.port), self._handler)
        self.port = self._listener.server_address[1]
        threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True).start()

    def writes(self):
        """The requests that carried line protocol."""
        with self._lock:
            return [exchange for exchange in self.exchanges if exchange.is_write]

    def close(self):
        """Stop listening: connections are refused. What was recorded stays."""
        if self._listener is not None:
            self._listener.shutdown()
            self._listener.server_close()
            self._listener = None

    def _record(self, exchange):
        with self._lock:
            self.exchanges.append(exchange)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """A client that hangs up is not worth a traceback."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream = ("", 0)
    adapt = False
    record = None
    connection_up = None

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def finish(self):
        if self.connection_up is not None:
            self.connection_up.close()
        super().finish()

    def log_message(self, *args):
        """Nothing: the record is the log."""

    def _pass_on(self):
        started_ns = time.time_ns()
        body = self._read_body()
        target, headers = self.path, list(self.headers.items())
        if self.adapt and urlsplit(target).path == "/api/v2/write":
            target, headers = _adapted(target, headers)
        try:
            response, answer = self._send_up(target, headers, body)
        except OSError:
            self.close_connection = True  # the client sees what it would see without us
            return
        lower = {name.lower(): value for name, value in self.headers.items()}
        told = {name.lower(): value for name, value in response.getheaders()}
        self.record(Exchange(self.command, self.path, lower, body, response.status, answer,
                             started_ns, time.time_ns(), self.request_version, told))
        self._answer(response, answer)

    do_GET = do_POST = do_HEAD = do_OPTIONS = do_DELETE = do_PUT = _pass_on

    def _read_body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while True:
            size = int(self.rfile.readline().split(b";")[0], 16)
            parts.append(self.rfile.read(size))
            self.rfile.readline()
            if size == 0:
                return b"".join(parts)

    def _send_up(self, target, headers, body):
        if self.connection_up is not None:
            try:
                return self._exchange(target, headers, body)
            except (OSError, http.client.HTTPException):
                # The server may close a connection that idles. A client of its own would have
                # seen that; ours only sees the proxy, so the proxy begins a new one.
                self.connection_up.close()
        self.connection_up = http.client.HTTPConnection(*self.upstream, timeout=60)
        try:
            return self._exchange(target, headers, body)
        except (OSError, http.client.HTTPException) as error:
            self.connection_up.close()
            self.connection_up = None
            raise OSError(str(error)) from error

    def _exchange(self, target, headers, body):
        up = self.connection_up
        up._http_vsn_str = self.request_version  # what http.client has for it is not public
        up._http_vsn = 10 if self.request_version == "HTTP/1.0" else 11
        up.putrequest(self.command, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            if name.lower() not in _HOP_BY_HOP:
                up.putheader(name, value)
        if body or self.command in ("POST", "PUT"):
            up.putheader("Content-Length", str(len(body)))
        up.endheaders(body or None)
        response = up.getresponse()
        return response, response.read()

    def _answer(self, response, answer):
        head = [f"HTTP/1.1 {response.status} {response.reason}"]
        head += [f"{name}: {value}" for name, value in response.getheaders()
                 if name.lower() not in _HOP_BY_HOP]
        if response.status != 204:
            head.append(f"Content-Length: {len(answer)}")
        data = "\r\n".join(head).encode("latin-1") + b"\r\n\r\n"
        self.wfile.write(data if self.command == "HEAD" else data + answer)


def _params(target):
    parsed = parse_qs(urlsplit(target).query, keep_blank_values=True)
    return {name: values[0] for name, values in parsed.items()}


def _adapted(target, headers):
    """A v2 write as the /write that means the same.

    The packaged InfluxDB has no /api/v2/write. With this the v2 client scripts can be
    run against it too; against a server of ours nothing is ever rewritten.
    """
    params = _params(target)
    db, _, policy = params.get("bucket", "").partition("/")
    precision = params.get("precision", "")
    query = {"db": db, "rp": policy, "precision": "u" if precision == "us" else precision}
    rewritten = []
    for name, value in headers:
        if name.lower() == "authorization" and value.startswith("Token "):
            value = "Basic " + b64encode(value[len("Token "):].encode()).decode()
        rewritten.append((name, value))
    return "/write?" + urlencode(query), rewritten
