"""Cutting a batch out of a task with compiled code; :meth:`EncodedTask.batch` says when."""

from __future__ import annotations

import ctypes
from typing import Protocol, runtime_checkable

from jaxtyping import Int
from torch import Tensor

from tasksieve.encoding.batch import Batch, Entries
from tasksieve.encoding.sentences import SentenceTable
from tasksieve.kernels import BatchKernels


@runtime_checkable
class Cuttable(Protocol):
    """What of an encoded task is needed; its attributes are described there."""

    table: SentenceTable
    memories: Int[Tensor, " memories"]
    spoken: Int[Tensor, "examples 2"]
    start: Int[Tensor, " examples"]
    end: Int[Tensor, " examples"]
    targets: Int[Tensor, " examples"]
    max_memories: int
    head: str


def assembled(kernels: BatchKernels, task: Cuttable, examples: Int[Tensor, " batch"]) -> Batch:
    """The batch of some examples of a task on the CPU; its sentences are numbered as they come.

    Raises: IndexError: if there is no example of some number.
    """
    if len(examples) and not 0 <= int(examples.min()) <= int(examples.max()) < len(task.targets):
        raise IndexError(f"examples are numbered from 0 to {len(task.targets) - 1}")
    batch, limit = len(examples), task.max_memories
    slots, entries, words = ctypes.c_int64(), ctypes.c_int64(), ctypes.c_int64()
    bounds = task.start.data_ptr(), task.end.data_ptr()
    kernels.measure(batch, examples.data_ptr(), *bounds, limit, ctypes.byref(slots), ctypes.byref(entries))
    marks = examples.new_full((len(task.table),), -1)
    spoken = examples.new_empty(2, batch)
    memories = examples.new_empty(batch, slots.value)
    distinct = examples.new_empty(min(len(task.table), entries.value + 2 * batch))
    sentences, counts = examples.new_empty(2, entries.value)
    offsets = examples.new_empty(batch + 1)
    source = examples, task.spoken, task.memories, task.start, task.end, task.table.offsets
    target = marks, spoken, memories, distinct, sentences, counts, offsets
    pointers = (tensor.data_ptr() for tensor in (*source, *target))
    known = kernels.assemble(batch, slots.value, limit, *pointers, ctypes.byref(words))
    table = task.table.select_known(distinct[:known], words.value)
    last = int(offsets[-1])
    found = Entries(sentences[:last], counts[:last], None, offsets)
    return Batch(table, spoken[0], spoken[1], memories, task.targets[examples], examples, task.head, found)
