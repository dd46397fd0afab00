"""What every client module is handed."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from api import Api
from proxy import Proxy
from report import Section
from server import Server

# One text with everything that has ever been escaped wrongly, but for newlines: some clients
# write those as backslash and n.
NASTY = 'say "hi", a=b \\ c\\n, tab\there, comma, é 漢 \U0001f980 \'q\' #x'
# Beyond 2^53, where a client that goes through doubles loses the last digit.
BIG = 9_007_199_254_740_993
INT_MIN, INT_MAX = -(2**63), 2**63 - 1
FLOATS = [-1.5, 0.0, 1e-300, -2.5e-7, 1.7976931348623157e308, 5e-324, 1e21, 123456789.123456789,
          0.1]
# 2023-11-14T22:13:20Z, a whole number of hours would be 22:00; every unit is exact from here.
BASE_S = 1_699_999_200


@dataclass
class Context:
    """One client's surroundings: its own proxy, and a way round it for control reads."""

    proxy: Proxy
    api: Api
    report: Section
    home: Path
    server: Server

    @property
    def has_v2(self):
        """Whether the server itself has /api/v2/write."""
        return self.server.has_v2

    @contextlib.contextmanager
    def outage(self):
        """Meanwhile the server is dead, as after a crash, and connections are refused."""
        self.proxy.close()
        self.server.kill()
        try:
            yield
        finally:
            self.server.start()
            self.proxy.listen()
