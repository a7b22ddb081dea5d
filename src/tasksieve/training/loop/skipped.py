"""How many meta-updates of a run were left out, as their gradient was not finite."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

_log = logging.getLogger("tasksieve")


def meta_updates_of(lines: Iterable[Mapping[str, Any]], count: Callable[[range], int]) -> dict[str, int]:
    """What ``result.json`` has of a run's meta-updates; nothing where there were none.

    Args:
        lines: the metrics of all validations: ``step``, and the share that was left out since the one before.
        count: how many meta-updates these iterations, numbered from 0, have.
    """
    done = skipped = before = 0
    for line in lines:
        number = count(range(before, line["step"]))
        done += number
        skipped += round(number * (line.get("meta_updates_skipped") or 0.0))
        before = line["step"]
    return {"meta_updates": done, "meta_updates_skipped": skipped} if done else {}


def warn_of_skipped(result: Mapping[str, Any], path: Path) -> None:
    """Warn where more than half of a run's meta-updates were left out: its weights were hardly learned."""
    done, skipped = result.get("meta_updates", 0), result.get("meta_updates_skipped", 0)
    if 2 * skipped > done:
        say = (
            "%s: %d of %d meta-updates were skipped, as their gradient was not finite, so the weights were hardly "
            "learned; lower meta.weight_lr, meta.inner_lr or the step sizes, or look at the model's losses"
        )
        _log.warning(say, path, skipped, done)
