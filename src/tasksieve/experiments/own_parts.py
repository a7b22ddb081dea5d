"""Training, validation and test dialogs of the primary task, where the user gives fewer files than that."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tasksieve.dialogs import Dialog
from tasksieve.dialogs.drawn_splits import draw_splits
from tasksieve.dialogs.finetuning.lines import write_lines
from tasksieve.dialogs.formats import FORMATS, archive_files, dialog_file, read_dialogs
from tasksieve.dialogs.formats.chat import CHAT, read_sources
from tasksieve.dialogs.formats.chosen import chosen
from tasksieve.dialogs.formats.format import Format
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.known import format_of
from tasksieve.dialogs.formats.writing import writer
from tasksieve.errors import UserError
from tasksieve.experiments.sieve_record import SieveRecord
from tasksieve.records.files import sha256, write_whole
from tasksieve.records.parted_paths import parted
from tasksieve.records.shares import SHARES_EXAMPLE

HALVES, HELD_OUT = "50/25/25", "50/30/20"
"""Of validation dialogs the first part still chooses models, the others judge; of training dialogs the last one
chooses."""


@dataclass(frozen=True, slots=True)
class OwnParts:
    """Where the primary task's dialogs are.

    Attributes:
        primary, valid, test: paths.
        sentence: what was drawn from what; empty if nothing was.
    """

    primary: str
    valid: str
    test: str
    sentence: str = ""


def own_parts(
    primary: str,
    valid: str | None,
    test: str | None,
    split: str | None,
    seed: int,
    record: SieveRecord,
    *,
    strict: bool,
    begun: bool = False,
) -> OwnParts:
    """Draw what is missing, always in the same way, and write it into a sieve's folder for that, or nothing.

    Without test dialogs one half of the validation dialogs judges; without these, too, ``split`` of the training
    dialogs.

    Args:
        primary, valid, test: as they were given; None for what was not.
        split: shares in per cent, where ``primary`` is all there is; None for :data:`SHARES_EXAMPLE`.
        seed: of the draw.
        record: of the sieve.
        strict: refuse turns without a response.
        begun: whether there are runs that learned from what the folder holds.
    Raises: UserError: if there are too few dialogs, ``split`` is given for nothing, or the folder holds other dialogs
        that runs learned from, or that are drawn from, or files that no sieve wrote.
    """
    if split is not None and (valid is not None or test is not None):
        raise UserError(
            "--split draws validation and test dialogs from --primary; leave out --valid and --test, or it"
        )
    if valid is not None and test is not None:
        return OwnParts(primary, valid, test)
    if valid is not None:
        parts = _Drawn(dialog_file(valid, "valid"), HALVES, seed, strict)
        first, others = parts.write(record, begun, valid=(0,), test=(1, 2))
        what = f"no --test: of the {parts.count} validation dialogs {parts.said(0)} choose the model"
        return OwnParts(primary, first, others, f"{what} and {parts.said(1, 2)} judge it")
    if test is not None:
        parts = _Drawn(dialog_file(primary, "train"), HELD_OUT, seed, strict)
        first, last = parts.write(record, begun, train=(0, 1), valid=(2,))
        what = f"no --valid: of the {parts.count} primary dialogs {parts.said(2)} choose the model"
        return OwnParts(first, last, test, f"{what}, and {parts.said(0, 1)} are learned")
    parts = _Drawn(dialog_file(primary, "train"), split or SHARES_EXAMPLE, seed, strict)
    train, chosen_by, judged_by = parts.write(record, begun, train=(0,), valid=(1,), test=(2,))
    what = f"of the {parts.count} primary dialogs {parts.said(0)} are learned, {parts.said(1)} choose the model"
    return OwnParts(train, chosen_by, judged_by, f"{what} and {parts.said(2)} judge it")


def others_than(related: Sequence[str], own: Sequence[str | None]) -> list[str]:
    """The files of related tasks, without those that the primary task's dialogs are drawn from.

    Args:
        related: files and archives.
        own: training, validation and test dialogs as they were given; None for what was not.
    Raises: UserError: if there are no others.
    """
    splits = ("train", "valid", "test")
    mine = {dialog_file(path, split).resolve() for path, split in zip(own, splits, strict=True) if path}
    found = [file for path in related for file in archive_files(path)]
    others = [str(file) for file in found if file.resolve() not in mine]
    if found and not others:
        raise UserError("holds the primary task's own dialogs alone; give other ones as related", found[0])
    return others


class _Drawn:
    """The dialogs of one file in three parts, as they stand in the file.

    Args:
        path: what is drawn from.
        split: the parts' shares.
        seed: of the draw.
        strict: as reading.
    """

    def __init__(self, path: Path, split: str, seed: int, strict: bool) -> None:
        self._path = path
        found = read_dialogs(path, strict=strict)
        try:
            parts = draw_splits(found, split, seed)
        except ValueError as error:
            raise UserError(f"{error}; give --valid and --test with other dialogs", path) from None
        numbers = {id(dialog): number for number, dialog in enumerate(found)}
        self.count = len(found)
        self._dialogs = found
        self._parts = [sorted(numbers[id(dialog)] for dialog in part) for part in parts]

    def said(self, *places: int) -> str:
        """How many dialogs parts have together."""
        return str(sum(len(self._parts[place]) for place in places))

    def write(self, record: SieveRecord, begun: bool, **files: tuple[int, ...]) -> list[str]:
        """Write files, each of some parts, in the format that they come in where that can be written: all, or none.

        Args:
            record: of the sieve, in whose folder the files are.
            begun: whether runs learned from those that are there.
            files: the parts of each, by its name without the ending.
        Returns: their paths.
        """
        known = self._format()
        targets = [record.dialogs / f"{name}{known.suffixes[0]}" for name in files]
        with TemporaryDirectory() as draft:
            drawn = [Path(draft) / target.name for target in targets]
            for path, places in zip(drawn, files.values(), strict=True):
                self._write(path, known, places)
            others = [
                (path, target)
                for path, target in zip(drawn, targets, strict=True)
                if not target.exists() or sha256(path) != sha256(target)
            ]
            for _, target in others:
                self._refuse(target, begun)
            if others:
                record.claim_dialogs(begun=begun)
            for path, target in others:
                write_whole(target, partial(shutil.copyfile, path))
        return [str(target) for target in targets]

    def _refuse(self, target: Path, begun: bool) -> None:
        """Raise UserError if a file is there that must stay."""
        if not target.exists():
            return
        if target.resolve() == parted(self._path)[0].resolve():
            raise UserError("would be overwritten with a part of itself; choose another --out", target)
        if begun:
            what = "holds other dialogs than are drawn now, and there are runs that learned from them"
            raise UserError(
                f"{what}; give the same dialogs, --split and --split-seed, or choose another --out", target
            )

    def _write(self, target: Path, known: Format, places: tuple[int, ...]) -> None:
        wanted = {number for place in places for number in self._parts[place]}
        if known is CHAT:
            values = (value for number, value in enumerate(self._values()) if number in wanted)
            write_lines(target, values)
        else:
            dialogs: Sequence[Dialog] = [self._dialogs[number] for number in sorted(wanted)]
            write_whole(target, lambda part: writer(known)(dialogs, part))

    def _format(self) -> Format:
        known = format_of(chosen(self._path).files[0][0])
        return known if known.write is not None and known.suffixes else FORMATS["parquet"]

    def _values(self) -> Iterator[Any]:
        """The objects of chat files that are dialogs, in the order in which they are read."""
        meant, journal = chosen(self._path), Journal(self._path)
        journal.split = meant.split
        for file, named in meant.files:
            journal.path, journal.split_of_file = file, named
            yield from (held.value for held in read_sources(file, journal) if held.dialog is not None)
