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
# What each command of the quick start must print, in order.
EXPECTED = [
    r'^\{"results":\[\{"statement_id":0\}\]\}\n$',
    r"(?is)^HTTP/1\.1 204 No Content\r\n.*x-tidegate-ack: durable\r\n",
    r'"columns":\["time","line","on","temp"\],"values":\[\["[^"]+Z","a",true,71\.5\]\]',
    r'"lines":\[\{"line":2,"column":13,"fate":"unparsed","reason":"invalid boolean"\}\]\}\n$',
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


def main():
    """Serve, run every curl of the README, compare."""
    commands = re.findall(r"^curl .*$", README, re.MULTILINE)
    if len(commands) != len(EXPECTED) or "\nmake run\n" not in README:
        sys.exit("the quick start of the README changed; tell tests/readme.py what it prints")
    port, passed = free_port(), 0
    with tempfile.TemporaryDirectory() as data:
        # The server is built already: `-o build` keeps make from doing it again.
        run = ["make", "-s", "-o", "build", "run", f"HTTP=127.0.0.1:{port}", f"DATA={data}/data"]
        server = subprocess.Popen(run, cwd=ROOT, start_new_session=True)
        try:
            wait_for(port, server)
            for command, expected in zip(commands, EXPECTED):
                here = command.replace("localhost:8086", f"127.0.0.1:{port}")
                shell = ["bash", "-c", here]
                got = subprocess.run(shell, capture_output=True, check=True, timeout=30)
                text = got.stdout.decode()
                if not re.search(expected, text):
                    sys.exit(f"{command}\nprinted\n{text}\ninstead of {expected}")
                print(f"ok   {command}")
                passed += 1
        finally:
            # The group that was started here, and nothing else. Not by kill(1): procps 4.0.2
            # reads `kill -TERM -1234` as -1 and ends every process of the user.
            os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.send_signal(signal.SIGKILL)
    print(f"{passed} passed, 0 failed")


if __name__ == "__main__":
    main()
