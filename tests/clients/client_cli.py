"""The `influx` command line of Debian's influxdb-client: -import, INSERT, SELECT, SHOW."""

import csv
import gzip
import io
import json
import random
import shutil
import subprocess

from context import BASE_S, BIG

NAME = "influx-cli"
LAYER = "influx-cli"
POINTS = 100_000
HOSTS = 50


def run(context):
    """All checks of the command line."""
    report = context.report
    report.attempt("import", _import, context)
    report.attempt("show", _show, context)
    report.attempt("select", _select, context)
    report.attempt("insert", _insert, context)
    report.attempt("errors", _errors, context)


def _influx(context, *arguments, stdin=None):
    command = [shutil.which("influx"), "-host", context.proxy.host, "-port",
               str(context.proxy.port), *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120,
                          env={"HOME": str(context.home), "PATH": "/usr/bin:/bin"}, check=False)


def _json(context, db, statement):
    done = _influx(context, "-database", db, "-execute", statement, "-format", "json",
                   "-precision", "ns")
    return _series(done.stdout)


def _series(text):
    """All series of the output: one JSON document per chunk the server sent."""
    series, decoder, i = [], json.JSONDecoder(), 0
    while i < len(text):
        answer, end = decoder.raw_decode(text, i)
        for result in answer["results"]:
            series += result.get("series", [])
        i = end + len(text[end:]) - len(text[end:].lstrip())
    return series


def _column(series, name):
    return [values[entry["columns"].index(name)]
            for entry in series for values in entry["values"]]


def _dump(path, points, db, policy):
    """A file as `influx_inspect export` makes them, with what people add by hand."""
    rng = random.Random(20_231_114)
    with (gzip.open if path.suffix == ".gz" else open)(path, "wt", encoding="utf-8") as out:
        out.write("# DDL\n")
        out.write(f"CREATE DATABASE {db}\n")
        out.write(f"CREATE RETENTION POLICY {policy} ON {db} DURATION 0s REPLICATION 1\n")
        out.write(f"# DML\n# CONTEXT-DATABASE: {db}\n# CONTEXT-RETENTION-POLICY: {policy}\n")
        for i in range(points):
            out.write(_dump_line(rng, i))
            if i % 9_973 == 0:
                out.write("\n# a remark between points\n\n")


