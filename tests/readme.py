#!/usr/bin/env python3
"""Run the quick start of the README as a newcomer would, against what `make run` serves."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
# What each command must print, in order: of the quick start, and of a server that knows users.
EXPECTED = [
    (
        {},
        [
            r'^\{"results":\[\{"statement_id":0\}\]\}\n$',
            r"(?is)^HTTP/1\.1 204 No Content\r\n.*x-tidegate-ack: durable\r\n",
            r'"columns":\["time","line","on","temp"\],"values":\[\["[^"]+Z","a",true,71\.5\]\]',
            r'"lines":\[\{"line":2,"column":13,"fate":"unparsed","reason":"invalid boolean"\}\]\}\n$',
        ],
    ),
    (
        {"TIDEGATE_HTTP_AUTH_ENABLED": "true"},
        [
            r'^\{"results":\[\{"statement_id":0\}\]\}\n$',
            r'^\{"results":\[\{"statement_id":0\},\{"statement_id":1\}\]\}\n$',
            r"(?is)^HTTP/1\.1 204 No Content\r\n",
        ],
    ),
]


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, server):
    """Return when the server accepts connections."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit("`make run` did not come to listen")


def serve(data, environment, commands):
    """Serve, run the commands, compare."""
    port = free_port()
    # The server is built already: `-o build` keeps make from doing it again.
    run = ["make", "-s", "-o", "build", "run", f"HTTP=127.0.0.1:{port}", f"DATA={data}/data"]
    variables = {**os.environ, **environment}
    server = subprocess.Popen(run, cwd=ROOT, start_new_session=True, env=variables)
    try:
        wait_for(port, server)
        for command, expected in commands:
            shell = ["bash", "-c", command.replace("localhost:8086", f"127.0.0.1:{port}")]
            got = subprocess.run(shell, capture_output=True, check=True, timeout=30)
            text = got.stdout.decode()
            if not re.search(expected, text):
                sys.exit(f"{command}\nprinted\n{text}\ninstead of {expected}")
            print(f"ok   {command}")
    finally:
        # The group that was started here, and nothing else. Not by kill(1): procps 4.0.2
        # reads `kill -TERM -1234` as -1 and ends every process of the user.
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.send_signal(signal.SIGKILL)


def main():
    """Run every curl of the README."""
    commands = re.findall(r"^curl .*$", README, re.MULTILINE)
    count = sum(len(expected) for _, expected in EXPECTED)
    is_known = all(f"{name}={value} " in README for of, _ in EXPECTED for name, value in of.items())
    if len(commands) != count or not is_known or "\nmake run\n" not in README:
        sys.exit("the commands of the README changed; tell tests/readme.py what they print")
    rest = iter(commands)
    with tempfile.TemporaryDirectory() as data:
        for environment, expected in EXPECTED:
            serve(data, environment, [(next(rest), one) for one in expected])
    print(f"{count} passed, 0 failed")


if __name__ == "__main__":
    main()
