"""The Perl encoder of Debian's libinfluxdb-lineprotocol-perl, its lines posted by HTTP::Tiny.

It makes lines and sends none, so what becomes of a refused batch is the script's affair.
"""

import json
import shutil
import subprocess
from pathlib import Path

from api import rows
from context import BASE_S

NAME = "lineprotocol-perl"
LAYER = "perl-client"
DB = "pearls"
SCRIPT = Path(__file__).resolve().parent / "perl_lineprotocol.pl"
COUNT = 2000


def run(context):
    """Nasty names and values, then a batch."""
    report = context.report
    context.api.query(f"CREATE DATABASE {DB}", method="POST")
    done = subprocess.run(
        [shutil.which("perl"), str(SCRIPT), f"{context.proxy.url}/write?db={DB}&precision=ms",
         str(BASE_S * 1000), str(COUNT)], capture_output=True, text=True, timeout=60, check=False,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"})
    report.check("the script ran to its end", done.returncode == 0,
                 done.stderr[-300:] if done.returncode else "")
    said = json.loads(done.stdout)
    report.check("version", bool(said["version"]), said["version"])
    report.equal("every request is acknowledged", said["statuses"], [204] * 3)
    got = rows(context.api.query('SELECT * FROM "cpu, load" GROUP BY *', DB))
    report.equal("one value of each type, with escapes in every name", got, [{
        "ho st": "a b,c=d", "e=x": "é 漢", "time": BASE_S * 10**9, "float": -1.5e-7,
        "int": 9007199254740993, "min": -(2**63), "yes": True, "no": False,
        "te,xt k": 'say "hi", a=b \\ c'}])
    got = [(row["time"], row["v"]) for row in rows(context.api.query(
        "SELECT v FROM many", DB))]
    report.equal(f"{COUNT} points in one request", got,
                 [((BASE_S * 1000 + i) * 10**6, i) for i in range(COUNT)])
    got = rows(context.api.query("SELECT * FROM plain", DB))
    report.equal("a single value", [(row["value"], row["time"]) for row in got],
                 [(3.25, BASE_S * 10**9)])
