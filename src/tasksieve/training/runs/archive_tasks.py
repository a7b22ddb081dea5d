"""What a run learns from where its related dialogs are an archive on the disk; the same to the bit as in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tasksieve.encoding import Candidates, Reader, Vocabulary, responses_of
from tasksieve.encoding.actions import borrowed_actions
from tasksieve.encoding.archive_writing import KEPT_DIALOGS
from tasksieve.encoding.archived_task import Archive, ArchivedTask
from tasksieve.encoding.candidates import responses_counted
from tasksieve.encoding.reading import Reading
from tasksieve.encoding.sentences.pretrained import PIECES
from tasksieve.encoding.sentences.token_rows import TokenRows
from tasksieve.encoding.wordings import Wordings, types_of, wordings_of
from tasksieve.records.config import RunConfig
from tasksieve.records.left_out import LeftOut
from tasksieve.records.measures import RESPONSES
from tasksieve.training.methods import Method
from tasksieve.training.runs import dialog_tasks
from tasksieve.training.runs.archives import archive_of, is_large
from tasksieve.training.runs.dialog_tasks import DialogTasks
from tasksieve.training.runs.encoders import encoder_of, tuned_in
from tasksieve.training.runs.encoding import Encoding, candidates_of
from tasksieve.training.runs.lacking import left_out_of
from tasksieve.training.runs.measured import measure_of
from tasksieve.training.runs.read_files import ReadFiles, data_files, read_files
from tasksieve.training.runs.task_readings import PRIMARY_HEAD, RELATED_HEAD, read_tasks
from tasksieve.training.runs.vocabularies import vocabulary_of


def load_tasks(config: RunConfig, method: Method) -> DialogTasks:
    """As :func:`~tasksieve.training.runs.dialog_tasks.load_tasks`; many related dialogs stay on the disk.

    They do not where whole responses are predicted: names in all dialogs are found before one of them is read.
    """
    if is_large(config):
        read = read_files(config.data.model_copy(update={"related": ()}))
        measure = measure_of(config, read)
        if measure != RESPONSES:
            return _archived(config, method, read, measure)
    return dialog_tasks.load_tasks(config, method)


def _archived(config: RunConfig, method: Method, read: ReadFiles, measure: str) -> DialogTasks:
    (reader, own), (_, valid) = read_tasks(config, read, measure)
    plain = replace(reader, names=None, slots=None)
    archive = archive_of(config, plain, texts=encoder_of(config) is not None)
    encoding = _encoding(config, method, reader, own, valid, archive)
    head = PRIMARY_HEAD if method.heads == "one" else RELATED_HEAD
    return DialogTasks(
        encoding=encoding,
        primary=encoding.encode(own, to_learn=True),
        valid=encoding.encode(valid),
        related=(_related(config, encoding, head, archive),),
        held_out=tuple(valid),
        measure=measure,
        dialogs=len(own),
        left_out=(*left_out_of(config.data, read), *_left_out(config, archive)),
    )


def _left_out(config: RunConfig, archive: Archive) -> list[LeftOut]:
    """Of each related file how many turns have no action; nothing where responses are ranked."""
    if archive.ranked:
        return []
    counted = zip(data_files(config.data).related, archive.turns, archive.counts, strict=True)
    return [LeftOut("related", str(file), turns - sum(counts.values()), turns) for file, turns, counts in counted]


def _related(config: RunConfig, encoding: Encoding, head: str, archive: Archive) -> ArchivedTask:
    encoder = encoding.encoder
    assert not isinstance(encoder, TokenRows)
    vectors = responses = pieces = None
    if encoder is not None:
        vectors = archive.vectors(encoder.fresh, encoder.digest, encoder.dim)
        if archive.ranked:
            responses = archive.response_vectors(vectors, encoder.digest)
        if encoding.pieces is not None:
            pieces = archive.vectors(encoding.pieces, f"pieces-{encoder.digest}", PIECES)
    return ArchivedTask(
        archive,
        encoding.vocabulary,
        encoding.candidates[head],
        head=head,
        device=config.training.device,
        vectors=vectors,
        pieces=pieces,
        responses=responses,
    )


def _encoding(
    config: RunConfig,
    method: Method,
    reader: Reader,
    own: Sequence[Reading],
    valid: Sequence[Reading],
    archive: Archive,
) -> Encoding:
    encoder = encoder_of(config)
    vocabulary = vocabulary_of([*own, *valid], archive.said, config.model.max_words)
    if archive.ranked:
        said = responses_of(own, valid)
        worded = Wordings(types=types_of(frozenset(said), [*own, *valid]))
        candidates = _said(config, reader, vocabulary, {PRIMARY_HEAD: said})
        candidates[RELATED_HEAD] = archive.counted(vocabulary)
    else:
        worded = _wordings(reader, own, valid, archive)
        candidates = _said(config, reader, vocabulary, _heads(config, method, own, valid, archive))
    memories, tuned = config.model.max_memories, tuned_in(config)
    return Encoding(vocabulary, candidates, memories, reader, (), encoder, worded, tuned)


def _said(
    config: RunConfig, reader: Reader, vocabulary: Vocabulary, heads: Mapping[str, Sequence[str]]
) -> dict[str, Candidates]:
    """What each head chooses among, from the texts."""
    gaps, encoder = frozenset[str]() if reader.names is None else reader.names.gaps(), encoder_of(config)
    return {
        head: candidates_of(texts, vocabulary, config.training.device, gaps, reader, encoder)
        for head, texts in heads.items()
    }


def _heads(
    config: RunConfig, method: Method, own: Sequence[Reading], valid: Sequence[Reading], archive: Archive
) -> dict[str, list[str]]:
    """The actions that each head chooses among."""
    counted = Counter[str]()
    for counts in archive.counts:
        counted.update(counts)
    mine = responses_of(own, valid)
    if method.heads == "one":
        mine_too = Counter(turn.response for part in (own, valid) for reading in part for turn in reading.learned)
        return {PRIMARY_HEAD: responses_counted(mine_too + counted)}
    if method.borrows:
        others = [responses_counted(counts) for counts in archive.counts]
        mine = [*mine, *borrowed_actions(mine, others, config.data.slot_acts)]
    return {PRIMARY_HEAD: mine, RELATED_HEAD: responses_counted(counted)}


def _wordings(reader: Reader, own: Sequence[Reading], valid: Sequence[Reading], archive: Archive) -> Wordings:
    """The primary task's wordings, and those of other actions in the first related dialogs that have them."""
    known = set(responses_of(own, valid))
    seen = Counter[str]()
    tasks: list[list[Reading]] = [[] for _ in archive.counts]
    other = replace(reader, names=None)
    for kept in archive.kept_dialogs():
        new = kept.actions - known
        if any(seen[action] < KEPT_DIALOGS for action in new):
            seen.update(new)
            tasks[kept.task].append(other.read_one(kept.dialog))
    return wordings_of([*own, *valid], *tasks)
