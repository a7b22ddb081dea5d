"""What the screening of a run found: the effect of each group of related turns, the most helpful first."""

from __future__ import annotations

from typing import Any

from tasksieve.errors import UserError
from tasksieve.report import formatting as show
from tasksieve.report.blocks import Block, Cell, Note, Section, TableBlock
from tasksieve.report.reading import Run
from tasksieve.report.sections import describe

_FULL_TINT = 3.0  # ratio of an effect to its standard error at which the colour is deepest
_HEAD = ("related turns such as", "turns", "effect", "95 % interval", "chance that they help")


def screening_sections(run: Run | None) -> list[Section]:
    """The section, or none if the run was not screened."""
    if run is None or not run.folder.has_record("screening"):
        return []
    try:
        record = run.folder.read_record("screening", "groups", "error", "quantile", "trials")
        blocks: tuple[Block, ...] = (_table(record), Note(f"Run shown: {describe(run)}."))
    except (UserError, KeyError, TypeError, ValueError) as error:
        return [Section("screening", "What short trainings said", "", (Note(f"It cannot be shown: {error}"),))]
    reading = (
        f"Before the run, {show.whole(record['trials'])} short trainings were made, each with half of the groups of "
        "related turns. The effect is how much more probable the right responses of the validation dialogs were, in "
        "hundredths, in the trainings with the group than in those without. The chance became the weight that the "
        "turns began with: where the interval holds 0 the trainings do not tell whether the group helps, and a "
        "chance between 0.03 and 0.97 says no more."
    )
    return [Section("screening", "What short trainings said", reading, blocks)]


def _table(record: dict[str, Any]) -> TableBlock:
    half = float(record["quantile"]) * float(record["error"])
    groups = sorted(record["groups"], key=lambda group: -float(group["effect"]))
    return TableBlock(_HEAD, tuple(_row(group, half, float(record["error"])) for group in groups))


def _row(group: dict[str, Any], half: float, error: float) -> tuple[Cell, ...]:
    effect = float(group["effect"])
    ratio = effect / error / _FULL_TINT if error else 0.0
    return (
        Cell(show.one_line(group["response"], 60)),
        Cell(show.whole(group["examples"])),
        Cell(show.signed(effect), tint=max(-1.0, min(1.0, ratio))),
        Cell(show.interval((effect - half, effect + half))),
        Cell(show.number(float(group["chance"]), 2)),
    )
