"""Rasa's stories as the dialogs that they stand for: joined at checkpoints, one for each alternative of an ``or``."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.yaml_nodes import Node

MOST_JOINED = 1000
"""Dialogs that the checkpoints of a file make; what would be more is named."""
MOST_STEPS = 100_000
"""Of all of these, their alternatives among them."""
MOST_PARTS = 100
"""Parts of stories in one dialog."""
MOST_ALTERNATIVES = 32
"""Dialogs that the ``or`` steps of one story make; those that would be more are counted."""
CHECKPOINT, OR = "checkpoint", "or"
_NO_END, _NO_START = "checkpoint that no story ends with", "checkpoint that no story starts with"
_MORE_JOINED = f"stories joined at checkpoints after the first {MOST_JOINED:,} dialogs or {MOST_STEPS:,} steps"
_MORE_ALTERNATIVES = f"dialog of an 'or' step after the first {MOST_ALTERNATIVES}"


@dataclass(frozen=True, slots=True)
class Part:
    """A story, or what of it is before, between or after checkpoints.

    Attributes:
        story: that it is of.
        steps: without checkpoints.
        starts, ends: the checkpoints that it starts and ends with.
    """

    story: Node
    steps: tuple[Node, ...]
    starts: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()


class Stories:
    """Joins the stories of one file.

    Args:
        journal: of the file; told which checkpoints lead nowhere, and what is beyond the bounds.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._parts: list[Part] = []

    def add(self, story: Node, steps: Sequence[Node]) -> Iterator[tuple[Part, ...]]:
        """The dialog that a story without checkpoints is; others wait for :meth:`joined`."""
        parts = _parts(story, steps)
        if len(parts) == 1 and not (parts[0].starts or parts[0].ends):
            yield parts
        else:
            self._parts += parts

    def joined(self) -> Iterator[tuple[Part, ...]]:
        """Each way through the stories with checkpoints, from one that begins to one that goes no further."""
        starting: dict[str, list[int]] = {}
        for number, part in enumerate(self._parts):
            for name in part.starts:
                starting.setdefault(name, []).append(number)
        ended = {name for part in self._parts for name in part.ends}
        self._journal.lose(_NO_END, sum(name not in ended for part in self._parts for name in part.starts))
        self._journal.lose(_NO_START, sum(name not in starting for part in self._parts for name in part.ends))
        first = [number for number, part in enumerate(self._parts) if not ended & set(part.starts)]
        paths = self._from([*first, *(number for number in range(len(self._parts)) if number not in first)], starting)
        steps = 0
        for path in itertools.islice(paths, MOST_JOINED):
            joined = tuple(self._parts[number] for number in path)
            yield joined
            steps += _steps(joined)
            if steps >= MOST_STEPS:
                break
        self._journal.lose(_MORE_JOINED, int(next(paths, None) is not None))

    def _from(self, beginnings: list[int], starting: dict[str, list[int]]) -> Iterator[tuple[int, ...]]:
        """The ways from each beginning; a part that is on another's way begins none, unless none leads to it."""
        told: set[int] = set()
        for beginning in beginnings:
            if beginning in told:
                continue
            waiting: list[tuple[int, ...]] = [(beginning,)]
            while waiting:
                path = waiting.pop()
                told.add(path[-1])
                ends = self._parts[path[-1]].ends
                after = dict.fromkeys(number for name in ends for number in starting.get(name, ()))
                going_on = [(*path, number) for number in after if number not in path]
                if not going_on or len(path) >= MOST_PARTS:
                    yield path
                waiting += [] if len(path) >= MOST_PARTS else reversed(going_on)


def _steps(parts: Sequence[Part]) -> int:
    """How many steps the dialogs have that parts make with their alternatives."""
    steps = [step for part in parts for step in part.steps]
    return len(steps) * min(MOST_ALTERNATIVES, math.prod(map(len, _choices(steps))))


def _choices(steps: Sequence[Node]) -> list[Sequence[Node]]:
    return [step.entries[OR].items or [step] if step.entries.keys() == {OR} else [step] for step in steps]


def alternatives(steps: Sequence[Node], journal: Journal) -> Iterator[tuple[Node, ...]]:
    """The steps with each choice of alternatives in their ``or`` steps."""
    choices = _choices(steps)
    total = math.prod(map(len, choices))
    yield from itertools.islice(itertools.product(*choices), MOST_ALTERNATIVES)
    journal.lose(_MORE_ALTERNATIVES, max(0, total - MOST_ALTERNATIVES))


def _parts(story: Node, steps: Sequence[Node]) -> tuple[Part, ...]:
    """A story as parts; at a checkpoint in its middle one ends and the next one starts."""
    parts: list[Part] = []
    starts: list[str] = []
    kept: list[Node] = []
    ends: list[str] = []
    said = False
    for step in steps:
        name = step.entries[CHECKPOINT].text if CHECKPOINT in step.entries else None
        rest = {key: value for key, value in step.entries.items() if name is None or key != CHECKPOINT}
        if name is None and ends:
            parts.append(Part(story, tuple(kept), tuple(starts), tuple(ends)))
            starts, ends, kept = ends, [], []
        if name is not None:
            (ends if said else starts).append(name)
        said = said or name is None
        if rest or name is None:
            kept.append(step if name is None else Node(rest, step.line))
    return (*parts, Part(story, tuple(kept), tuple(starts), tuple(ends)))
