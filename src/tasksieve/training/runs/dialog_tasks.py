"""From a run's configuration to encoded tasks, with one vocabulary and the heads a method needs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from tasksieve.dialogs import Dialog
from tasksieve.dialogs.formats import dialog_file, read_dialogs
from tasksieve.encoding import (
    Candidates,
    EncodedTask,
    MemoryLines,
    Vocabulary,
    has_gap,
    memory_due,
    naming_relations,
    responses_of,
)
from tasksieve.errors import UserError
from tasksieve.records.config import MOST_MEMORIES, DataConfig, Facts, RunConfig
from tasksieve.records.files import read_json, write_text
from tasksieve.training.methods import Method

PRIMARY_HEAD = "primary"


@dataclass(frozen=True, slots=True)
class DataFiles:
    """The files a run reads, directories resolved."""

    primary: Path
    valid: Path
    related: tuple[Path, ...]

    def all(self) -> tuple[Path, ...]:
        """Every file, primary first."""
        return (self.primary, self.valid, *self.related)


@dataclass(frozen=True, slots=True)
class Encoding:
    """What turns dialogs into tensors: kept with a run, so that its model can be used without its data."""

    vocabulary: Vocabulary
    candidates: dict[str, Candidates]
    max_memories: int
    facts: Facts = "all"
    naming: frozenset[str] | None = None

    def encode(self, dialogs: Sequence[Dialog], head: str = PRIMARY_HEAD) -> EncodedTask:
        """Encode dialogs for a head."""
        candidates = self.candidates[head]
        device = candidates.table.device
        return EncodedTask(
            dialogs,
            self.vocabulary,
            candidates,
            head=head,
            max_memories=self.max_memories,
            facts=self.facts,
            naming=self.naming,
            device=device,
        )

    def remember(self, dialog: Dialog) -> MemoryLines:
        """What is remembered and known when the response of a dialog's last turn, which ends it, is due."""
        return memory_due(dialog, self.facts, self.naming)

    def write(self, path: Path) -> None:
        """Write as JSON."""
        texts = {head: candidates.texts for head, candidates in self.candidates.items()}
        naming = None if self.naming is None else sorted(self.naming)
        reading = {"max_memories": self.max_memories, "facts": self.facts, "naming": naming}
        value = {**reading, "words": self.vocabulary.words, "candidates": texts}
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
            naming = _naming(value.get("naming"))
            vocabulary = Vocabulary(value["words"])
            texts = value["candidates"].items()
            candidates = {head: Candidates(list_, vocabulary, device, naming) for head, list_ in texts}
            return cls(vocabulary, candidates, memories, facts, naming)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise UserError(f"is not a run's encoding ({error!r}); train again", path) from None


def _naming(given: object) -> frozenset[str] | None:
    if given is None:
        return None
    if not isinstance(given, list) or not all(isinstance(relation, str) for relation in given):
        raise ValueError(f"naming: found {str(given)[:80]}; expected a list of relations")
    return frozenset(given)


@dataclass(frozen=True, slots=True)
class DialogTasks:
    """All that a run learns from and is selected by."""

    encoding: Encoding
    primary: EncodedTask
    valid: EncodedTask
    related: tuple[EncodedTask, ...]


def data_files(data: DataConfig) -> DataFiles:
    """Resolve directories to the files of the splits they are needed for."""
    return DataFiles(
        primary=dialog_file(data.primary, "train"),
        valid=dialog_file(data.valid, "valid"),
        related=tuple(dialog_file(path, "train") for path in data.related),
    )


def load_tasks(config: RunConfig, method: Method) -> DialogTasks:
    """Read and encode a run's dialogs. Vocabulary and candidates come from these alone, never from test data.

    Raises: UserError: if a file cannot be read or holds too few dialogs.
    """
    files = data_files(config.data)
    primary = _first(read_dialogs(files.primary), config.data.size, files.primary)
    valid = _first(read_dialogs(files.valid), config.data.size, files.valid)
    related = [read_dialogs(path) for path in files.related]
    encoding = _encoding(config, method, primary, valid, related)
    heads = [PRIMARY_HEAD if method.heads == "one" else related_head(n) for n in range(len(related))]
    return DialogTasks(
        encoding=encoding,
        primary=encoding.encode(primary),
        valid=encoding.encode(valid),
        related=tuple(encoding.encode(dialogs, head) for dialogs, head in zip(related, heads, strict=True)),
    )


def related_head(number: int) -> str:
    """The name of a related task's head, counted from 0."""
    return f"related-{number + 1}"


def _encoding(
    config: RunConfig,
    method: Method,
    primary: Sequence[Dialog],
    valid: Sequence[Dialog],
    related: Sequence[Sequence[Dialog]],
) -> Encoding:
    facts = config.model.facts
    naming = naming_relations(primary, valid, *related) if config.model.entities == "facts" else None
    if method.heads == "one":
        responses = {PRIMARY_HEAD: responses_of(primary, valid, *related, naming=naming)}
    else:
        responses = {PRIMARY_HEAD: responses_of(primary, valid, naming=naming)}
        for number, dialogs in enumerate(related):
            responses[related_head(number)] = responses_of(dialogs, naming=naming)
    if naming is not None and not any(has_gap(text, naming) for texts in responses.values() for text in texts):
        naming = None  # no response names what the facts are about
    vocabulary = Vocabulary.of(primary, valid, *related, facts=facts, naming=naming)
    device = config.training.device
    candidates = {head: Candidates(texts, vocabulary, device, naming) for head, texts in responses.items()}
    return Encoding(vocabulary, candidates, config.model.max_memories, facts, naming)


def _first(dialogs: list[Dialog], size: int | None, path: Path) -> list[Dialog]:
    if size is not None and len(dialogs) < size:
        raise UserError(f"holds {len(dialogs)} dialogs; {size} were asked for", path)
    return dialogs[:size]
