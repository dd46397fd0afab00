"""pcp2influxdb of Debian's pcp-export-pcp2influxdb, reading an archive: no daemon, no chance.

It sends one request a sample, tries none again, and says of each that was not answered
204 what became of it. An archive can be sent once more, which is what the checks do.
"""

import subprocess
import threading
import time
from pathlib import Path

from api import rows
from context import BASE_S

NAME = "pcp2influxdb"
LAYER = "pcp2influxdb"
DB = "pcp"
SAMPLES = 50
HERE = Path(__file__).resolve().parent
# The package leaves the interpreter its first line names, pmpython, to the large package pcp.
_PYTHON = "/usr/bin/python3"


def run(context):
    """A run that is refused, one through a crash, one that arrives."""
    report = context.report
    archive = context.home / "archive"
    done = subprocess.run([_PYTHON, str(HERE / "pcp_archive.py"), str(archive), str(BASE_S),
                           str(SAMPLES)], capture_output=True, text=True, check=False)
    report.check("the archive is made", done.returncode == 0, done.stderr[-300:])
    done = _export(context, "-s", "3")
    report.check("a missing database is named", "404" in done.stderr and DB in done.stderr,
                 f"exit {done.returncode}")
    context.api.query(f"CREATE DATABASE {DB}", method="POST")
    report.attempt("overload", _overload, context)
    report.attempt("crash", _crash, context)
    report.attempt("all", _all, context)
    report.attempt("strings", _strings, context)


def _export(context, *arguments, metrics="demo"):
    return subprocess.run(
        [_PYTHON, "/usr/bin/pcp2influxdb", "-a", str(context.home / "archive"), "-t", "1s", "-r",
         "-P", "6", "-g", context.proxy.url, "-x", DB, "-X", r"site=no\ rth", *arguments, metrics],
        capture_output=True, text=True, timeout=120, check=False,
        env={"HOME": str(context.home), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"})


def _overload(context):
    before = len(context.proxy.writes())
    with context.server.overloaded(DB):
        done = _export(context, "-s", "3")
    statuses = [write.status for write in context.proxy.writes()[before:]]
    context.report.equal("each sample is sent once to an overloaded server", statuses, [503] * 3)
    context.report.equal("each refusal is said with its code", done.stderr.count("code 503"), 3)


def _crash(context):
    with context.outage():
        done = _export(context, "-s", "3")
    context.report.equal("each sample nobody took is said",
                         done.stderr.count("Can't connect to InfluxDB server"), 3)
    sent = threading.Thread(target=_export, args=(context,))
    before = len(context.proxy.writes())
    sent.start()
    while len(context.proxy.writes()) < before + 5 and sent.is_alive():
        time.sleep(0.005)
    with context.outage():
        pass
    sent.join()


def _all(context):
    report = context.report
    done = _export(context)
    report.equal("says nothing about an export that arrived", done.stderr, "")
    got = rows(context.api.query("SELECT * FROM demo_load_1 GROUP BY *", DB))
    want = [{"site": "no rth", "time": (BASE_S + i) * 10**9, "value": 0.25 * i}
            for i in range(SAMPLES)]
    report.equal(f"the {SAMPLES} values of a gauge", _floats(got), _floats(want))
    got = rows(context.api.query("SELECT * FROM demo_disk_bytes GROUP BY *", DB))
    want = [{"site": "no rth", "time": (BASE_S + i) * 10**9, "_sd_b_1": i, "_sda": 2**40 + i}
            for i in range(SAMPLES)]
    report.equal(f"the {SAMPLES} values of two disks are one point each", _floats(got),
                 _floats(want))


def _floats(table):
    return [{k: float(v) if isinstance(v, float | int) and k != "time" else v
             for k, v in row.items()} for row in table]


def _strings(context):
    """Strings are sent without quotes, by every version: refused, as upstream does."""
    before = len(context.proxy.writes())
    done = _export(context, "-s", "1", metrics="words.name")
    write = context.proxy.writes()[before]
    context.report.check("a string without quotes is refused with its reason",
                         write.status == 400 and b"unable to parse 'words_name,site=no" in
                         write.answer and "code 400" in done.stderr, write.answer.decode()[:120])
