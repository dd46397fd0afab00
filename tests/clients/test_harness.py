"""The checks of the checker: the line reader, and that verify() notices what it must.

They run first in every run of run.py, and alone with `python3 -m unittest` in this folder.
"""

import gzip
import unittest

from lineproto import parse_body, parse_line, split_lines
from proxy import Exchange
from verify import verify

SECOND_NS = 1_000_000_000


class Lines(unittest.TestCase):
    """What the engine's parser and this one must both make of a line."""

    def test_escapes_in_every_part_are_undone(self):
        point = parse_line(r'c\,p\ u,ho\ st=a\,b\=c,z=\n f\,1=1i,s="x\"y\\z, =" 7')
        self.assertEqual(point.measurement, "c,p u")
        self.assertEqual(point.tags, (("ho st", "a,b=c"), ("z", r"\n")))
        self.assertEqual(point.fields, {"f,1": ("integer", 1), "s": ("string", r'x"y\z, =')})
        self.assertEqual(point.time_ns, 7)

    def test_each_type_is_told_apart(self):
        point = parse_line('m a=-1.5e-3,b=3,c=-9223372036854775808i,d=F,e="",f=True')
        self.assertEqual(point.fields, {
            "a": ("float", -1.5e-3), "b": ("float", 3.0), "c": ("integer", -2**63),
            "d": ("boolean", False), "e": ("string", ""), "f": ("boolean", True)})
        self.assertIsNone(point.time_ns)

    def test_a_string_may_hold_newlines_and_a_comment_is_no_line(self):
        text = '\n# a remark\n m s="a\nb, c=\\"\n",v=1 1\n\nn v=2 2\n'
        self.assertEqual(split_lines(text), ['m s="a\nb, c=\\"\n",v=1 1', "n v=2 2"])

    def test_a_precision_scales_the_time(self):
        self.assertEqual(parse_body(b"m v=1 -2", "ms")[0].time_ns, -2_000_000)

    def test_what_is_no_line_is_refused(self):
        for line in ("m", "m,host=a", "m v"):
            with self.assertRaises(ValueError):
                parse_line(line)


class FakeServer:
    """Answers the statements of verify() with one measurement's content."""

    def __init__(self, rows, types):
        self.rows, self.types = rows, types

    def query(self, statement, db=""):
        """The three statements verify() makes."""
        if statement.startswith("SHOW RETENTION"):
            return [{"columns": ["name", "default"], "values": [["autogen", True]]}]
        if statement.startswith("SHOW FIELD"):
            return [{"columns": ["fieldKey", "fieldType"], "values": self.types}]
        return [{"name": "m", "tags": {"host": "a", "dc": ""}, "columns": ["time", "v", "s"],
                 "values": self.rows}]


def _exchange(body, status=204, headers=None, at_ns=5 * SECOND_NS, target="/write?db=d"):
    return Exchange("POST", target, headers or {}, body, status, b"", at_ns, at_ns + 10)


class Verifying(unittest.TestCase):
    """A server that keeps its word passes; every way to break it is named."""

    TYPES = [["v", "float"], ["s", "string"]]
    BODY = b'm,host=a v=1.5,s="x" 1\nm,host=a v=2 2\n'
    GOOD = [[1, 1.5, "x"], [2, 2, None]]

    def outcome(self, rows, types=None, exchanges=None):
        server = FakeServer(rows, types or self.TYPES)
        return verify(server, exchanges or [_exchange(self.BODY)])

    def assert_problem(self, outcome, text):
        self.assertIn(text, " ".join(outcome.problems))

    def test_equal_content_has_no_problem(self):
        outcome = self.outcome(self.GOOD)
        self.assertEqual((outcome.problems, outcome.lines, outcome.points, outcome.values),
                         ([], 2, 2, 3))

    def test_a_gzip_body_is_read(self):
        packed = _exchange(gzip.compress(self.BODY), headers={"content-encoding": "gzip"})
        self.assertEqual(self.outcome(self.GOOD, exchanges=[packed]).lines, 2)

    def test_a_lost_point_is_noticed(self):
        self.assert_problem(self.outcome(self.GOOD[:1]), "is missing")

    def test_a_lost_field_is_noticed(self):
        self.assert_problem(self.outcome([[1, 1.5, None], [2, 2, None]]), "'s' is missing")

    def test_a_changed_value_is_noticed(self):
        self.assert_problem(self.outcome([[1, 1.5000000000000002, "x"], [2, 2, None]]), "wrote 1.5")

    def test_a_changed_time_is_noticed(self):
        self.assert_problem(self.outcome([[1, 1.5, "x"], [3, 2, None]]), "nobody wrote")

    def test_an_invented_point_is_noticed(self):
        self.assert_problem(self.outcome([*self.GOOD, [9, 1, None]]), "1 points of m nobody wrote")

    def test_an_invented_field_is_noticed(self):
        self.assert_problem(self.outcome([[1, 1.5, "x"], [2, 2, "y"]]), "fields nobody wrote")

    def test_a_changed_type_is_noticed(self):
        types = [["v", "integer"], ["s", "string"]]
        self.assert_problem(self.outcome(self.GOOD, types), "wrote float")

    def test_the_last_of_two_equal_points_counts(self):
        writes = [_exchange(b"m,host=a v=1 1"), _exchange(self.BODY)]
        self.assertEqual(self.outcome(self.GOOD, exchanges=writes).problems, [])

    def test_a_refused_request_asks_for_nothing(self):
        writes = [_exchange(self.BODY), _exchange(b"m,host=a v=9 9", status=400)]
        outcome = self.outcome(self.GOOD, exchanges=writes)
        self.assertEqual((outcome.problems, outcome.refused), ([], 1))

    def test_a_point_without_a_time_lies_within_its_request(self):
        writes = [_exchange(b"m,host=a v=2", target="/write?db=d&precision=s")]
        self.assertEqual(self.outcome([[5 * SECOND_NS, 2, None]], exchanges=writes).problems, [])
        self.assert_problem(self.outcome([[4 * SECOND_NS, 2, None]], exchanges=writes), "missing")

    def test_the_later_of_two_points_within_one_unit_of_the_clock_counts(self):
        target = "/write?db=d&precision=s"
        writes = [_exchange(b"m,host=a v=1", target=target),
                  _exchange(b"m,host=a v=2", target=target, at_ns=5 * SECOND_NS + 100)]
        self.assertEqual(self.outcome([[5 * SECOND_NS, 2, None]], exchanges=writes).problems, [])
        self.assert_problem(self.outcome([[5 * SECOND_NS, 1, None]], exchanges=writes), "wrote 2")
        writes[1] = _exchange(b"m,host=a v=2", target=target, at_ns=7 * SECOND_NS)
        self.assert_problem(self.outcome([[7 * SECOND_NS, 2, None]], exchanges=writes), "missing")

    def test_a_v2_bucket_names_database_and_policy(self):
        write = _exchange(b"", target="/api/v2/write?org=-&bucket=d%2Fweek&precision=ns")
        self.assertEqual(write.destination(), ("d", "week"))
        write = _exchange(b"", target="/api/v2/write?bucket=d")
        self.assertEqual(write.destination(), ("d", ""))


def add_to(report):
    """Run all of the above as checks of `report`."""
    section = report.section("harness")
    for group in (Lines, Verifying):
        for test in unittest.defaultTestLoader.loadTestsFromTestCase(group):
            result = unittest.TestResult()
            test.run(result)
            bad = result.failures + result.errors
            name = test.id().rsplit("test_", 1)[1].replace("_", " ")
            section.check(name, not bad, bad[0][1].strip().splitlines()[-1] if bad else "")
