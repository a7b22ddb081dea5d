"""A run's dialogs as they are read: who reads each task, by what names, and how actions are worded."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tasksieve.dialogs import Dialog
from tasksieve.encoding import Names, Reader, Reading, names_of, responses_of, slots_of
from tasksieve.encoding.wordings import Wordings, wordings_of
from tasksieve.records.config import RunConfig
from tasksieve.records.left_out import LeftOut
from tasksieve.records.measures import RANKING
from tasksieve.records.said_once import SAID_ONCE
from tasksieve.training.runs.lacking import left_out_of
from tasksieve.training.runs.measured import measure_of
from tasksieve.training.runs.memo import readings_of
from tasksieve.training.runs.read_files import ReadFiles, data_files, read_files

PRIMARY_HEAD, RELATED_HEAD = "primary", "related"
_WORDINGS = 3
"""Related dialogs that show how to word an action which the primary task does not show."""
_log = logging.getLogger("tasksieve")


@dataclass(frozen=True, slots=True)
class TaskReadings:
    """A run's dialogs as they were read: each task's reader with its readings, and what selects a model.

    The primary task's training dialogs come first, then its validation dialogs, then the related tasks. Wordings are
    those of actions, if these are predicted; turns without one are counted for each file.
    """

    tasks: list[tuple[Reader, list[Reading]]]
    measure: str
    wordings: Wordings
    left_out: tuple[LeftOut, ...] = ()


def read_dialog_files(config: RunConfig) -> TaskReadings:
    """Read a run's dialogs.

    Raises: UserError: if a file cannot be read or holds too few dialogs.
    """
    read = read_files(config.data)
    measure = measure_of(config, read)
    tasks = read_tasks(config, read, measure)
    worded = _wordings(read, tasks) if read.prediction.what == "actions" else Wordings()
    return TaskReadings(tasks, measure, worded, left_out_of(config.data, read))


def _wordings(read: ReadFiles, tasks: list[tuple[Reader, list[Reading]]]) -> Wordings:
    """The primary task's wordings of its actions, and of each other action those of a few related dialogs."""
    (reader, own), (_, valid), *related = tasks
    known = set(responses_of(own, valid))
    wanted: Counter[str] = Counter()
    worded = []
    for dialogs, (other, readings) in zip(read.related, related, strict=True):
        chosen = []
        for dialog, reading in zip(dialogs, readings, strict=True):
            new = {turn.action for turn in reading.learned} - known
            if any(wanted[action] < _WORDINGS for action in new):
                wanted.update(new)
                chosen.append(dialog)
        worded.append(replace(other, slots=reader.slots).read(chosen))
    return wordings_of([*own, *valid], *worded)


def read_tasks(config: RunConfig, read: ReadFiles, measure: str) -> list[tuple[Reader, list[Reading]]]:
    """The training dialogs of the primary task, its validation dialogs, and those of each related task, as read.

    Where actions are predicted or responses are ranked, names and values in related dialogs are left as they are:
    nobody asks for them. Where responses are ranked, all else is as it was written too.
    """
    predict, written = read.prediction.what, measure == RANKING
    asked = predict == "responses" and not written
    named = _names(config, [*read.primary, *read.valid], read.related if asked else [])
    named += (None,) * (1 + len(read.related) - len(named))
    slots = slots_of(read.primary, read.valid, *(read.related if asked else ()), reserved=gaps_of(named))
    acts = config.data.slot_acts
    readers = [
        Reader(config.model.facts, names, predict, acts, slots if asked or number == 0 else None, written)
        for number, names in enumerate(named)
    ]
    parts = [(readers[0], read.primary), (readers[0], read.valid), *zip(readers[1:], read.related, strict=True)]
    return [(reader, readings_of(reader, dialogs)) for reader, dialogs in parts]


def _names(
    config: RunConfig, primary: Sequence[Dialog], related: Sequence[Sequence[Dialog]]
) -> tuple[Names | None, ...]:
    """The names of the primary task, then of each related one; they are also told in the log."""
    if config.model.entities == "names":
        return (None,) * (1 + len(related))
    found = names_of(primary, *related)
    called = data_files(config.data).services if related else []
    for names, task in zip(found, [PRIMARY_HEAD, *called], strict=True):
        if names.fields or names.refused:
            _log.info("%s: %s", task, names.sentence(), extra=SAID_ONCE)
    return found


def gaps_of(named: Sequence[Names | None]) -> frozenset[str]:
    """All placeholders that stand for what an entity has."""
    return frozenset[str]().union(*(names.gaps() for names in named if names is not None))


def related_head(number: int) -> str:
    """The name of a related task's head, counted from 0."""
    return f"related-{number + 1}"
