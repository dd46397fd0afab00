"""A client that runs by itself: started without any rights, watched, ended."""

import grp
import os
import pwd
import signal
import subprocess
import time

STOP_SECONDS_MAX = 20


class Daemon:
    """A process with its log in `home`; as root, one of the user nobody, who then owns `home`."""

    def __init__(self, home, command, **environment):
        self.log_path = home / "daemon.log"
        user = _user()
        rights = {}
        if os.geteuid() == 0:
            for path in [home, *home.rglob("*")]:
                os.chown(path, user.pw_uid, user.pw_gid)
            rights = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        with open(self.log_path, "ab") as out:
            self._process = subprocess.Popen(
                command, cwd=home, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env={"HOME": str(home), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                     "LC_ALL": "C.UTF-8", **environment}, **rights)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    @staticmethod
    def user_name():
        """(user, group) it runs as."""
        user = _user()
        return user.pw_name, grp.getgrgid(user.pw_gid).gr_name

    @property
    def alive(self):
        """Whether it still runs."""
        return self._process.poll() is None

    def stop(self):
        """SIGTERM; the exit code, or None if it has to be killed."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            return None

    def log(self):
        """All it has said."""
        return self.log_path.read_text("utf-8", "replace")


def await_that(condition, seconds=20):
    """Whether `condition` came true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def _user():
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
