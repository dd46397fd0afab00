"""The two npm clients. Their checks are Node scripts that print one JSON object per check."""

import json
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent


class _NodeClient:
    """A script of this folder as a client module."""

    LAYER = "js-clients"

    def __init__(self, name, script):
        self.NAME = name
        self._script = HERE / script

    def run(self, context):
        """Run the script and pass its checks on; its exit code is one more."""
        settings = {"url": context.proxy.url, "host": context.proxy.host,
                    "port": context.proxy.port, "hasV2": context.has_v2}
        done = subprocess.run(
            [shutil.which("node"), str(self._script), json.dumps(settings)],
            capture_output=True, text=True, timeout=90, check=False)
        for line in done.stdout.splitlines():
            if not line.startswith("{"):
                continue  # a client may log to the console
            check = json.loads(line)
            if check.get("skipped"):
                context.report.skip(check["name"], check["detail"])
            else:
                context.report.check(check["name"], check["passed"], check.get("detail", ""))
        context.report.check("the script ran to its end", done.returncode == 0,
                             "" if done.returncode == 0 else done.stderr[-600:])


INFLUX = _NodeClient("influx-js", "npm_influx.mjs")
INFLUXDB_CLIENT = _NodeClient("influxdb-client-js", "npm_influxdb_client.mjs")
