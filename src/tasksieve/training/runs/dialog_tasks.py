"""From a run's configuration to encoded tasks, with one vocabulary and the heads a method needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasksieve.encoding import (
    Candidates,
    EncodedTask,
    Reader,
    Reading,
    Vocabulary,
    responses_of,
)
from tasksieve.encoding.actions import borrowed_actions
from tasksieve.encoding.candidates import CountedResponses
from tasksieve.encoding.vocabulary import WordCounts
from tasksieve.encoding.wordings import Wordings, types_of
from tasksieve.records.config import RunConfig
from tasksieve.records.left_out import LeftOut
from tasksieve.records.parted_paths import parted
from tasksieve.training.methods import Method
from tasksieve.training.runs.encoders import encoder_of, tuned_in
from tasksieve.training.runs.encoding import Encoding, candidates_of, only_counts
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


@dataclass(frozen=True, slots=True)
class DialogTasks:
    """All that a run learns from and is selected by.

    Attributes:
        encoding: of all tasks.
        primary, valid, related: the dialogs, encoded.
        held_out: those of ``valid`` as they were read.
        measure: what selects a model.
        dialogs: number of the primary task's training dialogs, with those that say nothing to learn.
        left_out: where actions are predicted, how many turns of each file have none.
    """

    encoding: Encoding
    primary: EncodedTask
    valid: EncodedTask
    related: tuple[EncodedTask, ...]
    held_out: tuple[Reading, ...]
    measure: str
    dialogs: int
    left_out: tuple[LeftOut, ...] = ()


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
        dialogs=len(own),
        left_out=read.left_out,
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
    candidates = _candidates(config, readers, vocabulary, responses)
    names = tuple(reader.names for reader in readers[1:] if reader.names is not None)
    if readers[0].predict == "responses":
        said = responses[PRIMARY_HEAD]
        wordings = Wordings(types=types_of(frozenset(said), [*primary, *valid], *(related if one else ())))
    memories, tuned = config.model.max_memories, tuned_in(config)
    return Encoding(vocabulary, candidates, memories, readers[0], names, encoder_of(config), wordings, tuned)


def _candidates(
    config: RunConfig, readers: Sequence[Reader], vocabulary: Vocabulary, responses: Mapping[str, Sequence[str]]
) -> dict[str, Candidates]:
    """What each head chooses among; related responses that are drawn and ranked are counted and no more."""
    device, encoder = config.training.device, encoder_of(config)
    gaps = gaps_of([reader.names for reader in readers])
    found: dict[str, Candidates] = {}
    for head, texts in responses.items():
        if head != PRIMARY_HEAD and only_counts(config, readers[0]):
            found[head] = CountedResponses(Candidates(texts, vocabulary, device).table, vocabulary)
        else:
            found[head] = candidates_of(texts, vocabulary, device, gaps, readers[0], encoder)
    return found
