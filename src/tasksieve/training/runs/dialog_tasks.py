"""From a run's configuration to encoded tasks, with one vocabulary and the heads a method needs."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from tasksieve.dialogs import Dialog
from tasksieve.encoding import (
    Candidates,
    EncodedTask,
    Names,
    Reader,
    Reading,
    Slots,
    Vocabulary,
    names_of,
    responses_of,
    slots_of,
)
from tasksieve.encoding.wordings import Wordings, wordings_of
from tasksieve.errors import UserError
from tasksieve.records.config import RunConfig
from tasksieve.records.files import read_json, write_text
from tasksieve.records.model_config import MOST_MEMORIES, SLOT_ACTS, Facts, Predicted
from tasksieve.training.methods import Method
from tasksieve.training.runs.read_files import read_files

PRIMARY_HEAD = "primary"
_log = logging.getLogger("tasksieve")


@dataclass(frozen=True, slots=True)
class Encoding:
    """What turns dialogs into tensors: kept with a run, so that its model can be used without its data.

    Attributes:
        vocabulary: numbers the words.
        candidates: what each head chooses among, by the head's name.
        max_memories: older memories are left out.
        reader: how dialogs of the primary task are read.
        related_names: which fields of records give names in each related task, as a record; the model does not need
            them.
        wordings: of the actions, if these are predicted.
    """

    vocabulary: Vocabulary
    candidates: dict[str, Candidates]
    max_memories: int
    reader: Reader
    related_names: tuple[Names, ...] = ()
    wordings: Wordings = field(default_factory=Wordings)

    def encode(self, readings: Sequence[Reading], head: str = PRIMARY_HEAD) -> EncodedTask:
        """Encode dialogs that were read for a head."""
        candidates = self.candidates[head]
        device = candidates.table.device
        return EncodedTask(
            readings, self.vocabulary, candidates, head=head, max_memories=self.max_memories, device=device
        )

    def encode_dialogs(self, dialogs: Sequence[Dialog]) -> EncodedTask:
        """Read and encode dialogs of the primary task."""
        return self.encode(self.reader.read(dialogs))

    def write(self, path: Path) -> None:
        """Write the encoding as JSON."""
        texts = {head: candidates.texts for head, candidates in self.candidates.items()}
        names = None if self.reader.names is None else self.reader.names.plain()
        value = {
            "max_memories": self.max_memories,
            "facts": self.reader.facts,
            "predict": self.reader.predict,
            "slot_acts": self.reader.slot_acts,
            "names": names,
            "slots": None if self.reader.slots is None else self.reader.slots.plain(),
            "related_names": [found.plain() for found in self.related_names],
            "words": self.vocabulary.words,
            "candidates": texts,
            "wordings": self.wordings.plain(),
        }
        write_text(path, json.dumps(value, ensure_ascii=False) + "\n")

    @classmethod
    def read(cls, path: Path, device: str) -> Encoding:
        """Read what :meth:`write` wrote. Raises: UserError: if the file is missing or not of this form."""
        value = read_json(path)
        try:
            memories = value["max_memories"]
            if not isinstance(memories, int) or not 1 <= memories <= MOST_MEMORIES:
                raise ValueError(f"max_memories: found {str(memories)[:80]}; expected 1 to {MOST_MEMORIES}")
            facts = value.get("facts", "all")
            if facts not in get_args(Facts):
                raise ValueError(f"facts: found {str(facts)[:80]}; expected {', '.join(get_args(Facts))}")
            told = value.get("names", value.get("naming"))  # the second in older versions
            names = None if told is None else Names.read(told)
            related = tuple(map(Names.read, value.get("related_names", [])))
            vocabulary = Vocabulary(value["words"])
            gaps = _gaps([names, *related])
            texts = value["candidates"].items()
            candidates = {head: Candidates(list_, vocabulary, device, gaps) for head, list_ in texts}
            predict = value.get("predict", "responses")
            if predict not in get_args(Predicted):
                raise ValueError(f"predict: found {str(predict)[:80]}; expected {', '.join(get_args(Predicted))}")
            slot_acts = tuple(map(str, value.get("slot_acts", SLOT_ACTS)))
            told_slots = value.get("slots")
            slots = None if told_slots is None else Slots.read(told_slots)
            reader = Reader(facts, names, predict, slot_acts, slots)
            wordings = Wordings.read(value.get("wordings", ()))
            return cls(vocabulary, candidates, memories, reader, related, wordings)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise UserError(f"is not a run's encoding ({error!r}); train again", path) from None


@dataclass(frozen=True, slots=True)
class DialogTasks:
    """All that a run learns from and is selected by."""

    encoding: Encoding
    primary: EncodedTask
    valid: EncodedTask
    related: tuple[EncodedTask, ...]


def load_tasks(config: RunConfig, method: Method) -> DialogTasks:
    """Read and encode a run's dialogs. Vocabulary and candidates come from these alone, never from test data.

    Raises: UserError: if a file cannot be read or holds too few dialogs.
    """
    read = read_files(config.data)
    _log.info("predicting %s: %s", read.prediction.what, read.prediction.why)
    named = _names(config, [*read.primary, *read.valid], read.related)
    predict = read.prediction.what
    slots = slots_of(read.primary, read.valid, *read.related, reserved=_gaps(named))
    readers = [Reader(config.model.facts, names, predict, config.data.slot_acts, slots) for names in named]
    own, valid_read = readers[0].read(read.primary), readers[0].read(read.valid)
    others = [reader.read(dialogs) for reader, dialogs in zip(readers[1:], read.related, strict=True)]
    encoding = _encoding(config, method, readers, own, valid_read, others)
    heads = [PRIMARY_HEAD if method.heads == "one" else related_head(n) for n in range(len(others))]
    return DialogTasks(
        encoding=encoding,
        primary=encoding.encode(own),
        valid=encoding.encode(valid_read),
        related=tuple(encoding.encode(read, head) for read, head in zip(others, heads, strict=True)),
    )


def _names(
    config: RunConfig, primary: Sequence[Dialog], related: Sequence[Sequence[Dialog]]
) -> tuple[Names | None, ...]:
    """The names of the primary task, then of each related one; they are also told in the log."""
    if config.model.entities == "names":
        return (None,) * (1 + len(related))
    found = names_of(primary, *related)
    for names, task in zip(found, ["primary", *map(related_head, range(len(related)))], strict=True):
        if names.fields or names.refused:
            _log.info("%s: %s", task, names.sentence())
    return found


def _gaps(named: Sequence[Names | None]) -> frozenset[str]:
    """All placeholders that stand for what an entity has."""
    return frozenset[str]().union(*(names.gaps() for names in named if names is not None))


def related_head(number: int) -> str:
    """The name of a related task's head, counted from 0."""
    return f"related-{number + 1}"


def _encoding(
    config: RunConfig,
    method: Method,
    readers: Sequence[Reader],
    primary: Sequence[Reading],
    valid: Sequence[Reading],
    related: Sequence[Sequence[Reading]],
) -> Encoding:
    responses = {PRIMARY_HEAD: responses_of(primary, valid)}
    if method.heads == "one":
        responses = {PRIMARY_HEAD: responses_of(primary, valid, *related)}
    else:
        responses |= {related_head(number): responses_of(readings) for number, readings in enumerate(related)}
    vocabulary = Vocabulary.of(primary, valid, *related)
    gaps = _gaps([reader.names for reader in readers])
    device = config.training.device
    candidates = {head: Candidates(texts, vocabulary, device, gaps) for head, texts in responses.items()}
    names = tuple(reader.names for reader in readers[1:] if reader.names is not None)
    actions = readers[0].predict == "actions"
    wordings = wordings_of([*primary, *valid], *related) if actions else Wordings()
    return Encoding(vocabulary, candidates, config.model.max_memories, readers[0], names, wordings)
