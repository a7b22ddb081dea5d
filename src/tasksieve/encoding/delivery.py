"""Batches that are cut on the CPU and used elsewhere: neither the program nor the device waits for the other.

To cut a batch means to count: how many sentences it has, how many words these have. On a GPU the program would have
to wait for every such number, until all that it has asked for before is done. On the CPU it is at hand, while the
device is at work on the batches before.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from tasksieve.contracts import brought
from tasksieve.encoding.batch import Batch
from tasksieve.encoding.choices import Choices
from tasksieve.encoding.sentences import SentenceTable


def numbered_here(table: SentenceTable) -> SentenceTable:
    """A table's words on the CPU; in place of vectors its sentences have their numbers, which tell the vectors."""
    numbers = torch.arange(len(table), dtype=torch.float64)[:, None]
    return SentenceTable(table.words.cpu(), table.offsets.cpu(), table.vocabulary_size, numbers)


def words_here(table: SentenceTable) -> SentenceTable:
    """A table's words alone, on the CPU."""
    return SentenceTable(table.words.cpu(), table.offsets.cpu(), table.vocabulary_size)


def choices_here(choices: Choices) -> Choices:
    """The same choices on the CPU."""
    offered = None if choices.offered is None else words_here(choices.offered)
    gaps, rows = (None if part is None else part.cpu() for part in (choices.gaps, choices.rows))
    return Choices(words_here(choices.table), choices.right.cpu(), offered, gaps, rows)


def delivered(cut: Batch, table: SentenceTable, choices: Choices, entities: Choices | None) -> Batch:
    """A batch on its way to where the task lies that it was cut of.

    Args:
        cut: on the CPU, of a table by :func:`numbered_here`.
        table, choices, entities: of the task.
    """
    device = table.device
    assert cut.table.vectors is not None
    numbers = brought(cut.table.vectors[:, 0].long(), device)
    vectors, pieces = (
        None if rows is None else rows.index_select(0, numbers) for rows in (table.vectors, table.pieces)
    )
    return replace(
        cut,
        table=cut.table.brought(device, vectors, pieces),
        utterances=brought(cut.utterances, device),
        responses=brought(cut.responses, device),
        memories=brought(cut.memories, device),
        choices=delivered_choices(cut.choices, choices),
        examples=brought(cut.examples, device),
        entities=None if cut.entities is None or entities is None else delivered_choices(cut.entities, entities),
        entries=None,
        given=None if cut.given is None else brought(cut.given, device),
        here=cut,
    )


def delivered_choices(cut: Choices, whole: Choices) -> Choices:
    """Some examples' choices on their way to where all of a task's are, with the table of these.

    Args:
        cut: on the CPU.
        whole: elsewhere.
    """
    device = whole.table.device
    offered = None if cut.offered is None else cut.offered.brought(device)
    return Choices(whole.table, brought(cut.right, device), offered, whole.gaps)
