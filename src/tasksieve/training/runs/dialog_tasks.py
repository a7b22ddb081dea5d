"""From a run's configuration to encoded tasks, with one vocabulary and the heads a method needs."""

from __future__ import annotations

import json
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
    responses_of,
)
from tasksieve.encoding.actions import borrowed_actions, spelled
from tasksieve.encoding.sentences import CachedEncoder, Embed
from tasksieve.encoding.sentences.token_rows import TokenRows
from tasksieve.encoding.vocabulary import WordCounts
from tasksieve.encoding.wordings import Wordings
from tasksieve.errors import UserError
from tasksieve.records.config import RunConfig
from tasksieve.records.files import read_json, write_text
from tasksieve.records.model_config import MOST_MEMORIES, SLOT_ACTS, Facts, Predicted
from tasksieve.records.parted_paths import parted
from tasksieve.training.methods import Method
from tasksieve.training.runs.encoders import encoder_kept, encoder_of, pieces_of, tuned_in
from tasksieve.training.runs.memo import READ, TASKS, file_key
from tasksieve.training.runs.read_files import data_files
from tasksieve.training.runs.task_readings import (
    PRIMARY_HEAD,
    RELATED_HEAD,
    TaskReadings,
    gaps_of,
    read_dialog_files,
    related_head,
)
from tasksieve.training.runs.vocabularies import vocabulary_of

