"""Icinga 2's InfluxdbWriter (Debian's icinga2-bin): HTTP/1.0, seconds, one request a connection.

A batch that is not answered 204 is gone: the writer has emptied its buffer by then. So the
checks ask that it says so in its log, that it goes on by itself, and that nothing is
lost while the server answers.
"""

import subprocess

from api import rows
from daemon import Daemon, await_that

NAME = "icinga2"
LAYER = "icinga2"
DB = "icinga"
HOST = "north 1, é=x"

_CONFIG = r"""
include <itl>
object CheckerComponent "checker" {{ }}
template CheckCommand "said" {{
  import "dummy"
}}
object CheckCommand "disk, a=b" {{
  import "said"
}}
object Host "{host}" {{
  check_command = "dummy"
  vars.dummy_state = 0
  vars.dummy_text = "up | rta=0.5ms;100;200;0 pl=0%;10;20;;"
  check_interval = 1s
  retry_interval = 1s
  max_check_attempts = 3
}}
object Service "C:\\" {{
  host_name = "{host}"
  check_command = "disk, a=b"
  vars.dummy_state = 1
  vars.dummy_text = "low | 'C:\\'=1536B;80;90;0;100 'a b,c=d'=-3.25 big=9007199254740992c"
  check_interval = 1s
  retry_interval = 1s
  max_check_attempts = 1
}}
object InfluxdbWriter "influxdb" {{
  host = "{proxy_host}"
  port = {proxy_port}
  database = "{db}"
  flush_interval = 1s
  flush_threshold = 1024
  enable_send_metadata = true
  enable_send_thresholds = true
  host_template = {{
    measurement = "$host.check_command$"
    tags = {{ hostname = "$host.name$" }}
  }}
  service_template = {{
    measurement = "$service.check_command$"
    tags = {{ hostname = "$host.name$", service = "$service.name$" }}
  }}
}}
"""
# A backslash at the end of a tag would escape the comma behind it: the writer puts _ there.
_SERVICE = {"hostname": HOST, "service": "C:_"}
_VALUES = {
    ("dummy", "rta"): {"value": 0.0005, "warn": 0.1, "crit": 0.2, "min": 0, "unit": "seconds"},
    ("dummy", "pl"): {"value": 0, "warn": 10, "crit": 20, "unit": "percent"},
    ("disk, a=b", "C:_"): {"value": 1536, "warn": 80, "crit": 90, "min": 0, "max": 100,
                           "unit": "bytes"},
    # This version divides a quoted label at its last equals sign.
    ("disk, a=b", "'a b,c'=d"): {"value": -3.25},
    ("disk, a=b", "big"): {"value": 9007199254740992},
}
_METADATA = {"state", "state_type", "current_attempt", "max_check_attempts", "reachable",
             "downtime_depth", "acknowledgement", "latency", "execution_time"}


def run(context):
    """Checks every second, through an overload and a crash of the server."""
    report = context.report
    version = subprocess.run(["icinga2", "--version"], capture_output=True, text=True,
                             check=False).stdout.splitlines()
    report.check("version", bool(version), version[0] if version else "")
    context.api.query(f"CREATE DATABASE {DB}", method="POST")
    with _start(context) as daemon:
        report.check("writes within seconds", await_that(lambda: _stored(context) >= 3),
                     f"{_stored(context)} seconds of checks are stored")
        report.attempt("overload", _overload, context, daemon)
        report.attempt("crash", _crash, context, daemon)
        report.equal("SIGTERM ends it", daemon.stop(), 0)
    _requests(context)
    _values(context)


def _start(context):
    config = context.home / "icinga2.conf"
    config.write_text(_CONFIG.format(host=HOST, db=DB, proxy_host=context.proxy.host,
                                     proxy_port=context.proxy.port), "utf-8")
    command = ["icinga2", "daemon", "-c", str(config), "-x", "information"]
    for name, part in (("ConfigDir", ""), ("DataDir", "data"), ("CacheDir", "cache"),
                       ("LogDir", "log"), ("InitRunDir", "run"), ("SpoolDir", "spool")):
        (context.home / part).mkdir(exist_ok=True)
        command += ["-D", f"{name}={context.home / part}"]
    user = Daemon.user_name()
    return Daemon(context.home, command, ICINGA2_USER=user[0], ICINGA2_GROUP=user[1])


def _stored(context):
    """At how many times the host's check is stored."""
    return len(rows(context.api.query("SELECT value FROM dummy WHERE metric = 'rta'", DB)))


def _goes_on(context):
    before = _stored(context)
    return await_that(lambda: _stored(context) > before + 1)


def _overload(context, daemon):
    with context.server.overloaded(DB):
        seen = await_that(lambda: any(write.status == 503 for write in context.proxy.writes()), 8)
        context.report.check("is answered 503 by an overloaded server", seen)
    refused = [write for write in context.proxy.writes() if write.status == 503]
    report = context.report
    report.check("the 503 says when to come back, where the server can",
                 context.server.kind == "influxd" or
                 all(write.answer_headers.get("retry-after") for write in refused))
    report.check("says what was refused", await_that(
        lambda: "Unexpected response code: Service Unavailable" in daemon.log()),
                 _last_warning(daemon))
    report.check("goes on after the overload", _goes_on(context))


def _crash(context, daemon):
    with context.outage():
        seen = await_that(lambda: "annot connect to InfluxDB" in daemon.log(), 10)
    context.report.check("says that nobody answers", seen, _last_warning(daemon))
    context.report.check("goes on after the crash", _goes_on(context))
    context.report.check("is still alive", daemon.alive)


def _last_warning(daemon):
    lines = [line for line in daemon.log().splitlines() if "arning" in line]
    return lines[-1][:160] if lines else ""


def _requests(context):
    report = context.report
    writes = context.proxy.writes()
    report.equal("speaks HTTP/1.0", {write.version for write in writes}, {"HTTP/1.0"})
    report.equal("asks for seconds", {write.target for write in writes},
                 {f"/write?precision=s&db={DB}"})
    statuses = [write.status for write in writes]
    report.equal("is refused only while the server is overloaded", set(statuses), {204, 503})
    again = {write.body for write in writes if write.status == 503} & {
        write.body for write in writes if write.status == 204}
    report.check("never repeats what was refused", not again,
                 f"{statuses.count(503)} of {len(statuses)} batches")


def _values(context):
    report = context.report
    for (measurement, metric), fields in _VALUES.items():
        tags = {"hostname": HOST} if measurement == "dummy" else _SERVICE
        series = [entry for entry in context.api.query(
            f'SELECT * FROM "{measurement}" GROUP BY *', DB)
            if entry["tags"] == {**tags, "metric": metric}]
        got = [{k: v for k, v in row.items() if v is not None and k in
                ("value", "warn", "crit", "min", "max", "unit")} for row in rows(series)]
        report.check(f"{metric}: its values, at every time",
                     len(got) > 3 and all(row == fields for row in got),
                     f"{len(got)} points, {got[:1]}")
    got = {row["fieldKey"] for row in rows(context.api.query("SHOW FIELD KEYS FROM dummy", DB))}
    report.check("metadata of checks", got >= _METADATA, f"{sorted(_METADATA - got)} missing")
