"""The section on what was borrowed, from whom and when."""

from __future__ import annotations

import polars as pl

from tasksieve.report import formatting as show
from tasksieve.report.blocks import Block, Cell, Section, TableBlock
from tasksieve.report.drawing import picture
from tasksieve.report.service_figures import weights_by_service
from tasksieve.report.services import Service, Services, services

_READING = (
    "Each row is a related task, the one borrowed from most at the end first; a column is a moment of training, "
    "and the stronger the colour of a field, the more was borrowed then."
)
_LABEL = "A map of mean weights by related task over iterations; its numbers at the end are in the table below"


def service_sections(weights: pl.DataFrame, examples: pl.DataFrame) -> list[Section]:
    """The section; none where there is one related task.

    Args:
        weights: columns example, step, weight: all recorded snapshots.
        examples: columns example, kind, task; tasks by name.
    """
    found = services(weights, examples)
    if not found.each:
        return []
    few = services(weights, examples, moments=9)
    drawn = picture(lambda narrow: weights_by_service(few if narrow else found, narrow), "services", _LABEL)
    blocks: tuple[Block, ...] = (drawn, _table(found), _kinds(found))
    return [Section("services", "What was borrowed, from whom, when", _READING, blocks)]


def _table(found: Services) -> TableBlock:
    head = ("related task", "examples", *(f"at {show.whole(found.steps[place])}" for place in _places(found)))
    rows = tuple(
        (
            Cell(show.one_line(one.name, 60)),
            Cell(show.whole(one.examples)),
            *(_weight(one.means[place]) for place in _places(found)),
        )
        for one in found.each
    )
    return TableBlock(head, rows, heading="Mean weight of the turns of each related task, by iteration")


def _places(found: Services) -> list[int]:
    """The first moment, one in the middle, the last."""
    last = len(found.steps) - 1
    return sorted({0, (last + 1) // 2, last})


def _kinds(found: Services) -> TableBlock:
    head = ("related task", *(show.one_line(kind, 40) for kind in found.kinds))
    rows = tuple((Cell(show.one_line(one.name, 60)), *_of_kinds(one)) for one in found.each)
    step = show.whole(found.steps[-1])
    return TableBlock(head, rows, heading=f"The same by kind of turn, at iteration {step}")


def _of_kinds(one: Service) -> list[Cell]:
    return [_weight(mean) for mean in one.kinds]


def _weight(mean: float | None) -> Cell:
    return Cell(show.number(mean, 2), tint=0.0 if mean is None or mean < 0.005 else mean)
