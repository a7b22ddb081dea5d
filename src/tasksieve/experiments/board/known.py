"""Runs of the board that an earlier record has: they need not be done again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasksieve.errors import UserError
from tasksieve.experiments.board.rows import BoardRun, Cell
from tasksieve.records.files import read_json

Known = Mapping[tuple[Cell, str, int], BoardRun]
"""What runs reached, by cell, method and seed. How each test dialog went is not among it."""


def known_runs(path: Path, settings: Mapping[str, Any]) -> Known:
    """The runs of an ``archive.json``.

    Args:
        path: of the record.
        settings: of the board that they are to stand in, as its own record has them.
    Raises: UserError: if the file is no such record, or its runs had other settings or another archive.
    """
    record = read_json(path)
    try:
        theirs = record["settings"]
        found = {
            (Cell(row["predict"], row["archive"], row["primary"], row["size"]), row["method"], one["seed"]): BoardRun(
                seed=one["seed"],
                test=one["test"],
                valid=one["valid"],
                seconds=one["seconds"],
                dialogs=row["dialogs"],
                weights=one.get("weights", {}),
            )
            for row in record["rows"]
            for one in row["seeds"]
        }
        _same(path, "archive", theirs["sources"], settings["sources"])
        _same(path, "settings", _flat(theirs["config"]), _flat(settings["config"]))
    except (KeyError, TypeError, AttributeError):
        raise UserError("is no record of a board; give an archive.json, or leave out --known", path) from None
    return found


def _same(path: Path, what: str, theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> None:
    other = [key for key in {**theirs, **ours} if theirs.get(key) != ours.get(key)]
    if other:
        key = other[0]
        raise UserError(
            f"has runs of other {what}: {key} is {_said(theirs.get(key))} there and {_said(ours.get(key))} here; "
            "give the same ones, or leave out --known",
            path,
        )


def _said(value: Any) -> str:
    return "missing" if value is None else str(value)[:80]


def _flat(config: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Settings by ``section.key``, without those that differ from run to run."""
    return {
        f"{section}.{key}": value
        for section, values in config.items()
        for key, value in values.items()
        if (section, key) not in (("training", "method"), ("training", "seed"))
    }
