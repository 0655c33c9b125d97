#!/usr/bin/env python3
"""Verifies an export of `mm audit export`, from its documentation (`src/audit/mod.rs`) alone.

usage: verify.py [--csv] [--head NUMBER:HASH] < EXPORT

Prints one line for each fault and exits with 1, or prints `sound: N rows` and exits with 0.
"""

import csv
import hashlib
import io
import json
import sys

FIELDS = (
    "v number previous at kind user client token connection module run approval account tenant "
    "text text_bytes text_hash effects decision rule outcome duration_ms reason"
).split()
NOTHING_BEFORE = "0" * 64
CUT = ',"hash":"'


def from_jsonl(text):
    """Each row as (line, hash): the line is what is hashed."""
    for exported in text.split("\n"):
        if exported:
            line, _, rest = exported.rpartition(CUT)
            yield line + "}", rest.removesuffix('"}')


def from_csv(text):
    """As `from_jsonl`; the readable columns have to say what the line says."""
    rows = csv.DictReader(io.StringIO(text, newline=""))
    for row in rows:
        line = row["line"]
        try:
            fields = json.loads(line)
        except ValueError:
            fields = None
        if isinstance(fields, dict):
            for name in FIELDS:
                if row[name] != cell(fields.get(name)):
                    # No line has this hash, so the row is told as altered.
                    line += f" but its column {name} says {row[name]!r}"
                    break
        yield line, row["hash"]


def cell(value):
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(value)
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return str(value)


def faults(rows, head):
    expected, previous = 1, NOTHING_BEFORE
    seen_head = head is None
    count = 0
    for line, said in rows:
        count += 1
        found = hashlib.sha256(line.encode("utf-8", "surrogateescape")).hexdigest()
        try:
            fields = json.loads(line)
        except ValueError:
            fields = {}
        number = fields.get("number")
        if found != said:
            yield f"row {number}: its content is not what its hash says"
        if list(fields) != FIELDS:
            yield f"row {number}: its fields are not those of the format"
        if number != expected:
            yield f"row {expected} is missing or moved: there is row {number}"
        elif fields.get("previous") != previous:
            yield f"row {number}: it does not follow the row before it"
        if fields.get("kind") == "record_broken":
            yield f"row {number}: the record was found to be changed: {fields.get('text')}"
        if head is not None and number == head[0]:
            seen_head = said == head[1]
        expected = (number if isinstance(number, int) else expected) + 1
        previous = said
    if not seen_head:
        yield f"row {head[0]} is not the one that was noted"
    if count == 0:
        yield "there are no rows"


def main(arguments):
    head = None
    if "--head" in arguments:
        number, _, digest = arguments[arguments.index("--head") + 1].partition(":")
        head = (int(number), digest)
    text = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
    rows = list(from_csv(text) if "--csv" in arguments else from_jsonl(text))
    found = list(faults(rows, head))
    for fault in found:
        print(fault)
    if not found:
        print(f"sound: {len(rows)} rows")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
