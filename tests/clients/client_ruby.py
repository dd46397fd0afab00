"""The Ruby client of Debian's ruby-influxdb. Its checks are a script that prints one a line."""

import json
import shutil
import subprocess
import threading
from pathlib import Path

from api import rows
from context import BASE_S

NAME = "influxdb-ruby"
LAYER = "ruby-client"
DB = "rubies"
SCRIPT = Path(__file__).resolve().parent / "ruby_influxdb.rb"


def run(context):
    """The script alone, then against a server that is overloaded or dead."""
    report = context.report
    _ruby(context, "all")
    report.attempt("overload", _overload, context)
    report.attempt("crash", _crash, context)


def _ruby(context, part):
    settings = {"host": context.proxy.host, "port": context.proxy.port, "db": DB, "part": part,
                "base_s": BASE_S}
    done = subprocess.run([shutil.which("ruby"), str(SCRIPT), json.dumps(settings)],
                          capture_output=True, text=True, timeout=90, check=False,
                          env={"HOME": str(context.home), "PATH": "/usr/bin:/bin",
                               "LC_ALL": "C.UTF-8"})
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            check = json.loads(line)
            context.report.check(check["name"], check["passed"], check["detail"])
    context.report.check(f"the script ran to its end ({part})", done.returncode == 0,
                         done.stderr[-600:] if done.returncode else "")


def _overload(context):
    with context.server.overloaded(DB):
        _ruby(context, "overload")


def _crash(context):
    """The default settings try again for ever: begun before the server is there, it ends well."""
    writer = threading.Thread(target=_ruby, args=(context, "crash"))
    with context.outage():
        writer.start()
        writer.join(1.5)
        context.report.check("a write to a dead server waits", writer.is_alive())
    writer.join(60)
    got = rows(context.api.query("SELECT v FROM crash", DB))
    context.report.equal("and is there when the server is", [row["v"] for row in got], [1])
