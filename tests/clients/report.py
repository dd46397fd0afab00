"""Counts checks and prints one line for each, from several threads at once."""

import sys
import threading
import traceback


class Report:
    """All checks of a run."""

    def __init__(self, out=sys.stdout):
        self.passed = self.failed = self.skipped = 0
        self._out = out
        self._lock = threading.Lock()

    def section(self, client):
        """A reporter that puts `client` before every line."""
        return Section(self, client)

    def add(self, verdict, client, name, detail=""):
        """Count and print one check; `verdict` is 'ok', 'FAIL' or 'skip'."""
        with self._lock:
            if verdict == "ok":
                self.passed += 1
            elif verdict == "skip":
                self.skipped += 1
            else:
                self.failed += 1
            tail = f" ({detail})" if detail else ""
            print(f"{verdict:4} {client}: {name}{tail}", file=self._out, flush=True)

    def close(self):
        """Print the closing line; the exit code of the run."""
        tail = f", {self.skipped} skipped" if self.skipped else ""
        print(f"{self.passed} passed, {self.failed} failed{tail}", file=self._out, flush=True)
        return 0 if self.failed == 0 and self.passed > 0 else 1


class Section:
    """The checks of one client."""

    def __init__(self, report, client):
        self._report = report
        self._client = client

    def check(self, name, passed, detail=""):
        """One check with its verdict; the detail is shown either way."""
        self._report.add("ok" if passed else "FAIL", self._client, name, detail)
        return passed

    def equal(self, name, got, want):
        """Passes if both are equal and of one type; shows both if not."""
        same = got == want and type(got) is type(want)
        detail = "" if same else f"got {_short(got)}, want {_short(want)}"
        return self.check(name, same, detail)

    def skip(self, name, why):
        """Not run, and why."""
        self._report.add("skip", self._client, name, why)

    def attempt(self, name, function, *args):
        """Run a group of checks; an exception is one failed check, not the end of the run."""
        try:
            return function(*args)
        except Exception as error:  # whatever a client raises is a finding
            where = traceback.extract_tb(error.__traceback__)[-1]
            text = _short(f"{type(error).__name__}: {error}")
            self.check(name, False, f"{text} at {where.filename.rsplit('/', 1)[-1]}:{where.lineno}")
            return None


def _short(value):
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 600 else text[:600] + "..."
