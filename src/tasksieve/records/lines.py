"""JSON lines, as a run adds them one by one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tasksieve.errors import UserError
from tasksieve.records.files import LARGEST_JSON, read_bytes

_LARGEST = sys.float_info.max


def read_json_lines(path: Path, **keys: type) -> list[dict[str, Any]]:
    """Read a file of records, one a line; none if there is no such file. A half-written last line is dropped.

    Args:
        path: the file.
        keys: names that every record must have, with the type of their values.
    Raises: UserError: at the first line that is not such a record, with file and line.
    """
    if not path.exists():
        return []
    data = read_bytes(path, LARGEST_JSON, "no such file")
    lines = data.split(b"\n")[:-1]
    return [_record(line, path, number, keys) for number, line in enumerate(lines, start=1) if line]


def _record(line: bytes, path: Path, number: int, keys: dict[str, type]) -> dict[str, Any]:
    try:
        record = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        raise UserError("is not a JSON record; remove this line, or train again", path, number)
    for key, kind in keys.items():
        if not _is(record.get(key), kind):
            raise UserError(f"lacks a number '{key}'; remove this line, or train again", path, number)
    return record


def _is(value: object, kind: type) -> bool:
    """Whether a value is of a kind; an integer is a number too, what a float cannot hold is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return type(value) is kind
    return (kind is float or isinstance(value, kind)) and -_LARGEST <= value <= _LARGEST
