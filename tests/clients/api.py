"""The plain HTTP reads of the checks: no client library stands between them and the server."""

import http.client
import json
from urllib.parse import urlencode


class QueryError(Exception):
    """The server refused a statement; the text is its own."""


class Api:
    """`/query` of one server, optionally with Basic credentials in the URL."""

    def __init__(self, host, port, user="", password=""):
        self._host, self._port = host, port
        self._credentials = {"u": user, "p": password} if user else {}

    def query(self, statement, db="", method="GET"):
        """The series of the only statement, with times in ns and integers exact."""
        status, body = self.raw(statement, db, method)
        answer = json.loads(body, parse_int=_integer)
        if "error" in answer:
            raise QueryError(f"{status} {answer['error']}")
        result = answer["results"][0]
        if "error" in result:
            raise QueryError(result["error"])
        return result.get("series", [])

    def raw(self, statement, db="", method="GET"):
        """(status, body bytes) of one statement."""
        params = {"q": statement, "epoch": "ns", **self._credentials}
        if db:
            params["db"] = db
        return self.send(method, "/query?" + urlencode(params))

    def send(self, method, target, body=None):
        """(status, body bytes) of any request."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=60)
        try:
            connection.request(method, target, body=body)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


def rows(series):
    """Every row of every series as a dictionary, tags included."""
    return [{**entry.get("tags", {}), **dict(zip(entry["columns"], values))}
            for entry in series for values in entry.get("values", [])]


def column(series, name):
    """One column of all series, in order."""
    return [row[name] for row in rows(series)]


def identifier(name):
    """A double-quoted InfluxQL identifier."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _integer(text):
    # JSON shows the double -0 as `-0`, which Python would read as the integer 0.
    return -0.0 if text == "-0" else int(text)
