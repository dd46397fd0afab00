#!/usr/bin/env python3
"""Runs unmodified InfluxDB clients against a server and checks what they wrote.

    python3 tests/clients/run.py --binary target/release/tidegate [--only NAME]
    python3 tests/clients/run.py --server influxd          the same against the packaged InfluxDB

Every client talks through a recording proxy of its own. After its own checks each line that
was acknowledged is read back and compared, once from the running server and once more
after the server was killed and started again. tests/setup.sh installs the clients.
"""

import argparse
import os
import sys
import tempfile
import threading
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
TESTS = HERE.parent
VENV_PYTHON = TESTS / ".venv" / "bin" / "python"
SKIPPED_LAYERS = TESTS / ".venv" / "skipped-layers"

# The Python clients live in the virtual environment: begin again there.
if VENV_PYTHON.exists() and Path(sys.prefix).resolve() != (TESTS / ".venv").resolve():
    os.execv(VENV_PYTHON, [str(VENV_PYTHON), str(Path(__file__).resolve()), *sys.argv[1:]])

import client_auth  # noqa: E402
import client_cli  # noqa: E402
import client_collectd  # noqa: E402
import client_glances  # noqa: E402
import client_icinga2  # noqa: E402
import client_influxdb  # noqa: E402
import client_influxdb_client  # noqa: E402
import client_npm  # noqa: E402
import client_pcp  # noqa: E402
import client_perl  # noqa: E402
import client_ruby  # noqa: E402
import test_harness  # noqa: E402
from api import Api  # noqa: E402
from context import Context  # noqa: E402
from proxy import Proxy  # noqa: E402
from report import Report  # noqa: E402
from server import Server  # noqa: E402
from verify import verify  # noqa: E402

# Each group has a server of its own, so that groups may run side by side.
GROUPS = [
    [client_glances],
    [client_auth],
    [client_cli, client_influxdb, client_influxdb_client, client_npm.INFLUX,
     client_npm.INFLUXDB_CLIENT],
    [client_icinga2],
    [client_pcp, client_collectd, client_ruby, client_perl],
]
# These try what happens when the server is overloaded.
NARROW = [client_icinga2, client_pcp, client_collectd, client_ruby, client_perl]
NAMES = [client.NAME for group in GROUPS for client in group]


def main():
    """Parse the flags, run every group, close the report."""
    options = _options()
    report = Report()
    test_harness.add_to(report)
    skipped = _skipped_layers()
    threads = []
    for group in GROUPS:
        chosen = [client for client in group if not options.only or client.NAME in options.only]
        for client in [client for client in chosen if client.LAYER in skipped]:
            report.add("skip", client.NAME, "all checks", skipped[client.LAYER])
            chosen.remove(client)
        if chosen:
            threads.append(threading.Thread(target=_run_group, args=(options, report, chosen)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return report.close()


def _options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", choices=("tidegate", "influxd"), default="tidegate",
                        help="what kind of server the binary is")
    parser.add_argument("--binary", help="the server's program")
    parser.add_argument("--only", action="append", choices=NAMES, help="one client (repeatable)")
    options = parser.parse_args()
    if options.binary is None:
        options.binary = {"tidegate": TESTS.parent / "target" / "release" / "tidegate",
                          "influxd": "/usr/bin/influxd"}[options.server]
    if not os.access(options.binary, os.X_OK):
        parser.error(f"{options.binary} is not a program; build it, or name one with --binary")
    return options


def _skipped_layers():
    """What tests/setup.sh could not install here: {layer: reason}."""
    if not SKIPPED_LAYERS.exists():
        sys.exit("run tests/setup.sh first: it installs the clients")
    lines = SKIPPED_LAYERS.read_text("utf-8").splitlines()
    return dict(line.split(": ", 1) for line in lines if ": " in line)


def _run_group(options, report, clients):
    """One server, its clients in turn; nothing raised here may end the run silently."""
    section = report.section("+".join(client.NAME for client in clients))
    section.attempt("server", _serve, options, report, section, clients)


def _serve(options, report, section, clients):
    auth = client_auth in clients
    narrow = any(client in NARROW for client in clients)
    server = Server(options.server, options.binary, auth, narrow)
    proxies = []
    try:
        server.start()
        api = (client_auth.control if auth else Api)(server.host, server.port)
        for client in clients:
            proxy = Proxy(server, adapt_v2=not server.has_v2)
            proxies.append((client, proxy))
            with tempfile.TemporaryDirectory(prefix="tidegate-client-") as home:
                context = Context(proxy, api, report.section(client.NAME), Path(home),
                                  server)
                context.report.attempt("client", client.run, context)
            _verify(context.report, api, proxy, "read back equal")
        server.kill()
        server.start()
        for client, proxy in proxies:
            _verify(report.section(client.NAME), api, proxy, "read back equal after a kill")
        code = server.stop()
        section.check("SIGTERM ends the server with exit code 0", code == 0, f"exit {code}")
    finally:
        for _, proxy in proxies:
            proxy.close()
        server.close()


def _verify(report, api, proxy, name):
    def compare():
        outcome = verify(api, proxy.writes())
        report.check(f"every acknowledged line is {name}",
                     outcome.lines > 0 and not outcome.problems, outcome.summary())
    report.attempt(name, compare)


if __name__ == "__main__":
    sys.exit(main())
