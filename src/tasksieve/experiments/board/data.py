"""The dialogs of the board: what each run draws of an archive, as files that are written once.

::

    data/clean/SERVICE.json                 every service, as the product reads it
    data/stale/seed-0/SERVICE.json          the services that are spoiled for some primary task, by seed
    data/primaries/SERVICE/test.json        fixed for a primary task
    data/primaries/SERVICE/seed-0/train.json, valid.json
    data/primaries/SERVICE/seed-0/stale.csv which related tasks are sound, for the oracle
    data/draws.json                         numbers of dialogs, and the SHA-256 of the archive
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from random import Random
from typing import Any

from tasksieve.dialogs import Dialog
from tasksieve.dialogs.archives import ARCHIVES, spoiled_services
from tasksieve.dialogs.formats import archive_files, format_at, read_dialogs
from tasksieve.dialogs.formats.chat import write_chat
from tasksieve.errors import UserError
from tasksieve.records.changed_files import changed_files
from tasksieve.records.files import read_json, write_text, write_whole
from tasksieve.records.parted_paths import data_sha256

TEST = 100
"""Test dialogs of a primary task at most."""
DRAWN = 100
"""Dialogs that are left to draw from, as far as a third of all are enough for the test."""


@dataclass(frozen=True, slots=True)
class Draw:
    """Which dialogs of a service a run has, by their numbers in its file, from 0."""

    train: tuple[int, ...]
    valid: tuple[int, ...]


def fixed_test(service: str, count: int) -> tuple[int, ...]:
    """The numbers of the test dialogs: the same for every seed and every size.

    There are :data:`TEST` of them; fewer if less than :data:`DRAWN` dialogs would be left, but a third of all.
    """
    wanted = min(TEST, max(count - DRAWN, count // 3))
    return tuple(sorted(Random(f"test {service}").sample(range(count), wanted)))


def draw(service: str, count: int, seed: int) -> Draw:
    """Two halves of the dialogs that are not for the test, in a seeded order; a size takes the first of each."""
    kept = set(fixed_test(service, count))
    pool = [number for number in range(count) if number not in kept]
    Random(f"draw {service} {seed}").shuffle(pool)
    half = len(pool) // 2
    return Draw(tuple(pool[:half]), tuple(pool[half : 2 * half]))


class BoardData:
    """The files of a board.

    Args:
        source: the archive: a folder with a file a service.
        folder: where the files go.
    Raises: UserError: if the archive has fewer than two services.
    """

    def __init__(self, source: Path, folder: Path) -> None:
        self.folder = folder
        self._sources = {path.stem: path for path in archive_files(source)}
        self._read: dict[str, list[Dialog]] = {}
        if len(self._sources) < 2:
            raise UserError("holds one service; an archive needs two, each in a file of its own", source)

    @property
    def services(self) -> tuple[str, ...]:
        """Every service by its name."""
        return tuple(sorted(self._sources))

    @cached_property
    def digests(self) -> dict[str, str]:
        """The SHA-256 of the archive's files, by service."""
        return {service: data_sha256(self._sources[service]) for service in self.services}

    def prepare(self, primaries: Sequence[str], archives: Sequence[str], seeds: int) -> None:
        """Write the files that are missing.

        Raises: UserError: if the archive is not the one that files were written of before, a primary task is none of
            its services, or the dialogs of one are too few or say too little for an archive.
        """
        unknown = [name for name in primaries if name not in self._sources]
        if unknown:
            raise UserError(f"unknown primary task '{unknown[0]}'; the archive holds {', '.join(self.services)}")
        record = self._known()
        for service in self.services:
            self._write(service, self._clean(service), partial(self._dialogs, service))
        for primary in primaries:
            record["primaries"][primary] = self._prepare_primary(primary, seeds)
            for archive in archives:
                for seed in range(seeds) if ARCHIVES[archive].spoil is not None else ():
                    self._spoil(primary, archive, seed)
        write_text(self.folder / "draws.json", json.dumps(record) + "\n")
        self._read.clear()

    def _known(self) -> dict[str, Any]:
        file = self.folder / "draws.json"
        record: dict[str, Any] = read_json(file) if file.exists() else {"sources": self.digests, "primaries": {}}
        if found := changed_files(record["sources"], self.digests):
            instead = "give the archive as it was, or choose another --out"
            raise UserError(f"was drawn from another archive: {found}; {instead}", self.folder)
        return record

    def _prepare_primary(self, primary: str, seeds: int) -> dict[str, Any]:
        count = len(self._dialogs(primary))
        test = fixed_test(primary, count)
        if not test:
            raise UserError(f"holds {count} dialogs; a primary task needs at least 4", self._sources[primary])
        self._write(primary, self.test(primary), lambda: self._chosen(primary, test))
        draws = [draw(primary, count, seed) for seed in range(seeds)]
        for seed, drawn in enumerate(draws):
            for split, numbers in (("train", drawn.train), ("valid", drawn.valid)):
                self._write(primary, self.split(primary, seed, split), partial(self._chosen, primary, numbers))
        return {"test": test, "seeds": [{"train": one.train, "valid": one.valid} for one in draws]}

    def _spoil(self, primary: str, archive: str, seed: int) -> None:
        spoiled = self.spoiled(primary, archive, seed)
        for service in sorted(spoiled):
            self._write(service, self._spoiled(service, archive, seed), partial(self._made, service, archive, seed))
        labels = (f"{task},{int(name not in spoiled)}\n" for task, name in enumerate(self.related_services(primary)))
        write_text(self.labels(primary, archive, seed), "task,label\n" + "".join(labels))

    def _made(self, service: str, archive: str, seed: int) -> list[Dialog]:
        spoil = ARCHIVES[archive].spoil
        assert spoil is not None
        try:
            return spoil(self._dialogs(service), f"{service} {seed}")
        except UserError as error:
            raise UserError(f"cannot be made {archive}: {error.message}", self._sources[service]) from None

    def spoiled(self, primary: str, archive: str, seed: int) -> frozenset[str]:
        """The related services that are spoiled in an archive; none in a clean one."""
        if ARCHIVES[archive].spoil is None:
            return frozenset()
        return spoiled_services(self.related_services(primary), f"{archive} {primary} {seed}")

    def related_services(self, primary: str) -> tuple[str, ...]:
        """All services but one, in the order of the related tasks."""
        return tuple(service for service in self.services if service != primary)

    def related(self, primary: str, archive: str, seed: int) -> tuple[Path, ...]:
        """The files of the related tasks."""
        spoiled = self.spoiled(primary, archive, seed)
        return tuple(
            self._spoiled(service, archive, seed) if service in spoiled else self._clean(service)
            for service in self.related_services(primary)
        )

    def most(self, primary: str) -> int:
        """How many training dialogs a primary task has at most."""
        return len(read_json(self.folder / "draws.json")["primaries"][primary]["seeds"][0]["train"])

    def test(self, primary: str) -> Path:
        """The file of the test dialogs."""
        return self._named(primary, "primaries", primary, stem="test")

    def split(self, primary: str, seed: int, split: str) -> Path:
        """The file of the training or validation dialogs."""
        return self._named(primary, "primaries", primary, f"seed-{seed}", stem=split)

    def labels(self, primary: str, archive: str, seed: int) -> Path:
        """The table for the oracle."""
        return self.folder / "primaries" / primary / f"seed-{seed}" / f"{archive}.csv"

    def _clean(self, service: str) -> Path:
        return self._named(service, "clean")

    def _spoiled(self, service: str, archive: str, seed: int) -> Path:
        return self._named(service, archive, f"seed-{seed}")

    def _named(self, service: str, *folders: str, stem: str | None = None) -> Path:
        return self.folder.joinpath(*folders, f"{stem or service}{self._sources[service].suffix}")

    def _dialogs(self, service: str) -> list[Dialog]:
        if service not in self._read:
            self._read[service] = read_dialogs(self._sources[service])
        return self._read[service]

    def _chosen(self, service: str, numbers: Sequence[int]) -> list[Dialog]:
        dialogs = self._dialogs(service)
        return [dialogs[number] for number in numbers]

    def _write(self, service: str, path: Path, dialogs: Callable[[], list[Dialog]]) -> None:
        """Write dialogs in the format of their service's own file, unless they are there."""
        if not path.exists():
            write = format_at(self._sources[service]).write or write_chat
            write_whole(path, lambda part: write(dialogs(), part))
