"""The files of a run on dialogs, and the dialogs in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tasksieve.dialogs import Dialog
from tasksieve.dialogs.drawn_splits import Parts, draw_splits
from tasksieve.dialogs.formats import archive_files, dialog_file
from tasksieve.dialogs.formats.task_names import service_names
from tasksieve.encoding import Prediction, annotated_turns, suited
from tasksieve.errors import UserError
from tasksieve.records.config import DataConfig
from tasksieve.records.counts import plural
from tasksieve.records.parted_paths import parted
from tasksieve.training.runs.memo import dialogs_of


@dataclass(frozen=True, slots=True)
class DataFiles:
    """The files a run reads, directories resolved; ``valid`` is ``primary`` where splits are drawn from that."""

    primary: Path
    valid: Path
    related: tuple[Path, ...]

    def all(self) -> tuple[Path, ...]:
        """Every file, primary first."""
        return (self.primary, self.valid, *self.related)

    @property
    def services(self) -> list[str]:
        """What the related tasks are called: as their files, or as the folders that hold a split; no two the same."""
        return service_names(self.related)


def data_files(data: DataConfig) -> DataFiles:
    """Resolve folders: to the split they are needed for, or, as an archive, to all files in them.

    The primary task's own files are no related tasks, even where an archive holds them.

    Raises: UserError: if there is nothing else among what is given as related.
    """
    primary = dialog_file(data.primary, "train")
    valid = primary if data.valid is None else dialog_file(data.valid, "valid")
    own = {primary.resolve(), valid.resolve()}
    related = [file for path in data.related for file in archive_files(path)]
    others = tuple(file for file in related if file.resolve() not in own)
    if related and not others:
        raise UserError("holds the primary task's own dialogs alone; give other ones as related", related[0])
    return DataFiles(primary, valid, others)


def require_files(paths: Iterable[Path], advice: str) -> None:
    """Refuse, for what a finished run needs, files that are not where the run names them.

    Raises: UserError: where it was looked for, and the advice.
    """
    for path in paths:
        place = parted(path)[0].absolute()
        if not place.exists():
            raise UserError(f"was not found at {place}; the run was trained on it: {advice}", path)


@dataclass(frozen=True, slots=True)
class ReadFiles:
    """A run's dialogs as they were read.

    Attributes:
        primary, valid: those that the run takes of the primary task.
        related: those of each related task.
        prediction: what is predicted.
        whole: all training and validation dialogs of the primary task, whatever the run takes of them.
    """

    primary: list[Dialog]
    valid: list[Dialog]
    related: list[list[Dialog]]
    prediction: Prediction
    whole: tuple[list[Dialog], list[Dialog]]


def read_files(data: DataConfig) -> ReadFiles:
    """Read a run's dialogs and decide what is predicted, by the whole files: the same for every size.

    Raises: UserError: if a file cannot be read, holds too few dialogs, or says nowhere what the system does and that
        is to be predicted.
    """
    files = data_files(data)
    primary, valid, *related = _dialogs(data, files)
    prediction = suited(primary, valid) if data.predict == "auto" else Prediction(data.predict, "as set")
    if prediction.what == "actions":
        for path, dialogs in zip(files.all(), [primary, valid, *related], strict=True):
            _require_acts(dialogs, path)
    own, held_out = _first(primary, data, files.primary), valid[: data.size]
    return ReadFiles(own, held_out, related, prediction, (primary, valid))


def read_test(data: DataConfig) -> tuple[Path, list[Dialog]]:
    """The test dialogs that are drawn from the primary ones, and the file that these are in.

    Raises: UserError: if the run draws none, or the file cannot be read.
    """
    path = data_files(data).primary
    if data.split is None:
        raise UserError("has no test dialogs of its own; give --data with some, or train with --split", path)
    return path, _drawn(data, path)[2]


def _dialogs(data: DataConfig, files: DataFiles) -> Iterator[list[Dialog]]:
    """Training and validation dialogs of the primary task, then those of each related one."""
    if data.split is not None:
        yield from _drawn(data, files.primary)[:2]
    else:
        yield from (dialogs_of(path, data.strict) for path in (files.primary, files.valid))
    yield from (dialogs_of(path, data.strict) for path in files.related)


def _drawn(data: DataConfig, path: Path) -> Parts:
    try:
        return draw_splits(dialogs_of(path, data.strict), data.split or "", data.split_seed)
    except ValueError as error:
        raise UserError(f"{error}; give --valid with other dialogs instead of --split", path) from None


def _require_acts(dialogs: list[Dialog], path: Path) -> None:
    if not annotated_turns(dialogs):
        what = "says of no turn what the system does; annotate its actions, or predict responses instead"
        raise UserError(f"{what} (--predict responses)", path)


def _first(dialogs: list[Dialog], data: DataConfig, path: Path) -> list[Dialog]:
    if data.size is not None and len(dialogs) < data.size:
        where = "holds" if data.split is None else f"split {data.split} leaves"
        raise UserError(f"{where} {plural(len(dialogs), 'dialog')}; {data.size} were asked for", path)
    return dialogs[: data.size]
