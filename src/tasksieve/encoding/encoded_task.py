"""A task's dialogs as examples: every turn to learn from is one, with all that came before it as its memories."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import Int
from torch import Tensor

from tasksieve.dialogs.turn_kinds import OTHER
from tasksieve.encoding.batch import Batch
from tasksieve.encoding.candidates import Candidates
from tasksieve.encoding.choices import ChoiceRows, Choices
from tasksieve.encoding.cutting import assembled
from tasksieve.encoding.delivery import choices_here, delivered, numbered_here
from tasksieve.encoding.drawn import drawn_choices
from tasksieve.encoding.kept_rows import KeptRows
from tasksieve.encoding.kinds import kind_of
from tasksieve.encoding.reading import Reading
from tasksieve.encoding.rows import Rows, placed
from tasksieve.encoding.sentences import Embed, SentenceTable
from tasksieve.encoding.sentences.token_rows import TokenRows
from tasksieve.encoding.vocabulary import Vocabulary
from tasksieve.errors import UserError
from tasksieve.kernels import batch_kernels

EMPTY = 0
"""The number of the sentence without words."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What of a data set the vocabulary and the candidates know.

    Attributes:
        examples: number of turns.
        unseen_responses: turns whose right response is no candidate, so that no model can find it.
        words, unknown_words: words in all sentences, and those not in the vocabulary (these are left out).
    """

    examples: int
    unseen_responses: int
    words: int
    unknown_words: int

    @property
    def ceiling(self) -> float:
        """The highest accuracy possible, in per cent."""
        return 100.0 * (1 - self.unseen_responses / self.examples)


@dataclass(frozen=True, slots=True)
class Example:
    """One turn: where it stands and what was said.

    Attributes:
        dialog, turn: counted from 0, in its task.
        user, system: as they were said.
        kind: its action, or what its wording tells.
        task: its task's number, where several are one.
    """

    dialog: int
    turn: int
    user: str
    system: str
    kind: str = OTHER
    task: int = 0


class EncodedTask:
    """All examples of a task, ready to be cut into batches.

    Args:
        readings: of at least one dialog, with at least one turn to learn from.
        vocabulary: numbers the words; unknown ones are left out and counted.
        candidates: the responses that the task's head chooses among.
        head: the name of that head.
        max_memories: older memories are left out.
        device: where the tensors live.
        vectors: gives ``table`` and the entities' a dense vector for each text; None for none. Texts are read as they
            were, and two that differ are two sentences, though they may share their words with placeholders.
        pieces: gives ``table`` the word pieces of each text, where the encoder's last layer is tuned; None for none.
        tasks: of each dialog the number of its task, if these are several that are one here: their turns choose among
            the candidates that are responses of their own task. Dialogs of a task stand together.
        among: if not 0, each turn chooses among so many responses of its own task, its own with them, all as they
            were said (:mod:`tasksieve.encoding.drawn`), instead of the candidates and the entities they name.
        beside: responses of other tasks, for turns that do not choose among those of their own task alone: with
            ``among`` half of what each chooses among is drawn from these and the other tasks here, and else it
            chooses among all candidates; None for turns that do.

    Raises: UserError: if no turn of theirs is one to learn from.

    Attributes:
        table: all distinct sentences; number 0 is the empty one.
        memories: every dialog's sentences that are memories, by their number in the table, dialog after dialog; a
            turn with memories of its own has them all once more. At the end a -1.
        spoken: each example's utterance and response, by their numbers in the table (examples × 2).
        start, end: where each example's memories stand in ``memories``.
        choices: the responses that the examples choose among.
        entities: those that responses may name; None if there are none.
        given: by what the data say that each example's loss is multiplied; None if all count alike.
        tokens: whether the vectors of sentences are a language model's tokens, and say nothing by themselves.
    """

    def __init__(
        self,
        readings: Sequence[Reading],
        vocabulary: Vocabulary,
        candidates: Candidates,
        *,
        head: str = "primary",
        max_memories: int = 250,
        device: torch.device | str = "cpu",
        vectors: Embed | None = None,
        pieces: Embed | None = None,
        tasks: Sequence[int] | None = None,
        among: int = 0,
        beside: Sequence[str] | None = None,
    ) -> None:
        rows, entities = Rows(vocabulary, vectors, pieces), ChoiceRows(vocabulary, vectors)
        examples: list[Example] = []
        given: list[float] = []
        memories: list[int] = []
        columns: list[tuple[int, int, int, int, int]] = []
        tasks = tasks or [0] * len(readings)
        firsts = {task: number for number, task in reversed(list(enumerate(tasks)))}
        for number, (reading, task) in enumerate(zip(readings, tasks, strict=True)):
            dialog = number - firsts[task]
            for turn in placed(reading, rows, memories, 0, max_memories, as_said=bool(among)):
                said, own = turn.turn.said, candidates.number(turn.turn.response)
                columns.append((turn.utterance, turn.response, turn.first, turn.last, own))
                entities.add(turn.turn.descriptions, turn.turn.entity)
                examples.append(Example(dialog, turn.place, said.user, said.system, kind_of(said), task))
                given.append(turn.turn.learned)
        if not any(reading.turns for reading in readings):
            raise ValueError("no turn to learn from")
        if not examples:
            raise UserError("no dialog has a response to learn from: all of them have weight 0")
        self.tokens = isinstance(getattr(vectors, "__self__", None), TokenRows)
        self.head = head
        self.candidates = candidates
        self.examples: Sequence[Example] = tuple(examples)
        self.given = None if set(given) == {1.0} else torch.tensor(given, device=device)
        self.table = rows.table(device)
        self.max_memories = max_memories
        self.memories = torch.tensor([*memories, -1], device=device)
        columns_tensor = torch.tensor(columns, device=device)
        self.spoken = columns_tensor[:, :2].contiguous()
        self.start, self.end, known = columns_tensor[:, 2:].T.contiguous().unbind()
        self.choices, self.entities = candidates.choices(known), entities.choices(device)
        if among:
            right = [example.system for example in examples]
            of_tasks = [example.task for example in examples]
            self.choices = drawn_choices(right, of_tasks, among, vocabulary, device, vectors, beside=beside)
            self.entities = None
        elif len(firsts) > 1 and beside is None:
            of_examples = torch.tensor([example.task for example in examples], device=device)
            self.choices = of_own_task(self.choices, of_examples)
        unseen = int((self.targets < 0).sum())
        self.coverage = Coverage(len(examples), unseen, rows.words, rows.unknown_words)

    def __len__(self) -> int:
        return len(self.examples)

    @property
    def targets(self) -> Int[Tensor, " examples"]:
        """The place of each example's right response among its choices; -1 for none."""
        return self.choices.right

    @property
    def device(self) -> torch.device:
        """Where the tensors live."""
        return self.targets.device

    def batch(self, examples: Int[Tensor, " batch"]) -> Batch:
        """The batch of the examples with these numbers, in this order.

        With numbers on the CPU it is cut there, wherever it is to be.
        """
        if examples.device != self.device and examples.device.type == "cpu":
            return delivered(self._here.batch(examples), self.table, self.choices, self.entities)
        kernels = batch_kernels() if self.device.type == "cpu" else None
        batch = assembled(kernels, self, examples.contiguous()) if kernels is not None else self._batch(examples)
        if self.given is not None:
            batch = replace(batch, given=self.given[examples])
        if self.device.type == "cpu":
            batch.keep_in(self._rows)
        return batch

    @cached_property
    def _rows(self) -> KeptRows:
        return KeptRows(len(self))

    @cached_property
    def _here(self) -> EncodedTask:
        """The task with its numbers on the CPU."""
        task = copy(self)
        task.table, task.choices = numbered_here(self.table), choices_here(self.choices)
        task.memories, task.spoken = self.memories.cpu(), self.spoken.cpu()
        task.start, task.end = self.start.cpu(), self.end.cpu()
        task.entities = None if self.entities is None else choices_here(self.entities)
        task.given = None if self.given is None else self.given.cpu()
        return task

    def _batch(self, examples: Int[Tensor, " batch"]) -> Batch:
        choices = self.choices.select(examples)
        entities = None if self.entities is None else self.entities.select(examples)
        return Batch.of(self.table, self._sentences(examples), choices, examples, self.head, entities)

    def _sentences(self, examples: Int[Tensor, " batch"]) -> Int[Tensor, "batch columns"]:
        """Utterance, response and padded memories of examples, by their numbers in the task's table."""
        end = self.end[examples]
        length = (end - self.start[examples]).clamp(max=self.max_memories)
        slots = torch.arange(max(1, int(length.max())), device=end.device)
        place = (end[:, None] - 1 - slots).masked_fill(slots >= length[:, None], -1)
        memories = self.memories[place]
        memories[:, 0].masked_fill_(length == 0, EMPTY)
        return torch.cat([self.spoken[examples], memories], dim=1)

    def answerable(self) -> Int[Tensor, " answerable"]:
        """Numbers of the examples whose right response is a candidate: those that can be learned from."""
        return torch.nonzero(self.targets >= 0).flatten()


def of_own_task(choices: Choices, tasks: Int[Tensor, " examples"]) -> Choices:
    """Choices of which each example is offered those that are right somewhere in its task.

    Args:
        choices: of all examples, which choose among the same.
        tasks: the task of each example, from 0.
    """
    right, size = choices.right, len(choices.table)
    known = right >= 0
    pairs = torch.unique(tasks[known] * size + right[known])  # in the order of tasks, and of choices within one
    owners = torch.div(pairs, size, rounding_mode="floor")
    lengths = torch.bincount(owners, minlength=int(tasks.max()) + 1)
    offsets = torch.nn.functional.pad(lengths.cumsum(0), (1, 0))
    places = torch.searchsorted(pairs, tasks * size + right.clamp(min=0)) - offsets[tasks]
    offered = SentenceTable(pairs % size, offsets, size)
    return Choices(choices.table, torch.where(known, places, -1), offered, choices.gaps, tasks)
