"""The files of an audit, their dialogs, and what of them is not read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tasksieve.audit.splits import PRIMARY, TEST, VALID, Splits
from tasksieve.dialogs import Dialog
from tasksieve.dialogs.drawn_splits import draw_splits
from tasksieve.dialogs.formats import archive_files, dialog_file, iterate_dialogs
from tasksieve.dialogs.formats.chosen import tell
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.task_names import service_names
from tasksieve.errors import UserError
from tasksieve.records.counts import plural


@dataclass(frozen=True, slots=True)
class Files:
    """Where dialogs are.

    Attributes:
        primary: training dialogs of the primary task: a file in any format, or a folder with splits.
        related: training dialogs of each related task; a folder of files is one task for each.
        valid, test: validation and test dialogs of the primary task.
        split: shares of training, validation and test dialogs that are drawn from ``primary``, e.g. ``60/20/20``.
        split_seed: of that draw.
        size: use the first so many primary dialogs, and at most so many validation dialogs, as such a run does.
        strict: refuse turns without a response.
    """

    primary: Path | str
    related: Sequence[Path | str] = ()
    valid: Path | str | None = None
    test: Path | str | None = None
    split: str | None = None
    split_seed: int = 0
    size: int | None = None
    strict: bool = False


@dataclass(slots=True)
class Read:
    """What was read.

    Attributes:
        splits: the dialogs.
        files: the file of each split, by the split's name.
        not_read: by file, what of it is not read, and how often it is there.
        as_one: by file, a sentence on the splits in it that were read as one.
        whole: the dialogs of the primary task, whatever size was asked for.
    """

    splits: Splits
    whole: Splits
    files: dict[str, str] = field(default_factory=dict)
    not_read: dict[str, dict[str, int]] = field(default_factory=dict)
    as_one: dict[str, str] = field(default_factory=dict)


def read_all(given: Files) -> Read:
    """Read the dialogs of all files.

    Raises: UserError: if a file cannot be read, or holds too few dialogs.
    """
    reading = _Reading(given.strict)
    primary = dialog_file(given.primary, "train")
    valid = None if given.valid is None else dialog_file(given.valid, "valid")
    test = None if given.test is None else dialog_file(given.test, "test")
    if given.split is not None:
        parts = _draw(reading.dialogs(primary), given, primary)
        named = {PRIMARY: primary, VALID: primary, TEST: primary}
        own = dict(zip((PRIMARY, VALID, TEST), parts, strict=True))
    else:
        named = {name: path for name, path in ((PRIMARY, primary), (VALID, valid), (TEST, test)) if path is not None}
        own = {name: reading.dialogs(path) for name, path in named.items()}
    known = {path.resolve() for path in (primary, valid) if path is not None}
    related = [file for path in given.related for file in archive_files(path) if file.resolve() not in known]
    splits = Splits(
        primary=_first(own[PRIMARY], given.size, primary),
        related=tuple(map(reading.dialogs, related)),
        valid=own[VALID][: given.size] if VALID in own else None,
        test=own.get(TEST),
        names=_names(related),
    )
    files = [*named.items(), *zip(splits.related_names(), related, strict=True)]
    whole = Splits(own[PRIMARY], valid=own.get(VALID), test=own.get(TEST))
    return Read(splits, whole, {name: str(path) for name, path in files}, reading.not_read, reading.as_one)


class _Reading:
    """Reads files, and keeps account of what they lose."""

    def __init__(self, strict: bool) -> None:
        self._strict = strict
        self.not_read: dict[str, dict[str, int]] = {}
        self.as_one: dict[str, str] = {}

    def dialogs(self, path: Path) -> list[Dialog]:
        journal = Journal(path, strict=self._strict)
        found: list[Dialog] = []
        try:
            found.extend(iterate_dialogs(path, journal))
        except UserError:
            tell(journal, path, len(found))
            raise
        journal.path = path
        if journal.as_one is not None:
            self.as_one[str(path)] = journal.as_one
        if journal.lost:
            self.not_read[str(path)] = dict(journal.lost.most_common())
        return found


def _draw(dialogs: list[Dialog], given: Files, path: Path) -> tuple[list[Dialog], ...]:
    try:
        return draw_splits(dialogs, given.split or "", given.split_seed)
    except ValueError as error:
        raise UserError(f"{error}; give --valid with other dialogs instead of --split", path) from None


def _first(dialogs: list[Dialog], size: int | None, path: Path) -> list[Dialog]:
    if size is not None and len(dialogs) < size:
        raise UserError(f"holds {plural(len(dialogs), 'dialog')}; {size} were asked for", path)
    return dialogs[:size]


def _names(related: Sequence[Path]) -> tuple[str, ...]:
    """What training calls the related tasks; one called as a split of the primary task says that it is not."""
    return tuple(f"{name} (related)" if name in (PRIMARY, VALID, TEST) else name for name in service_names(related))
