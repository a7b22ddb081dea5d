"""What a learned run costs, said before it starts, and bounded by `--budget`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasksieve.cli.messages import say
from tasksieve.errors import UserError
from tasksieve.records.config import RunConfig
from tasksieve.records.run_folder import RunFolder

if TYPE_CHECKING:
    from tasksieve.training.runs.cost import Budget

_MUCH, _LONG = 3, 60.0
"""What a learned run may cost, in runs of `multitask` and in seconds, before it is said how to bound it."""


def cost_first(
    config: RunConfig, methods: Iterable[str], begun: Iterable[Path], started: bool, budget: str | None
) -> dict[str, Any]:
    """Time a few iterations, say what a run of `learned` costs, and bound it.

    Runs that were begun go on as they were, without a look at the clock.

    Args:
        config: of the training.
        methods: that are to run; nothing is said where `learned` is not among them.
        begun: folders of learned runs that may have been begun.
        started: whether anything was trained there before.
        budget: as it was given.
    Returns: the settings that keep a learned run within the budget, ``section.key`` to value.
    Raises: UserError: if the budget cannot be met, or bounds nothing; or if there is none, and one bounds the runs
        that were begun.
    """
    from tasksieve.records.comparison import LEARNED
    from tasksieve.training.methods import method_named
    from tasksieve.training.runs.cost import Budget, bounded_settings, cost_of, timed, within
    from tasksieve.training.runs.settled import settled

    bound = None if budget is None else Budget.of(budget)
    if LEARNED not in methods:
        if bound is not None:
            raise UserError("--budget bounds runs of learned, and there are none here; leave it out")
        return {}
    before = next((RunFolder(path) for path in begun if RunFolder(path).begun), None)
    if before is not None:
        return _as_begun(config, before, bound)
    if started and bound is None:
        return {}
    method_named(LEARNED).require(related=bool(config.data.related), labels=config.data.labels is not None)
    config = settled(config)
    seconds = timed(config)
    if seconds is None:
        return {}
    cost = cost_of(config, seconds)
    say(f"cost: {cost.sentence}")
    if bound is None:
        if cost.times > _MUCH and cost.learned > _LONG:
            say(f"--budget {_MUCH}x or 5m bounds each run of learned, by fewer trials and updates")
        return {}
    found = within(config, bound, seconds)
    given, now = bounded_settings(config), bounded_settings(found)
    changes = {name: value for name, value in now.items() if value != given[name]}
    if changes:
        say(f"--budget {bound.text}: {_named(changes)}; {cost_of(found, seconds).times:.1f} times")
    return changes


def _as_begun(config: RunConfig, before: RunFolder, bound: Budget | None) -> dict[str, Any]:
    """What a budget changes, as it is in a run that was begun."""
    from tasksieve.training.runs.cost import bounded_settings
    from tasksieve.training.runs.settled import settled

    begun = bounded_settings(before.read_config())
    if bound is not None:
        say(
            f"--budget {bound.text} is not looked at: runs of learned were begun here with {_named(begun)}, and "
            "keep to that; choose another --out for another budget"
        )
        return begun
    now = bounded_settings(settled(config))
    others = {name: value for name, value in begun.items() if value != now[name]}
    if others:
        what = f"runs of learned were begun with {_named(others)}, as --budget sets it"
        raise UserError(f"{what}; give --budget again, or choose another --out", before.path)
    return {}


def _named(settings: dict[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in settings.items())
