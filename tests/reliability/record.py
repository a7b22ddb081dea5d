"""The record of the long runs, ``results/reliability.json``, from which ``docs/reliability.md`` is written."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

DEFAULT = Path("results/reliability.json")


def machine() -> dict[str, str]:
    """What a run was made with."""
    return {"python": platform.python_version(), "torch": version("torch"), "system": platform.system()}


def read(path: Path) -> dict[str, Any]:
    """The record so far."""
    return dict(json.loads(path.read_text())) if path.exists() else {}


def update(path: Path, **parts: Any) -> None:
    """Put parts into the record; the others stay."""
    path.write_text(json.dumps({**read(path), **parts}, indent=2, ensure_ascii=False, sort_keys=True) + "\n")


def merged(before: list[dict[str, Any]], rows: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """Rows of a run, and after them those of earlier ones that it has not come to."""
    new = {row[key] for row in rows}
    return [*rows, *(row for row in before if row[key] not in new)]
