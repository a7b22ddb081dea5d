"""Cutting a batch out of a task with compiled code; :meth:`EncodedTask.batch` says when."""

from __future__ import annotations

import ctypes
from itertools import accumulate
from typing import Protocol, runtime_checkable

from jaxtyping import Int
from torch import Tensor

from tasksieve.encoding.batch import Batch, Entries
from tasksieve.encoding.choices import Choices
from tasksieve.encoding.sentences import SentenceTable
from tasksieve.kernels import BatchKernels

_Two = ctypes.c_int64 * 2


@runtime_checkable
class Cuttable(Protocol):
    """What of an encoded task is needed; its attributes are described there."""

    table: SentenceTable
    memories: Int[Tensor, " memories"]
    spoken: Int[Tensor, "examples 2"]
    start: Int[Tensor, " examples"]
    end: Int[Tensor, " examples"]
    choices: Choices
    entities: Choices | None
    max_memories: int
    head: str


def assembled(kernels: BatchKernels, task: Cuttable, examples: Int[Tensor, " batch"]) -> Batch:
    """The batch of some examples of a task on the CPU; its sentences are numbered as they come.

    Raises: IndexError: if there is no example of some number.
    """
    batch, limit = len(examples), task.max_memories
    slots, entries, totals = ctypes.c_int64(), ctypes.c_int64(), _Two()
    chosen = batch, len(task.choices), examples.data_ptr(), task.start.data_ptr(), task.end.data_ptr()
    if not kernels.measure(*chosen, limit, ctypes.byref(slots), ctypes.byref(entries)):
        raise IndexError(f"examples are numbered from 0 to {len(task.choices) - 1}")
    most, sentences = entries.value, len(task.table)
    # utterances and responses, memories, targets, offsets, sentences, counts, distinct sentences: one tensor in all
    sizes = 2 * batch, batch * slots.value, batch, batch + 1, most, most, min(sentences, most + 2 * batch)
    arena, marks = examples.new_empty(sum(sizes)), examples.new_empty(sentences)
    inputs = examples, task.spoken, task.memories, task.start, task.end, task.choices.right, task.table.offsets, marks
    pointers = [tensor.data_ptr() for tensor in inputs]
    first = arena.data_ptr()
    places = [first + arena.itemsize * place for place in accumulate(sizes[:-1], initial=0)]
    known = kernels.assemble(batch, slots.value, limit, sentences, *pointers, *places, totals)
    words, last = totals
    rest = most - last
    pieces = arena.split_with_sizes(
        [batch, batch, sizes[1], batch, batch + 1, last, rest, last, rest, known, sizes[-1] - known]
    )
    utterances, responses, memories, targets, offsets, memory_rows, _, counts, _, distinct, _ = pieces
    table = task.table.select_known(distinct, words)
    memories = memories.view(batch, slots.value)
    choices = task.choices.select(examples, targets)
    entities = None if task.entities is None else task.entities.select(examples)
    distinct_memories = Entries(memory_rows, counts, offsets)
    return Batch(table, utterances, responses, memories, choices, examples, task.head, entities, distinct_memories)