def _dump_line(rng, i):
    host = f"host\\ {i % HOSTS}"
    time_ns = (BASE_S + i // HOSTS) * 1_000_000_000 + rng.randrange(1_000)
    if i % 4 == 3:
        text = rng.choice(("up", "say \\\"hi\\\", a=b", "C:\\\\dir", "漢é", ""))
        return f'events,host={host} text="{text}",ok={rng.choice("tfTF")} {time_ns}\n'
    if i % 4 == 2:
        return f"disk\\,io,host={host},dev=sda\\=1 reads={BIG + i}i,writes={-i}i {time_ns}\n"
    return (f"cpu,dc=a,host={host} user={rng.random()!r},system={rng.uniform(-1e9, 1e-9)!r},"
            f"load={rng.choice((1e21, -2.5e-7, 0, 42.0))} {time_ns}\n")


def _import(context):
    report = context.report
    plain = context.home / "dump.txt"
    _dump(plain, POINTS, "imported", "autogen")
    done = _influx(context, "-import", f"-path={plain}", "-precision=ns")
    text = done.stdout + done.stderr
    report.check("-import exits 0", done.returncode == 0, f"exit {done.returncode}")
    report.check(f"-import says it stored {POINTS} points",
                 f"Processed {POINTS} inserts" in text and "Failed 0 inserts" in text,
                 " | ".join(line[-60:] for line in text.splitlines()[-4:]))
    packed = context.home / "dump.gz"
    _dump(packed, 1_000, "packed", "kept")
    done = _influx(context, "-import", f"-path={packed}", "-compressed", "-precision=ns")
    text = done.stdout + done.stderr
    report.check("-import -compressed into a second policy",
                 "Processed 1000 inserts" in text and "Failed 0 inserts" in text)


def _show(context):
    report = context.report
    names = _column(_json(context, "", "SHOW DATABASES"), "name")
    report.check("SHOW DATABASES", {"imported", "packed"} <= set(names), ", ".join(names))
    report.equal("SHOW MEASUREMENTS",
                 _column(_json(context, "imported", "SHOW MEASUREMENTS"), "name"),
                 ["cpu", "disk,io", "events"])
    keys = {entry["name"]: _column([entry], "tagKey")
            for entry in _json(context, "imported", "SHOW TAG KEYS")}
    report.equal("SHOW TAG KEYS", keys,
                 {"cpu": ["dc", "host"], "disk,io": ["dev", "host"], "events": ["host"]})
    fields = {entry["name"]: {tuple(row) for row in entry["values"]}
              for entry in _json(context, "imported", "SHOW FIELD KEYS")}
    report.equal("SHOW FIELD KEYS", fields, {
        "cpu": {("load", "float"), ("system", "float"), ("user", "float")},
        "disk,io": {("reads", "integer"), ("writes", "integer")},
        "events": {("ok", "boolean"), ("text", "string")}})
    # SHOW SERIES prints keys as they are stored, still escaped.
    want = {_dump_line(random.Random(0), i).split(" ")[0] for i in ()}
    for i in range(HOSTS * 4):
        line = _dump_line(random.Random(0), i)
        want.add(line[:line.index(" ", line.index("host\\ ") + 6)])
    got = _column(_json(context, "imported", "SHOW SERIES"), "key")
    report.equal("SHOW SERIES", sorted(got), sorted(_sorted_tags(key) for key in want))
    values = _json(context, "imported", 'SHOW TAG VALUES FROM cpu WITH KEY = "dc"')
    report.equal("SHOW TAG VALUES", _column(values, "value"), ["a"])


def _sorted_tags(key):
    """disk\\,io has an escaped comma in its name; its tags are written out of order."""
    if not key.startswith("disk"):
        return key
    name, host, dev = key.rsplit(",", 2)
    return f"{name},{dev},{host}"


def _select(context):
    report = context.report
    want = [(point_time, reads) for point_time, reads in _reads_of_host(2)]
    series = _json(context, "imported",
                   'SELECT reads FROM "disk,io" WHERE host = \'host 2\' LIMIT 20')
    got = [tuple(row) for entry in series for row in entry["values"]]
    report.equal("SELECT in JSON keeps every digit of an integer", got, want[:20])
    done = _influx(context, "-database", "imported", "-format", "csv", "-precision", "ns",
                   "-execute", 'SELECT reads FROM "disk,io" WHERE host = \'host 2\' LIMIT 20')
    table = list(csv.DictReader(io.StringIO(done.stdout)))
    report.equal("SELECT in CSV", [(int(row["time"]), int(row["reads"])) for row in table],
                 want[:20])
    done = _influx(context, "-database", "imported", "-precision", "rfc3339",
                   "-execute", 'SELECT reads FROM "disk,io" WHERE host = \'host 2\' LIMIT 1')
    report.check("SELECT as columns with RFC 3339 times",
                 str(want[0][1]) in done.stdout and "2023-11-14T22:00:00.000000" in done.stdout)
    series = _json(context, "imported", 'SELECT * FROM "disk,io"')
    report.equal("SELECT of a whole measurement through chunks",
                 sum(len(entry["values"]) for entry in series), POINTS // 4)


def _reads_of_host(host):
    """What _dump wrote for one host of disk,io: its random numbers drawn again."""
    rng = random.Random(20_231_114)
    for i in range(POINTS):
        line = _dump_line(rng, i)
        if i % HOSTS == host and line.startswith("disk"):
            reads, time_ns = line.split("reads=")[1].split("i,")[0], line.rsplit(" ", 1)[1]
            yield int(time_ns), int(reads)


def _insert(context):
    report = context.report
    for statement in ("CREATE DATABASE typed",
                      "CREATE RETENTION POLICY week ON typed DURATION 0s REPLICATION 1"):
        _influx(context, "-execute", statement)
    before, output = len(context.proxy.writes()), ""
    for line in (
            'typed,host=a value=-1.5e-3,n=9007199254740993i,s="a \\"b\\", c",b=true '
            f"{BASE_S}000000001",
            f'INTO week typed,host=b value=2,s="two\\\\ {{}}" {BASE_S}000000002',
            "clock,host=a value=3"):
        done = _influx(context, "-database", "typed", "-execute", f"INSERT {line}")
        output += done.stdout + done.stderr
    writes = context.proxy.writes()[before:]
    report.equal("INSERT is acknowledged", [write.status for write in writes], [204] * 3)
    report.check("INSERT sends an empty rp and a consistency",
                 writes[0].params.get("rp") == "" and "consistency" in writes[0].params,
                 writes[0].target)
    report.equal("INSERT prints no error", output.strip(), "")
    series = _json(context, "typed", "SELECT * FROM typed")
    row = dict(zip(series[0]["columns"], series[0]["values"][0]))
    report.equal("INSERT is read back", row, {
        "time": BASE_S * 10**9 + 1, "b": True, "host": "a", "n": BIG, "s": 'a "b", c',
        "value": -1.5e-3})
    series = _json(context, "typed", "SELECT * FROM week.typed")
    report.equal("INSERT INTO another policy is read back",
                 _column(series, "s"), ["two\\ {}"])


def _errors(context):
    report = context.report
    done = _influx(context, "-database", "imported", "-execute", "SELEKT 1")
    report.check("a syntax error is shown",
                 "error parsing query: found SELEKT" in done.stdout + done.stderr)
    done = _influx(context, "-database", "nowhere", "-execute", "SELECT * FROM cpu")
    report.check("a missing database is shown",
                 "database not found: nowhere" in done.stdout + done.stderr)
