"""PyPI `influxdb-client` 1.50.0: the 2.x client on 1.x's bridge, /api/v2/write.

It queries in Flux only, which is no part of 1.x, so what it wrote is read back by /query.
"""

import importlib.metadata
from datetime import datetime, timezone

from api import rows
from context import BASE_S, BIG, FLOATS, INT_MAX, INT_MIN, NASTY

NAME = "influxdb-client-py"
LAYER = "python-clients"


def run(context):
    """Plain and gzip, single and batching writes."""
    report = context.report
    report.equal("version", importlib.metadata.version("influxdb-client"), "1.50.0")
    for gzip in (False, True):
        db = "v2py_gzip" if gzip else "v2py_plain"
        word = "gzip" if gzip else "plain"
        context.api.query(f"CREATE DATABASE {db}", method="POST")
        context.api.query(f"CREATE RETENTION POLICY other ON {db} DURATION 0s REPLICATION 1",
                          method="POST")
        with _client(context, gzip) as client:
            for group in (_values, _shapes, _empty, _precisions, _batching):
                report.attempt(f"{word} {group.__name__}", group, context, client, db, word)
    report.attempt("status", _status, context)
    report.attempt("errors", _errors, context)


def _client(context, gzip=False):
    from influxdb_client import InfluxDBClient
    return InfluxDBClient(url=context.proxy.url, token="someone:secret", org="-",
                          enable_gzip=gzip, timeout=30_000)


def _writer(client):
    from influxdb_client.client.write_api import SYNCHRONOUS
    return client.write_api(write_options=SYNCHRONOUS)


def _values(context, client, db, word):
    from influxdb_client import Point
    texts = [NASTY, "", "\\", '"', "two\nlines", "a,b=c d"]
    fields = [("f", value) for value in FLOATS]
    fields += [("i", value) for value in (0, -1, BIG, -BIG, INT_MAX, INT_MIN)]
    fields += [("s", value) for value in texts] + [("b", True), ("b", False)]
    points = [Point("values, all").tag("kind name", "x y,z=é").tag("n", i).field(name, value)
              .time(BASE_S * 10**9 + i) for i, (name, value) in enumerate(fields)]
    _writer(client).write(bucket=f"{db}/autogen", record=points)
    got = rows(context.api.query('SELECT * FROM "values, all"', db))
    wrong = [(row, field) for row, field in zip(got, fields, strict=True)
             if row[field[0]] != field[1]]
    context.report.check(
        f"{word} floats, integers beyond 2^53, strings with newlines, booleans come back equal",
        not wrong, repr(wrong[:2]) if wrong else f"{len(got)} values")
    context.report.equal(f"{word} tags come back equal", got[0]["kind name"], "x y,z=é")


def _shapes(context, client, db, word):
    from influxdb_client import Point
    writer = _writer(client)
    writer.write(bucket=f"{db}/other", record=f"shape,of=line v=1i {BASE_S}000000001")
    writer.write(bucket=f"{db}/other", record=f"shape,of=bytes v=2i {BASE_S}000000002".encode())
    writer.write(bucket=f"{db}/other", record={
        "measurement": "shape", "tags": {"of": "dict"}, "fields": {"v": 3},
        "time": BASE_S * 10**9 + 3})
    writer.write(bucket=f"{db}/other", record=[
        f"shape,of=list v=4i {BASE_S}000000004",
        Point("shape").tag("of", "point").field("v", 5).time(BASE_S * 10**9 + 5)])
    got = rows(context.api.query("SELECT * FROM other.shape", db))
    context.report.equal(f"{word} line, bytes, dict and list in bucket db/rp",
                         [(row["of"], row["v"]) for row in got],
                         [("line", 1), ("bytes", 2), ("dict", 3), ("list", 4), ("point", 5)])
    writer.write(bucket=db, record=f"bare v=1i {BASE_S}000000000")
    context.report.equal(f"{word} a bucket without a policy is the default one",
                         len(rows(context.api.query("SELECT v FROM autogen.bare", db))), 1)


def _empty(context, client, db, word):
    """Home Assistant tries its connection so, and takes an answer of 204 or 400 as success."""
    from influxdb_client.rest import ApiException
    try:
        _writer(client).write(bucket=db, record=b"")
        status = 204
    except ApiException as error:
        status = error.status
    # The client announces gzip here without sending a byte of it: 1.x answers 400 "EOF".
    want = (204,) if word == "plain" else (204, 400)
    context.report.check(f"{word} an empty body", status in want, str(status))


def _precisions(context, client, db, word):
    from influxdb_client import Point, WritePrecision
    moment = datetime(2023, 11, 14, 22, 0, 0, 123456, timezone.utc)
    writer = _writer(client)
    for unit, unit_ns in ((WritePrecision.NS, 1), (WritePrecision.US, 10**3),
                          (WritePrecision.MS, 10**6), (WritePrecision.S, 10**9)):
        writer.write(bucket=db, write_precision=unit,
                     record=Point(f"precision_{unit}").field("v", 1).time(moment, unit))
        want = (BASE_S * 10**9 + 123_456_000) // unit_ns * unit_ns
        got = rows(context.api.query(f"SELECT v FROM precision_{unit}", db))
        context.report.equal(f"{word} precision {unit}", got[0]["time"], want)


def _batching(context, client, db, word):
    from influxdb_client import WriteOptions
    failures = []
    with client.write_api(write_options=WriteOptions(batch_size=250, flush_interval=200),
                          error_callback=lambda *call: failures.append(call)) as writer:
        for i in range(2_000):
            writer.write(bucket=f"{db}/autogen", record=f"batch v={i}i {BASE_S * 10**9 + i}")
    got = [row["v"] for row in rows(context.api.query("SELECT v FROM batch", db))]
    context.report.check(f"{word} the background writer loses nothing",
                         got == list(range(2_000)) and not failures,
                         f"{len(got)} points, {len(failures)} failed batches")


def _status(context):
    with _client(context) as client:
        context.report.check("ping", client.ping())
        if not context.has_v2:
            context.report.skip("health", "this server has no /health")
            return
        health = client.health()
        context.report.equal("health passes", health.status, "pass")


def _errors(context):
    from influxdb_client.rest import ApiException
    report = context.report
    with _client(context) as client:
        for name, bucket, line, code, text in (
                ("a bucket of no database is a 404", "nowhere/autogen", "m v=1", 404,
                 "database not found"),
                ("a bad line is a 400", "v2py_plain/autogen", "m,host=a", 400, "unable to parse")):
            try:
                _writer(client).write(bucket=bucket, record=line)
            except ApiException as error:
                report.check(name, error.status == code and text in str(error.body),
                             f"{error.status} {error.body}".strip())
            else:
                report.check(name, False, "no error was raised")
