"""What the study of language models learns from and is measured on, as files that are written once.

::

    data/PRIMARY/seed-S.json.gz                  test, training and validation dialogs; each archive's dialogs
    data/PRIMARY/seed-S/train.*, valid.*         the same for the small model, as the archive has them
    data/PRIMARY/seed-S/ARCHIVE/SERVICE.*
    data/PRIMARY/seed-S/SIZE-ARCHIVE.json        by selection a score for every turn of that archive

In the first a dialog is a list of turns ``[user, system, action]``; what databases answered is left out. It and the
scores are all that the fine-tuning needs, so that it can be done on another machine, without the archive.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from tasksieve.errors import UserError
from tasksieve.records.files import read_json, write_text, write_whole

if TYPE_CHECKING:
    from tasksieve.dialogs import Dialog
    from tasksieve.experiments.board.data import BoardData

RELATED = 400
"""Dialogs of the archive at most, as many of each service."""
SIEVED: Mapping[str, tuple[str, ...]] = {
    "sieved": ("data.predict=responses", "training.heads=shared"),
    "sieved-actions": ("data.predict=actions", "training.heads=shared"),
    "sieved-own": ("data.predict=actions", "training.heads=own"),
}
"""Selections by the weights of `learned` runs of a small model, and what these runs predict and choose among.

The first is as `tasksieve sieve` learns them.
"""
SELECTIONS = ("bm25", *SIEVED)
"""What turns are scored by before there is a language model."""
SIEVES = 3
"""Learned runs whose weights are averaged, as `tasksieve sieve` does."""

Turns = list[tuple[str, str, str]]
"""A dialog: of each turn what the user says, what the system says, and what it does."""


@dataclass(frozen=True, slots=True)
class StudyData:
    """What the cells of one primary task and one seed share.

    Attributes:
        train: of the primary task, as many as the largest size.
        valid: likewise.
        test: the same for all seeds.
        services: names of the related tasks.
        archives: by name the related dialogs.
        service_of: of each of them the number of its service, by archive.
    """

    train: list[Turns]
    valid: list[Turns]
    test: list[Turns]
    services: list[str]
    archives: dict[str, list[Turns]]
    service_of: dict[str, list[int]]


class StudyFiles:
    """The files under a folder.

    Args:
        folder: where they are, or go.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def dialogs(self, primary: str, seed: int) -> Path:
        """The file of all dialogs."""
        return self.folder / primary / f"seed-{seed}.json.gz"

    def scores(self, primary: str, seed: int, size: int, archive: str) -> Path:
        """The file of the scores."""
        return self.folder / primary / f"seed-{seed}" / f"{size}-{archive}.json"

    def read(self, primary: str, seed: int) -> StudyData:
        """The dialogs. Raises: UserError: if they were not prepared."""
        path = self.dialogs(primary, seed)
        if not path.exists():
            raise UserError("is missing; give --data, so that it can be made", path)
        with gzip.open(path, "rt", encoding="utf-8") as file:
            return StudyData(**json.load(file))

    def has_scores(self, cell: tuple[str, int, int, str], selections: Sequence[str]) -> bool:
        """Whether an archive's turns (primary task, seed, size, archive) have scores by all of these."""
        path = self.scores(*cell)
        return path.exists() and set(selections) <= set(read_json(path))

    def read_scores(self, primary: str, seed: int, size: int, archive: str) -> dict[str, list[float]]:
        """By selection the score of every turn of the archive. Raises: UserError: if they were not prepared."""
        path = self.scores(primary, seed, size, archive)
        if not path.exists():
            raise UserError("is missing; give --data, so that it can be made", path)
        found: dict[str, list[float]] = read_json(path)
        return found


