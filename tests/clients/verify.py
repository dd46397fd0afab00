"""The generic check: every acknowledged line is read back equal, and nothing else is there."""

from collections import defaultdict
from dataclasses import dataclass, field

from api import QueryError, identifier, rows
from lineproto import UNITS_NS, parse_body

PROBLEMS_MAX = 5


@dataclass
class Outcome:
    """What was compared; `problems` is empty if all of it was equal."""

    lines: int = 0
    points: int = 0
    values: int = 0
    refused: int = 0
    problems: list = field(default_factory=list)

    def problem(self, text):
        """Keep the first few in words."""
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(text)

    def summary(self):
        """One line for the report."""
        text = f"{self.lines} lines, {self.points} points, {self.values} values"
        return text if not self.problems else text + ": " + "; ".join(self.problems)


class Expected:
    """What acknowledged requests say one measurement must hold."""

    def __init__(self):
        self.points = {}   # (tags, time_ns) -> {field: (type, value)}
        # (tags, request) -> (fields, earliest_ns, latest_ns): the server's clock decided, and
        # gave all lines of a request the same time.
        self.undated = {}

    def add(self, point, exchange, unit_ns):
        """Later lines win, field by field."""
        if point.time_ns is None:
            earliest_ns = exchange.started_ns // unit_ns * unit_ns
            entry = ({}, earliest_ns, exchange.ended_ns)
            self.undated.setdefault((point.tags, id(exchange)), entry)[0].update(point.fields)
        else:
            self.points.setdefault((point.tags, point.time_ns), {}).update(point.fields)


def verify(api, exchanges):
    """Compare the acknowledged writes among `exchanges` with what `api` reads back."""
    outcome = Outcome()
    expected, dirty = _expectations(exchanges, outcome)
    default_policies = {}
    merged = defaultdict(dict)
    for (db, policy, measurement), wanted in expected.items():
        if not policy:
            if db not in default_policies:
                default_policies[db] = _default_policy(api, db)
            policy = default_policies[db]
        key = (db, policy, measurement)
        if key in merged:
            _merge(merged[key], wanted)
        else:
            merged[key] = wanted
    for (db, policy, measurement), wanted in merged.items():
        try:
            _compare(api, db, policy, measurement, wanted, db in dirty, outcome)
        except QueryError as error:
            outcome.problem(f"{db}.{policy}.{measurement}: {error}")
    return outcome


def _expectations(exchanges, outcome):
    """Expected contents by (db, policy as written, measurement); databases with refusals."""
    expected, dirty = defaultdict(Expected), set()
    for exchange in exchanges:
        db, policy = exchange.destination()
        if exchange.status != 204:
            outcome.refused += 1
            dirty.add(db)  # a partial write may have stored some of its lines
            continue
        precision = exchange.params.get("precision", "")
        for point in parse_body(exchange.lines(), precision):
            outcome.lines += 1
            expected[db, policy, point.measurement].add(point, exchange, UNITS_NS[precision])
    return expected, dirty


def _merge(into, other):
    for key, fields in other.points.items():
        into.points.setdefault(key, {}).update(fields)
    into.undated.update(other.undated)


def _default_policy(api, db):
    for row in rows(api.query(f"SHOW RETENTION POLICIES ON {identifier(db)}")):
        if row["default"]:
            return row["name"]
    raise QueryError(f"{db} has no default retention policy")


def _compare(api, db, policy, measurement, wanted, dirty, outcome):
    where = f"{identifier(policy)}.{identifier(measurement)}"
    stored = _stored(api.query(f"SELECT * FROM {where} GROUP BY *", db))
    types = defaultdict(set)
    for row in rows(api.query(f"SHOW FIELD KEYS FROM {where}", db)):
        types[row["fieldKey"]].add(row["fieldType"])
    for key, fields in wanted.points.items():
        _compare_point(measurement, key, fields, stored.pop(key, {}), types, outcome)
    taken = {}
    # The last first: of two requests within one unit of the clock it is the one that shows.
    for (tags, _), (fields, earliest_ns, latest_ns) in reversed(wanted.undated.items()):
        key = _undated_key(stored, tags, fields, earliest_ns, latest_ns)
        if key is None and _undated_key(taken, tags, fields, earliest_ns, latest_ns):
            continue
        taken[key] = stored.pop(key, {})
        _compare_point(measurement, key or (tags, None), fields, taken[key], types, outcome)
    if stored and not dirty:
        outcome.problem(f"{len(stored)} points of {measurement} nobody wrote, one is "
                        f"{next(iter(stored.items()))!r}")


def _stored(series):
    """{(tags, time_ns): {field: value}} of a SELECT * ... GROUP BY *."""
    stored = {}
    for entry in series:
        tags = tuple(sorted((k, v) for k, v in entry.get("tags", {}).items() if v != ""))
        names = entry["columns"][1:]
        for values in entry["values"]:
            fields = {name: v for name, v in zip(names, values[1:]) if v is not None}
            stored[tags, values[0]] = fields
    return stored


def _undated_key(stored, tags, fields, earliest_ns, latest_ns):
    for key, values in stored.items():
        if key and key[0] == tags and earliest_ns <= key[1] <= latest_ns and values.keys() == fields.keys():
            return key
    return None


def _compare_point(measurement, key, wanted, got, types, outcome):
    outcome.points += 1
    for name, (kind, value) in wanted.items():
        outcome.values += 1
        if name not in got:
            outcome.problem(f"{measurement} {key!r}: field {name!r} is missing")
        elif not _same(kind, value, got[name]):
            outcome.problem(f"{measurement} {key!r}: {name!r} is {got[name]!r}, wrote {value!r}")
        elif kind not in types[name]:
            outcome.problem(f"{measurement}: {name!r} is {types[name]}, wrote {kind}")
    extra = got.keys() - wanted.keys()
    if extra:
        outcome.problem(f"{measurement} {key!r}: fields nobody wrote: {sorted(extra)}")


def _same(kind, wanted, got):
    if kind == "float":
        # JSON does not tell 1 from 1.0; repr tells -0.0 from 0.0 and is exact otherwise.
        return type(got) in (int, float) and repr(float(got)) == repr(wanted)
    return type(got) is type(wanted) and got == wanted