_AMONG = 64
"""So many responses each training example chooses among where they are ranked."""


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
        encoder: gives sentences dense vectors, if the model takes them.
        wordings: of the actions, if these are predicted.
        tuned: whether the model tunes how the encoder reads, and so needs word pieces.
    """

    vocabulary: Vocabulary
    candidates: dict[str, Candidates]
    max_memories: int
    reader: Reader
    related_names: tuple[Names, ...] = ()
    encoder: CachedEncoder | TokenRows | None = None
    wordings: Wordings = field(default_factory=Wordings)
    tuned: bool = False

    @property
    def vectors(self) -> Embed | None:
        """What gives sentences dense vectors; None for none."""
        return None if self.encoder is None else self.encoder.embed

    @property
    def pieces(self) -> Embed | None:
        """What gives sentences their word pieces; None for none."""
        return pieces_of(self.encoder.name) if self.tuned and self.encoder is not None else None

    def encode(
        self,
        readings: Sequence[Reading],
        head: str = PRIMARY_HEAD,
        tasks: Sequence[int] | None = None,
        *,
        to_learn: bool = False,
        beside: Sequence[str] | None = None,
    ) -> EncodedTask:
        """Encode dialogs that were read for a head.

        Args:
            readings: of the dialogs.
            head: what chooses.
            tasks: those of the dialogs, if they are of several.
            to_learn: whether to learn from them; responses as they were written are told from some others then.
            beside: responses of other tasks that are chosen among, too, where heads are shared; None where they are
                not.
        """
        candidates = self.candidates[head]
        device = candidates.table.device
        return EncodedTask(
            readings,
            self.vocabulary,
            candidates,
            head=head,
            max_memories=self.max_memories,
            device=device,
            vectors=self.vectors,
            pieces=self.pieces,
            tasks=tasks,
            among=_AMONG if to_learn and self.reader.written else 0,
            beside=beside,
        )

    def encode_dialogs(self, dialogs: Sequence[Dialog]) -> EncodedTask:
        """Read and encode dialogs of the primary task."""
        return self.encode(self.reader.read(dialogs))

    def write(self, path: Path) -> None:
        """Write the encoding as JSON."""
        texts = {head: candidates.texts for head, candidates in self.candidates.items()}
        names = None if self.reader.names is None else self.reader.names.plain()
        tuned = {"tuned": True} if self.tuned else {}
        encoder = self.encoder and {"name": self.encoder.name, "digest": self.encoder.digest, **tuned}
        value = {
            "max_memories": self.max_memories,
            "facts": self.reader.facts,
            "encoder": encoder,
            "predict": self.reader.predict,
            "slot_acts": self.reader.slot_acts,
            "written": self.reader.written,
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
            gaps = gaps_of([names, *related])
            texts = value["candidates"].items()
            predict = value.get("predict", "responses")
            if predict not in get_args(Predicted):
                raise ValueError(f"predict: found {str(predict)[:80]}; expected {', '.join(get_args(Predicted))}")
            slot_acts = tuple(map(str, value.get("slot_acts", SLOT_ACTS)))
            told_slots = value.get("slots")
            slots = None if told_slots is None else Slots.read(told_slots)
            reader = Reader(facts, names, predict, slot_acts, slots, value.get("written") is True)
            encoder = encoder_kept(value.get("encoder"), path)
            tuned = (value.get("encoder") or {}).get("tuned") is True
            candidates = {
                head: _candidates(list_, vocabulary, device, gaps, reader, encoder) for head, list_ in texts
            }
            wordings = Wordings.read(value.get("wordings", ()))
            return cls(vocabulary, candidates, memories, reader, related, encoder, wordings, tuned)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise UserError(f"is not a run's encoding ({error!r}); train again", path) from None


@dataclass(frozen=True, slots=True)
class DialogTasks:
    """All that a run learns from and is selected by.

    Attributes:
        encoding: of all tasks.
        primary, valid, related: the dialogs, encoded.
        held_out: those of ``valid`` as they were read.
        measure: what selects a model.
    """

    encoding: Encoding
    primary: EncodedTask
    valid: EncodedTask
    related: tuple[EncodedTask, ...]
    held_out: tuple[Reading, ...]
    measure: str


def load_tasks(config: RunConfig, method: Method) -> DialogTasks:
    """Read and encode a run's dialogs. Vocabulary and candidates come from these alone, never from test data.

    Raises: UserError: if a file cannot be read or holds too few dialogs.
    """
    if not TASKS.room:
        return _encoded(config, method, read_dialog_files(config))
    data = config.data.model_copy(update={"labels": None})
    files = tuple(file_key(path) for path in data_files(data).all() if parted(path)[0].exists())
    key = repr((data, config.model, config.training.device, config.training.related_batch_size, files))
    heads = method.heads_in(config.training), method.borrows, config.training.heads
    return TASKS.of((key, heads), lambda: _encoded(config, method, READ.of(key, lambda: read_dialog_files(config))))


def _encoded(config: RunConfig, method: Method, read: TaskReadings) -> DialogTasks:
    (reader, own), (_, valid), *related = read.tasks
    others = [readings for _, readings in related]
    encoding = _encoding(
        config, method, [reader, *(other for other, _ in related)], own, valid, others, read.wordings
    )
    shared = method.borrows and config.training.heads == "shared"
    written = shared and reader.written
    beside = _said([reading for task in others for reading in task]) if written else () if shared else None
    return DialogTasks(
        encoding=encoding,
        primary=encoding.encode(own, to_learn=True, beside=beside),
        valid=encoding.encode(valid, to_learn=written, beside=beside),
        related=_encoded_related(config, method, encoding, others, _said([*own, *valid]) if written else beside),
        held_out=tuple(valid),
        measure=read.measure,
    )


def _said(readings: Sequence[Reading]) -> tuple[str, ...]:
    """The distinct responses to learn from, as they were written."""
    return tuple(dict.fromkeys(turn.said.system for reading in readings for turn in reading.learned))


def _encoded_related(
    config: RunConfig,
    method: Method,
    encoding: Encoding,
    related: Sequence[Sequence[Reading]],
    beside: Sequence[str] | None,
) -> tuple[EncodedTask, ...]:
    """The related tasks, each by itself; or all of them as one, of which batches are drawn together."""
    one = method.heads_in(config.training) == "one"
    if pools(config, related):
        readings = [reading for task in related for reading in task]
        tasks = [number for number, task in enumerate(related) for _ in task]
        head = PRIMARY_HEAD if one else RELATED_HEAD
        return (encoding.encode(readings, head, tasks, to_learn=True, beside=beside),)
    heads = [PRIMARY_HEAD if one else related_head(number) for number in range(len(related))]
    return tuple(
        encoding.encode(task, head, [number] * len(task), to_learn=True, beside=beside)
        for number, (task, head) in enumerate(zip(related, heads, strict=True))
    )


def pools(config: RunConfig, related: Sequence[object]) -> bool:
    """Whether batches are drawn of all related tasks together."""
    return config.training.related_batch_size is not None and len(related) > 1


def _encoding(
    config: RunConfig,
    method: Method,
    readers: Sequence[Reader],
    primary: Sequence[Reading],
    valid: Sequence[Reading],
    related: Sequence[Sequence[Reading]],
    wordings: Wordings,
) -> Encoding:
    responses = {PRIMARY_HEAD: responses_of(primary, valid)}
    one = method.heads_in(config.training) == "one"
    if one and not readers[0].written:
        responses = {PRIMARY_HEAD: responses_of(primary, valid, *related)}
    elif pools(config, related):
        responses[RELATED_HEAD] = responses_of(*related)
    else:
        responses |= {related_head(number): responses_of(readings) for number, readings in enumerate(related)}
    if readers[0].predict == "actions" and not one and method.borrows:
        own, others = responses[PRIMARY_HEAD], [responses_of(readings) for readings in related]
        responses[PRIMARY_HEAD] = [*own, *borrowed_actions(own, others, config.data.slot_acts)]
    vocabulary = vocabulary_of([*primary, *valid], WordCounts.of(*related), config.model.max_words)
    gaps = gaps_of([reader.names for reader in readers])
    device = config.training.device
    encoder = encoder_of(config)
    candidates = {
        head: _candidates(texts, vocabulary, device, gaps, readers[0], encoder) for head, texts in responses.items()
    }
    names = tuple(reader.names for reader in readers[1:] if reader.names is not None)
    memories, tuned = config.model.max_memories, tuned_in(config)
    return Encoding(vocabulary, candidates, memories, readers[0], names, encoder, wordings, tuned)


def _candidates(
    texts: Sequence[str],
    vocabulary: Vocabulary,
    device: str,
    gaps: frozenset[str],
    reader: Reader,
    encoder: CachedEncoder | TokenRows | None,
) -> Candidates:
    vectors = None if encoder is None else encoder.embed
    return Candidates(texts, vocabulary, device, gaps, vectors, spelled if reader.predict == "actions" else str)
