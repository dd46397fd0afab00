"""A small line-protocol reader, written apart from the engine's so that the two can disagree.

It reads bodies a server has acknowledged, so it never has to explain what is wrong with
a line: what it cannot read raises `ValueError` and the check that asked fails.
"""

import re
from dataclasses import dataclass

# Nanoseconds of one unit, for every precision name of /write and /api/v2/write.
UNITS_NS = {
    "": 1, "n": 1, "ns": 1, "u": 1_000, "us": 1_000, "ms": 1_000_000,
    "s": 1_000_000_000, "m": 60_000_000_000, "h": 3_600_000_000_000,
}
_BOOLEANS = {
    **dict.fromkeys(("t", "T", "true", "True", "TRUE"), True),
    **dict.fromkeys(("f", "F", "false", "False", "FALSE"), False),
}
_END_OF_NAME = re.compile(r"(?<!\\)[, ]")
_END_OF_TAG_KEY = re.compile(r"(?<!\\)=")
_ESCAPED_NAME = re.compile(r'\\([, ="])')
_ESCAPED_TAG = re.compile(r"\\([, =])")
_ESCAPED_STRING = re.compile(r'\\(["\\])')
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


@dataclass(frozen=True)
class Point:
    """One line: `fields` maps a key to (type, value); `time_ns` is None if the line has none."""

    measurement: str
    tags: tuple
    fields: dict
    time_ns: int | None


def parse_body(body, precision=""):
    """All points of a body (bytes, already inflated), in order."""
    text = body.decode("utf-8", "surrogateescape")
    unit_ns = UNITS_NS[precision]
    return [parse_line(line, unit_ns) for line in split_lines(text)]


def split_lines(text):
    """Lines without blanks and comments; a quoted string value may hold newlines."""
    if '"' not in text and "\\" not in text:
        raw = text.split("\n")
    else:
        raw = _split_quoted(text)
    lines = (line.lstrip(" \t\0") for line in raw)
    return [line for line in lines if line and not line.startswith("#")]


def _split_quoted(text):
    lines, start, i = [], 0, 0
    quoted = in_fields = False
    equals = commas = 0
    while i < len(text):
        c = text[i]
        if c == "\\" and i + 2 < len(text):
            i += 2
            continue
        if c == " ":
            in_fields = True
        if in_fields and not quoted and c == "=":
            equals += 1
        elif in_fields and not quoted and c == ",":
            commas += 1
        elif in_fields and c == '"' and equals > commas:
            quoted = not quoted
        elif c == "\n" and not quoted:
            lines.append(text[start:i])
            start = i + 1
            in_fields, equals, commas = False, 0, 0
        i += 1
    lines.append(text[start:])
    return lines


def parse_line(line, unit_ns=1):
    """The point a line stands for."""
    end = _find(_END_OF_NAME, line, 0)
    measurement = _ESCAPED_NAME.sub(r"\1", line[:end])
    tags = []
    while line[end] == ",":
        equals = _find(_END_OF_TAG_KEY, line, end + 1)
        value_end = _find(_END_OF_NAME, line, equals + 1)
        tags.append((_ESCAPED_TAG.sub(r"\1", line[end + 1:equals]),
                     _ESCAPED_TAG.sub(r"\1", line[equals + 1:value_end])))
        end = value_end
    fields, rest = _parse_fields(line, end)
    time_ns = int(rest) * unit_ns if rest else None
    return Point(measurement, tuple(sorted(tags)), fields, time_ns)


def _parse_fields(line, start):
    """The fields that begin at or after `start`, and the text after them."""
    while line[start] in " \t\0":
        start += 1
    fields = {}
    while True:
        equals = _find(_END_OF_TAG_KEY, line, start)
        string = _STRING.match(line, equals + 1)
        match = _VALUE_END.search(line, string.end() if string else equals + 1)
        end = match.start() if match else len(line)
        key = _ESCAPED_NAME.sub(r"\1", line[start:equals])
        fields[key] = parse_value(line[equals + 1:end])
        if end < len(line) and line[end] == ",":
            start = end + 1
            continue
        return fields, line[end:].strip(" ")


_VALUE_END = re.compile(r"[, ]")


def parse_value(text):
    """(type, value) of a field value as SHOW FIELD KEYS names the type."""
    if text.startswith('"'):
        return "string", _ESCAPED_STRING.sub(r"\1", text[1:-1])
    if text in _BOOLEANS:
        return "boolean", _BOOLEANS[text]
    if text.endswith("i"):
        return "integer", int(text[:-1])
    return "float", float(text)


def _find(pattern, line, start):
    match = pattern.search(line, start)
    if match is None:
        raise ValueError(f"cannot read the line {line!r} from byte {start} on")
    return match.start()
