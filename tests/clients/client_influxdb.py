"""PyPI `influxdb` 5.3.2, the 1.x client of most Python programs."""

import importlib.metadata
from datetime import datetime, timezone

from context import BASE_S, BIG, FLOATS, INT_MAX, INT_MIN, NASTY

NAME = "influxdb-py"
LAYER = "python-clients"
UNITS = {"n": 10**9, "u": 10**6, "ms": 10**3, "s": 1}


def run(context):
    """Every group twice over: with plain and with gzip bodies."""
    report = context.report
    report.equal("version", importlib.metadata.version("influxdb"), "5.3.2")
    for gzip in (False, True):
        db = "py_gzip" if gzip else "py_plain"
        client = _client(context, db, gzip)
        word = "gzip" if gzip else "plain"
        report.attempt(f"{word} admin", _admin, report, client, db, word)
        for group in (_values, _precisions, _policies, _batches, _queries, _empty):
            report.attempt(f"{word} {group.__name__}", group, report, client, word)
        client.close()
    report.attempt("errors", _errors, context)


def _client(context, db, gzip=False):
    from influxdb import InfluxDBClient
    return InfluxDBClient(context.proxy.host, context.proxy.port, "root", "root", db, gzip=gzip,
                          timeout=30, retries=1)


def _admin(report, client, db, word):
    report.check(f"{word} ping returns a version", bool(client.ping()), client.ping())
    client.create_database(db)
    client.create_database(db)
    names = [entry["name"] for entry in client.get_list_database()]
    report.equal(f"{word} create_database twice is listed once", names.count(db), 1)


def _points(client, statement, **options):
    return list(client.query(statement, epoch="ns", **options).get_points())


def _values(report, client, word):
    fields = [{"f": value} for value in FLOATS]
    fields += [{"i": value} for value in (0, -1, BIG, -BIG, INT_MAX, INT_MIN)]
    fields += [{"s": value} for value in (NASTY, "", "\\", '"', " ", "a,b=c d", "{}", "ünï")]
    fields += [{"b": value} for value in (True, False)]
    body = [{"measurement": "values, all", "tags": {"kind name": "x y,z=é", "n": i},
             "time": BASE_S * 10**9 + i, "fields": field} for i, field in enumerate(fields)]
    report.check(f"{word} write_points", client.write_points(body))
    got = _points(client, 'SELECT * FROM "values, all"')
    wrong = [(row, field) for row, field in zip(got, fields, strict=True)
             if row[next(iter(field))] != next(iter(field.values()))]
    report.check(f"{word} floats, integers beyond 2^53, strings, booleans come back equal",
                 not wrong, repr(wrong[:2]) if wrong else f"{len(got)} values")
    report.equal(f"{word} tags come back equal", got[0]["kind name"], "x y,z=é")
    line = f'newline,host=a s="first\nsecond \\"quoted\\"\n",v=1i {BASE_S}000000000'
    client.write_points([line], protocol="line")
    report.equal(f"{word} a newline inside a string",
                 _points(client, "SELECT s FROM newline")[0]["s"], 'first\nsecond "quoted"\n')