def prepare_dialogs(files: StudyFiles, board: BoardData, primary: str, seed: int, archives: Sequence[str]) -> None:
    """Write the dialogs of a primary task and a seed, unless they are there with all archives."""
    path, folder = files.dialogs(primary, seed), files.folder / primary / f"seed-{seed}"
    if path.exists() and set(archives) <= set(files.read(primary, seed).archives):
        return
    for split in ("train", "valid"):
        source = board.split(primary, seed, split)
        _write(source, None, folder / source.name)
    services = board.related_services(primary)
    found: dict[str, Any] = {
        "train": _plain(board.split(primary, seed, "train")),
        "valid": _plain(board.split(primary, seed, "valid")),
        "test": _plain(board.test(primary)),
        "services": list(services),
        "archives": {},
        "service_of": {},
    }
    for archive in archives:
        drawn = []
        for file in board.related(primary, archive, seed):
            dialogs = _drawn(file, seed, RELATED // len(services))
            _write(file, dialogs, folder / archive / file.name)
            drawn.append(dialogs)
        found["archives"][archive] = [turns_of(dialog) for dialogs in drawn for dialog in dialogs]
        found["service_of"][archive] = [number for number, dialogs in enumerate(drawn) for _ in dialogs]
    path.parent.mkdir(parents=True, exist_ok=True)
    content = gzip.compress(json.dumps(found, ensure_ascii=False).encode(), mtime=0)
    write_whole(path, lambda part: part.write_bytes(content))


def _write(source: Path, dialogs: list[Dialog] | None, path: Path) -> None:
    """Write dialogs of a file, or all of it, in the file's own format."""
    from tasksieve.dialogs.formats import format_at
    from tasksieve.dialogs.formats.chat import write_chat

    if dialogs is None:
        write_whole(path, lambda part: part.write_bytes(source.read_bytes()))
    else:
        write = format_at(source).write or write_chat
        write_whole(path, lambda part: write(dialogs, part))


def _plain(file: Path) -> list[Turns]:
    from tasksieve.dialogs.formats import read_dialogs

    return [turns_of(dialog) for dialog in read_dialogs(file)]


def _drawn(file: Path, seed: int, count: int) -> list[Dialog]:
    """Some dialogs of a service: the same ones whatever became of it."""
    from tasksieve.dialogs.formats import read_dialogs

    dialogs = read_dialogs(file)
    numbers = list(range(len(dialogs)))
    Random(f"related {file.stem} {seed}").shuffle(numbers)
    return [dialogs[number] for number in sorted(numbers[:count])]


def turns_of(dialog: Dialog) -> Turns:
    """A dialog as the study reads it; what the system does is its acts with their slots, sorted."""
    return [
        (turn.user, turn.system, " ".join(sorted({f"{act.name}:{act.slot}" for act in turn.acts})))
        for turn in dialog.turns
    ]


def prepare_scores(
    files: StudyFiles,
    cell: tuple[str, int, int, str],
    work: Path,
    settings: Sequence[str] = (),
    selections: Sequence[str] = SELECTIONS,
) -> None:
    """Write scores of an archive's turns, but those that are there: how near they are, and learned runs' weights.

    Args:
        files: where they go; the dialogs are there.
        cell: primary task, seed, size, archive.
        work: where the learned runs go.
        settings: of these runs.
        selections: what to score by, of :data:`SELECTIONS`.
    """
    primary, seed, size, archive = cell
    path = files.scores(primary, seed, size, archive)
    found: dict[str, list[float]] = read_json(path) if path.exists() else {}
    data = files.read(primary, seed)
    for name in (name for name in selections if name not in found):
        if name in SIEVED:
            scores = _sieved(files, cell, data, work / name, (*settings, *SIEVED[name]))
        else:
            scores = nearness(data.train[:size], data.archives[archive])
        found[name] = [round(value, 6) for value in scores]
    write_text(path, json.dumps(found) + "\n")


def nearness(primary: Sequence[Turns], related: Sequence[Turns]) -> list[float]:
    """How near every related turn is to the nearest primary one by its words.

    As the method `nearest-bm25`: of what the user says, the response, and the two sentences before.
    """
    import numpy as np
    from sklearn.feature_extraction.text import CountVectorizer

    from tasksieve.training.methods.nearest_bm25 import bm25
    from tasksieve.training.rivals.nearest import nearest

    texts = [_text(dialog, turn) for group in (primary, related) for dialog in group for turn in range(len(dialog))]
    own = sum(map(len, primary))
    counts = CountVectorizer(token_pattern=r"\w+").fit_transform(texts)
    scores = nearest((counts[:own] > 0).astype(np.float64), bm25(counts[own:].astype(np.float64)))
    return [float(score) for score in scores]


def _text(dialog: Turns, turn: int) -> str:
    return " ".join([*(dialog[turn - 1][:2] if turn else ()), *dialog[turn][:2]])


def _sieved(
    files: StudyFiles, cell: tuple[str, int, int, str], data: StudyData, work: Path, settings: Sequence[str]
) -> list[float]:
    """The mean weights at the end of learned runs on the same dialogs; 0 for turns that they cannot learn from."""
    from tasksieve.experiments.sieve import mean_weights
    from tasksieve.records.config import changed, config_from, set_value
    from tasksieve.records.run_folder import RunFolder
    from tasksieve.training.runs.dialogs import train

    primary, seed, size, archive = cell
    dialogs = files.folder / primary / f"seed-{seed}"
    values: dict[str, Any] = {"training": {"method": "learned"}}
    for assignment in settings:
        set_value(values, assignment)
    values["data"] = {
        "primary": _named(dialogs, "train"),
        "valid": _named(dialogs, "valid"),
        "related": [_named(dialogs / archive, service) for service in data.services],
        "size": size,
        **values.get("data", {}),
    }
    config, runs = config_from(values), []
    for number in range(SIEVES):
        folder = RunFolder(work / f"{primary}-{seed}-{size}-{archive}-{number}")
        if not folder.finished:
            train(changed(config, {"training.seed": seed + 100 * number}), folder.path)
        runs.append(folder.path)
    columns = mean_weights(runs).select("task", "dialog", "turn", "weight").iter_rows()
    weights = {(task, dialog, turn): weight for task, dialog, turn, weight in columns}
    return [weights.get(key, 0.0) for key in _keys(data, archive)]


def _named(folder: Path, stem: str) -> str:
    """The file of dialogs of that name, whatever its format."""
    found = [file for file in folder.glob(f"{stem}.*") if file.stem == stem]
    if not found:
        raise UserError(f"holds no dialogs of {stem}; give --data, so that they can be drawn", folder)
    return str(found[0])


def _keys(data: StudyData, archive: str) -> list[tuple[int, int, int]]:
    """Of every turn its related task, the number of its dialog there, and its own, all from 0."""
    keys, begun = [], dict[int, int]()
    for service, dialog in zip(data.service_of[archive], data.archives[archive], strict=True):
        number = begun.get(service, 0)
        begun[service] = number + 1
        keys += [(service, number, turn) for turn in range(len(dialog))]
    return keys
