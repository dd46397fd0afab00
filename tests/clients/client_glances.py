"""PyPI `glances` 4.5.8 exporting this machine's own metrics: a real agent, a real stream.

It runs on a server of its own, beside the other clients. The generic check compares
every line it had acknowledged; here it is only asked whether the stream was a real one.
"""

import importlib.metadata
import signal
import subprocess
import sys
import time

from api import column, rows
from lineproto import parse_body

NAME = "glances"
LAYER = "python-clients"
RUN_SECONDS = 30
DB = "glances"
# What every machine has. Others (fs, network, sensors ...) depend on where this runs.
PLUGINS = {"cpu", "load", "mem", "memswap", "percpu", "processcount", "system", "uptime"}

_CONFIG = """
[global]
check_update=false
[influxdb]
host={host}
port={port}
protocol=http
user=root
password=root
db={db}
prefix={prefix}
tags=site:north,rack:r 1
"""


def run(context):
    """Refused without its database, then a run of half a minute."""
    report = context.report
    report.equal("version", importlib.metadata.version("glances"), "4.5.8")
    config = context.home / "glances.conf"
    config.write_text(_CONFIG.format(host=context.proxy.host, port=context.proxy.port, db=DB,
                                     prefix="box"))
    process, _ = _start(context, config)
    report.equal("exits with 2 if the database is absent", process.wait(30), 2)
    context.api.query(f"CREATE DATABASE {DB}", method="POST")
    process, log = _start(context, config)
    deadline = time.monotonic() + RUN_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.2)
    alive = process.poll() is None
    if alive:
        process.send_signal(signal.SIGINT)
        process.wait(20)
    report.check(f"exports for {RUN_SECONDS} s", alive, "" if alive else log.read_text()[-400:])
    _stream(context)


def _start(context, config):
    # The plugins cloud and ip ask hosts elsewhere.
    log = context.home / "glances.log"
    with open(log, "ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "glances", "--quiet", "--time", "2", "--export", "influxdb",
             "--disable-plugin", "cloud,ip", "--config", str(config)],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            env={"HOME": str(context.home), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"})
    return process, log


def _stream(context):
    report = context.report
    writes = context.proxy.writes()
    refusals = [write for write in writes if write.status != 204]
    report.check("every request is acknowledged", writes and not refusals,
                 f"{len(writes)} requests" if not refusals else
                 f"{len(refusals)} of {len(writes)} refused, one with {refusals[0].answer!r}")
    measurements = column(context.api.query("SHOW MEASUREMENTS", DB), "name")
    missing = {f"box.{plugin}" for plugin in PLUGINS} - set(measurements)
    report.check("SHOW MEASUREMENTS has the plugins every machine has", not missing,
                 f"{len(measurements)} measurements" if not missing else f"without {missing}")
    sent = {}  # {measurement: {tags: the seconds in which each request was on its way}}
    for write in writes:
        times = (write.started_ns // 10**9, write.ended_ns // 10**9)
        for point in parse_body(write.lines(), write.params.get("precision", "")):
            series = sent.setdefault(point.measurement, {}).setdefault(point.tags, [])
            if times not in series[-1:]:
                series.append(times)
    counts = {name: len(rows(context.api.query(f'SELECT * FROM "{name}" GROUP BY *', DB)))
              for name in sent}
    bounds = {name: (sum(map(_seconds_min, series.values())), sum(map(len, series.values())))
              for name, series in sent.items()}
    wrong = {name: (counts[name], *bounds[name]) for name in sent
             if not bounds[name][0] <= counts[name] <= bounds[name][1]}
    report.check("points per plugin are those sent", not wrong,
                 repr(wrong) if wrong else
                 ", ".join(f"{name[4:]} {count}" for name, count in sorted(counts.items())))
    totals = set(column(context.api.query('SELECT total FROM "box.mem"', DB), "total"))
    with open("/proc/meminfo", encoding="ascii") as meminfo:
        kib = int(meminfo.readline().split()[1])
    report.check("box.mem total is this machine's memory",
                 len(totals) == 1 and totals.pop() == kib * 1024)


def _seconds_min(spans):
    """No line has a time, so it gets the server's second: the fewest that a series' requests,
    each in its span, can have fallen into. On a slow machine two cycles share one.
    """
    count, last = 0, -1
    for first, end in sorted(spans, key=lambda span: span[1]):
        if first > last:
            count, last = count + 1, end
    return count
