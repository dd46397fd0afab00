"""collectd (Debian's collectd-core) through a relay: it speaks line protocol over UDP only.

The relay passes each datagram on to /write unchanged, and keeps what was not taken until
it is. Values come from its socket with times of their own, and from its plugin `load`.
"""

import http.client
import socket
import subprocess
import threading
import time

from api import rows
from context import BASE_S, BIG
from daemon import Daemon, await_that

NAME = "collectd"
LAYER = "collectd"
DB = "collectd"
# collectd sends milliseconds.
_TARGET = f"/write?db={DB}&precision=ms"

_CONFIG = """
Hostname "north 1"
FQDNLookup false
BaseDir "{home}"
PIDFile "{home}/pid"
Interval 1
LoadPlugin logfile
<Plugin logfile>
  LogLevel info
  File STDOUT
</Plugin>
LoadPlugin load
LoadPlugin unixsock
<Plugin unixsock>
  SocketFile "{home}/socket"
</Plugin>
LoadPlugin write_influxdb_udp
<Plugin write_influxdb_udp>
  Server "127.0.0.1" "{port}"
  StoreRates false
</Plugin>
"""


def run(context):
    """Known values and the machine's load, through an overload and a crash of the server."""
    report = context.report
    said = subprocess.run(["collectd", "-h"], capture_output=True, text=True, check=False).stdout
    version = [line for line in said.splitlines() if "collectd 5" in line or "collectd 6" in line]
    report.check("version", bool(version), version[0] if version else said[-80:])
    context.api.query(f"CREATE DATABASE {DB}", method="POST")
    relay = _Relay(context.proxy)
    config = context.home / "collectd.conf"
    config.write_text(_CONFIG.format(home=context.home, port=relay.port))
    with Daemon(context.home, ["collectd", "-f", "-C", str(config)]) as daemon:
        sockets = context.home / "socket"
        report.check("it starts", await_that(sockets.exists), daemon.log().strip().splitlines()[-1:])
        values = _Values(sockets)
        report.attempt("kinds", _kinds, context, values)
        report.attempt("overload", _overload, context, values)
        report.attempt("crash", _crash, context, values)
        report.equal("SIGTERM ends it", daemon.stop(), 0)
    relay.close()
    _all(context, relay)


class _Relay:
    """Datagrams in, requests out, one after the other and none lost."""

    def __init__(self, proxy):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.2)
        self.port = self._socket.getsockname()[1]
        self.taken, self.refused = [], {}
        self._proxy, self._ends = proxy, False
        self._thread = threading.Thread(target=self._pass_on, daemon=True)
        self._thread.start()

    def close(self):
        """Returns when all that came is taken."""
        self._ends = True
        self._thread.join(30)
        self._socket.close()

    def _pass_on(self):
        while True:
            try:
                body = self._socket.recv(1 << 16)
            except TimeoutError:
                if self._ends:
                    return
                continue
            while not self._take(body):
                time.sleep(0.2)
            self.taken.append(body)

    def _take(self, body):
        connection = http.client.HTTPConnection(self._proxy.host, self._proxy.port, timeout=30)
        try:
            connection.request("POST", _TARGET, body=body)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException):
            status = 0
        finally:
            connection.close()
        if status != 204:
            self.refused[status] = self.refused.get(status, 0) + 1
        # What 400 says is final.
        return status in (204, 400)


class _Values:
    """PUTVAL on collectd's own socket."""

    def __init__(self, path):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(10)
        connection.connect(str(path))
        self._stream = connection.makefile("rw", encoding="utf-8")

    def put(self, name, at_s, values):
        """One value list; raises unless collectd takes it."""
        answer = self.say(f'PUTVAL "{name}" interval=10 {at_s}:{values}')
        if not answer.startswith("0 "):
            raise ValueError(answer)

    def say(self, command):
        """The answer to one command."""
        self._stream.write(command + "\n")
        self._stream.flush()
        return self._stream.readline()

    def series(self, name, first):
        """A hundred values, one a second, and out with them."""
        for i in range(first, first + 100):
            self.put(f"north 1/many-{name}/gauge", BASE_S + i, repr(i / 8))
        self.say("FLUSH")


def _kinds(context, values):
    values.put("h/disk-a b,c=d/disk_octets-x", f"{BASE_S}.125", f"{BIG}:7")
    values.put("h/one/gauge", BASE_S, "1e300")
    conflicts = context.server.kind != "influxd"  # 1.6.7 refuses all of a body for one of them
    if conflicts:
        values.put("h/one/derive", BASE_S, "-5")  # sent as an integer, where a float was
    values.put("h/unknown/gauge", BASE_S, "U")
    values.series("calm", 0)
    query = context.api.query
    found = await_that(lambda: len(_series(context, "calm")) == 100)
    context.report.check("a hundred values arrive", found, f"{len(_series(context, 'calm'))}")
    got = rows(query('SELECT * FROM disk GROUP BY *', DB))
    context.report.equal("a counter of two values, exact to the last digit, in milliseconds", got,
                         [{"host": "h", "instance": "a b,c=d", "type": "disk_octets",
                           "type_instance": "x", "time": BASE_S * 10**9 + 125_000_000,
                           "read": BIG, "write": 7}])
    got = {row["type"]: row["value"] for row in rows(query('SELECT * FROM "one" GROUP BY *', DB))}
    context.report.equal("a gauge of 301 digits", got, {"gauge": 1e300})
    refusals = [write.answer.decode() for write in context.proxy.writes() if write.status == 400]
    context.report.check("of two types for one field the later point alone is refused",
                         len(refusals) == conflicts and all('type float dropped=1 ' in
                         text for text in refusals), repr(refusals))
    names = [row["name"] for row in rows(query("SHOW MEASUREMENTS", DB))]
    context.report.check("an unknown value is not sent", "unknown" not in names)


def _series(context, instance):
    return rows(context.api.query(
        f"SELECT value FROM many WHERE instance = '{instance}'", DB))


def _overload(context, values):
    with context.server.overloaded(DB):
        values.series("busy", 0)
        seen = await_that(lambda: any(write.status == 503 for write in context.proxy.writes()), 8)
        context.report.check("the relay is answered 503 by an overloaded server", seen)
    found = await_that(lambda: len(_series(context, "busy")) == 100)
    context.report.check("all of it is there afterwards", found)


def _crash(context, values):
    with context.outage():
        values.series("dead", 0)
        time.sleep(1)
    found = await_that(lambda: len(_series(context, "dead")) == 100)
    context.report.check("what was sent to a dead server is there afterwards", found)


def _all(context, relay):
    report = context.report
    for instance in ("calm", "busy", "dead"):
        got = [(row["time"], float(row["value"])) for row in _series(context, instance)]
        report.equal(f"{instance}: values and times", got,
                     [((BASE_S + i) * 10**9, i / 8) for i in range(100)])
    sent = sum(body.count(b"\nload,") + body.startswith(b"load,") for body in relay.taken)
    stored = len(rows(context.api.query("SELECT * FROM load GROUP BY *", DB)))
    report.check("the machine's load, as often as it was sent", 0 < stored == sent,
                 f"{stored} of {sent}; the relay was refused {relay.refused}")
