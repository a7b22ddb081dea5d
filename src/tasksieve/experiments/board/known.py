"""Runs of the board that an earlier record has: they need not be done again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasksieve.errors import UserError
from tasksieve.experiments.board.rows import BoardRun, Cell
from tasksieve.records.changed_files import changed_files
from tasksieve.records.config_differences import Settings, differences
from tasksieve.records.counts import first_few
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
        files = changed_files(theirs["sources"], settings["sources"])
        others = differences(_shared(theirs["config"]), _shared(settings["config"]))
    except (KeyError, TypeError, AttributeError):
        raise UserError("is no record of a board; give an archive.json, or leave out --known", path) from None
    if files:
        raise UserError(f"has runs of another archive: {files}; give the same one, or leave out --known", path)
    if others:
        raise UserError(f"has runs of other settings: {first_few(others)}; give the same, or leave out --known", path)
    return found


def _shared(config: Settings) -> Settings:
    """Settings without those that differ from run to run."""
    training = {key: value for key, value in config["training"].items() if key not in ("method", "seed")}
    return {**config, "training": training}
