"""The files of a run on dialogs, and the dialogs in them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tasksieve.dialogs import Dialog
from tasksieve.dialogs.formats import archive_files, dialog_file
from tasksieve.encoding import Prediction, annotated_turns, suited
from tasksieve.errors import UserError
from tasksieve.records.config import DataConfig
from tasksieve.training.runs.memo import dialogs_of


@dataclass(frozen=True, slots=True)
class DataFiles:
    """The files a run reads, directories resolved."""

    primary: Path
    valid: Path
    related: tuple[Path, ...]

    def all(self) -> tuple[Path, ...]:
        """Every file, primary first."""
        return (self.primary, self.valid, *self.related)


def data_files(data: DataConfig) -> DataFiles:
    """Resolve folders: to the split they are needed for, or, as an archive, to all files in them.

    The primary task's own files are no related tasks, even where an archive holds them.
    """
    primary, valid = dialog_file(data.primary, "train"), dialog_file(data.valid, "valid")
    own = {primary.resolve(), valid.resolve()}
    related = [file for path in data.related for file in archive_files(path)]
    return DataFiles(primary, valid, tuple(file for file in related if file.resolve() not in own))


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
    primary, valid, *related = (dialogs_of(path, data.strict) for path in files.all())
    prediction = suited(primary, valid) if data.predict == "auto" else Prediction(data.predict, "as asked for")
    if prediction.what == "actions":
        for path, dialogs in zip(files.all(), [primary, valid, *related], strict=True):
            _require_acts(dialogs, path)
    own, held_out = _first(primary, data.size, files.primary), _first(valid, data.size, files.valid)
    return ReadFiles(own, held_out, related, prediction, (primary, valid))


def _require_acts(dialogs: list[Dialog], path: Path) -> None:
    if not annotated_turns(dialogs):
        what = "says of no turn what the system does; annotate its actions, or predict responses instead"
        raise UserError(f"{what} (--predict responses)", path)


def _first(dialogs: list[Dialog], size: int | None, path: Path) -> list[Dialog]:
    if size is not None and len(dialogs) < size:
        raise UserError(f"holds {len(dialogs)} dialogs; {size} were asked for", path)
    return dialogs[:size]