def _precisions(report, client, word):
    for unit, per_second in UNITS.items():
        body = [{"measurement": f"precision_{unit}", "time": BASE_S * per_second + 1,
                 "fields": {"v": 1}}]
        client.write_points(body, time_precision=unit)
        report.equal(f"{word} time_precision {unit}",
                     _points(client, f"SELECT v FROM precision_{unit}")[0]["time"],
                     (BASE_S * per_second + 1) * (10**9 // per_second))
    for unit, seconds in (("m", 60), ("h", 3600)):
        client.write_points([f"precision_{unit} v=1i {BASE_S // seconds}"], protocol="line",
                            time_precision=unit)
        report.equal(f"{word} time_precision {unit}",
                     _points(client, f"SELECT v FROM precision_{unit}")[0]["time"],
                     BASE_S // seconds * seconds * 10**9)
    moment = datetime(2023, 11, 14, 22, 0, 0, 123456, timezone.utc)
    client.write_points([{"measurement": "dated", "time": moment, "fields": {"v": 2.0}}])
    rows = list(client.query("SELECT v FROM dated").get_points())
    report.equal(f"{word} a datetime is read back in RFC 3339", rows[0]["time"],
                 "2023-11-14T22:00:00.123456Z")


def _policies(report, client, word):
    client.create_retention_policy("two_weeks", "INF", "1", default=False,
                                   shard_duration="14d")
    policies = {row["name"]: row for row in client.get_list_retention_policies()}
    report.check(f"{word} create_retention_policy is listed",
                 policies["two_weeks"]["shardGroupDuration"] == "336h0m0s"
                 and policies["autogen"]["default"] and not policies["two_weeks"]["default"])
    body = [{"measurement": "kept", "time": BASE_S, "fields": {"v": 1}}]
    client.write_points(body, retention_policy="two_weeks", time_precision="s",
                        tags={"site": "north"})
    report.equal(f"{word} a point in a named policy", _points(
        client, "SELECT v, site FROM two_weeks.kept"), [
            {"time": BASE_S * 10**9, "v": 1, "site": "north"}])
    report.equal(f"{word} the default policy does not have it",
                 _points(client, "SELECT v FROM kept"), [])
    client.request("write", method="POST", expected_response_code=204,
                   params={"db": client._database, "rp": "", "precision": "s"},
                   data=f"blank_policy v=1i {BASE_S}".encode())
    report.equal(f"{word} an empty rp is the default policy", _points(
        client, "SELECT v FROM autogen.blank_policy"), [{"time": BASE_S * 10**9, "v": 1}])


def _batches(report, client, word):
    body = [{"measurement": "batch", "tags": {"host": f"h{i % 10}"}, "time": BASE_S * 1000 + i,
             "fields": {"v": i * 0.1, "n": i}} for i in range(2_000)]
    client.write_points(body, time_precision="ms", batch_size=300)
    got = _points(client, "SELECT n, v FROM batch")
    report.equal(f"{word} batch_size=300 loses nothing", [row["n"] for row in got],
                 list(range(2_000)))
    report.check(f"{word} every float is the one written",
                 all(row["v"] == row["n"] * 0.1 for row in got))
    # The client reads chunks in JSON only, though it asks for MessagePack by default.
    client._headers["Accept"] = "application/json"
    chunks = client.query("SELECT n FROM batch", epoch="ns", chunked=True, chunk_size=100)
    client._headers["Accept"] = "application/x-msgpack"
    report.equal(f"{word} a chunked query has every point", sorted(
        row["n"] for chunk in _flat(chunks) for row in chunk.get_points()), list(range(2_000)))


def _flat(chunks):
    """The client gives one result, or one a chunk, in generators or lists."""
    if hasattr(chunks, "get_points"):
        return [chunks]
    return [part for chunk in chunks for part in _flat(chunk)]


def _queries(report, client, word):
    names = [row["name"] for row in client.get_list_measurements()]
    report.check(f"{word} get_list_measurements", {"values, all", "batch", "dated"} <= set(names))
    series = client.get_list_series(measurement="batch")
    report.equal(f"{word} get_list_series", series, [f"batch,host=h{i}" for i in range(10)])
    bound = _points(client, "SELECT n FROM batch WHERE host = $host AND n < $most",
                    bind_params={"host": "h3", "most": 30})
    report.equal(f"{word} bind_params", [row["n"] for row in bound], [3, 13, 23])
    result = client.query("SELECT n FROM batch GROUP BY host LIMIT 1", epoch="ns")
    report.equal(f"{word} tags of a GROUP BY",
                 [tags["host"] for (_, tags), _ in result.items()], [f"h{i}" for i in range(10)])
    several = client.query("SELECT n FROM batch LIMIT 1; SHOW DATABASES")
    report.equal(f"{word} two statements give two results", len(several), 2)
    timed = _points(client, f"SELECT n FROM batch WHERE time >= {BASE_S * 1000 + 5}ms"
                            f" AND time < {BASE_S * 1000 + 8}ms")
    report.equal(f"{word} a time range", [row["n"] for row in timed], [5, 6, 7])


def _empty(report, client, word):
    report.check(f"{word} write_points([]) succeeds", client.write_points([]))


def _errors(context):
    from influxdb.exceptions import InfluxDBClientError
    report = context.report
    client = _client(context, "py_errors")
    client.create_database("py_errors")
    client.write_points([{"measurement": "m", "time": 1, "fields": {"v": 1.5}}])

    def code_and_text(name, call, code, text):
        try:
            call()
        except InfluxDBClientError as error:
            report.check(name, error.code == code and text in str(error), str(error).strip())
        else:
            report.check(name, False, "no error was raised")

    text = {"measurement": "m", "time": 1, "fields": {"v": "x"}}
    code_and_text("a type conflict is a 400", lambda: client.write_points([text]),
                  400, "field type conflict")
    code_and_text("a missing database is a 404",
                  lambda: client.write_points(["m v=1"], database="nowhere", protocol="line"),
                  404, "database not found")
    code_and_text("a line without fields is a 400",
                  lambda: client.write_points(["m,host=a"], protocol="line"),
                  400, "unable to parse")
    code_and_text("a syntax error is a 400", lambda: client.query("SELECT FROM"), 400,
                  "error parsing query")
    client.create_database("py_dropped")
    client.drop_database("py_dropped")
    names = [entry["name"] for entry in client.get_list_database()]
    report.check("drop_database", "py_dropped" not in names)
    client.close()
