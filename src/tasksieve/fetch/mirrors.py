"""A data set from the first mirror that has it: retried, resumed, verified, then renamed into place."""

from __future__ import annotations

import gzip
import hashlib
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tasksieve.errors import UserError
from tasksieve.fetch.data_sets import DataSet, PublishedFile
from tasksieve.fetch.part import PartFile
from tasksieve.fetch.transfer import SCHEMES, MirrorFailed, transfer
from tasksieve.records.files import sha256

Watch = Callable[[str, int, int], None]
"""Told the name of a file, how many of its bytes are there, and its size."""
Tell = Callable[[str], None]
"""Told in a sentence what went wrong and what is done about it."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to bear with a mirror.

    Args:
        timeout: seconds without a byte after which it is given up.
        attempts: how often one mirror is asked for a file.
        pause: seconds before the second attempt; doubled before each further one.
    """

    timeout: float = 15
    attempts: int = 3
    pause: float = 1


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that is there now, and whether it was there before."""

    path: Path
    already_there: bool


@dataclass(frozen=True, slots=True)
class _Errand:
    folder: Path
    mirrors: tuple[str, ...]
    patience: Patience
    watch: Watch
    tell: Tell


def fetch_data_set(
    data_set: DataSet,
    folder: Path,
    *,
    mirrors: Sequence[str] = (),
    force: bool = False,
    patience: Patience = Patience(),
    watch: Watch = lambda name, done, size: None,
    tell: Tell = lambda message: None,
) -> list[Fetched]:
    """Get the files of a data set into a folder, each whole and with its published SHA-256, or not at all.

    A file that is there and right is left alone. What arrives is kept in ``NAME.part`` until it is whole, so that the
    same call goes on after an interruption, with any mirror.

    Args:
        data_set: what to fetch.
        folder: where to; it is made if needed.
        mirrors: addresses of folders to use instead of the data set's own; the first that delivers is taken.
        force: replace a file that is there but wrong, once the right one has arrived.
        patience: how long to wait and how often to try.
        watch: told of progress.
        tell: told of attempts that failed.
    Returns: one entry a file, in the order of the data set.
    Raises: UserError: if a mirror's address is not one, a file is there but wrong, no mirror delivers, or the disk is
        full.
    """
    errand = _Errand(folder, tuple(mirrors) or data_set.mirrors, patience, watch, tell)
    for mirror in errand.mirrors:
        _check_address(mirror)
    there = {file.name: _is_there(folder / file.name, file, force) for file in data_set.files}
    missing = [file for file in data_set.files if not there[file.name]]
    for number, file in enumerate(missing):
        _fetch(errand, file, [later.name for later in missing[number:]])
    return [Fetched(folder / name, already) for name, already in there.items()]


def _check_address(mirror: str) -> None:
    try:
        parts = urlsplit(mirror)
        right = parts.scheme in SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        right = False
    if not right:
        raise UserError(f"--mirror: found '{mirror}'; expected the address of a folder, https://… or http://…")


def _is_there(path: Path, file: PublishedFile, force: bool) -> bool:
    if not path.exists():
        return False
    found = sha256(path)
    if found == file.sha256 or (file.unpacked_sha256 and _unpacked_sha256(path) == file.unpacked_sha256):
        return True
    if force:
        return False
    raise UserError(
        f"is there, but is not the published file (SHA-256 {found[:8]}…, expected {file.sha256[:8]}…); "
        "move it away, or replace it with --force",
        path,
    )


def _unpacked_sha256(path: Path) -> str | None:
    digest = hashlib.sha256()
    try:
        with gzip.open(path) as unpacked:
            while block := unpacked.read(1 << 20):
                digest.update(block)
    except (OSError, EOFError, zlib.error):
        return None
    return digest.hexdigest()


def _fetch(errand: _Errand, file: PublishedFile, missing: list[str]) -> None:
    """Get one file from the first mirror that delivers it; ``missing`` are the names for the error message."""
    failures = []
    with PartFile(errand.folder / file.name) as part:
        if part.size > file.size or (part.size == file.size and part.sha256() != file.sha256):
            part.restart()
        for mirror in errand.mirrors:
            try:
                _fetch_from(mirror, errand, file, part)
            except MirrorFailed as failed:
                failures.append(f"{mirror} {failed}")
                errand.tell(f"{file.name}: {mirror} {failed}")
            else:
                part.finish()
                return
        kept = f"; the {part.size:,} bytes that arrived are kept" if part.size else ""
    raise UserError(
        f"{file.name} could not be fetched: {'; '.join(failures)}{kept}. Run the same command again later, name "
        f"another address with --mirror, or put these files into {errand.folder} by hand: {', '.join(missing)}"
    )


def _fetch_from(mirror: str, errand: _Errand, file: PublishedFile, part: PartFile) -> None:
    """Get one file from one mirror, in a few attempts."""
    patience = errand.patience
    for attempt in range(1, patience.attempts + 1):
        try:
            _fetch_once(f"{mirror.rstrip('/')}/{file.name}", errand, file, part)
            return
        except MirrorFailed as failed:
            if not failed.again or attempt == patience.attempts:
                raise
            pause = patience.pause * 2 ** (attempt - 1)
            errand.tell(f"{file.name}: {mirror} {failed}; trying again in {pause:g} s")
            time.sleep(pause)


def _fetch_once(url: str, errand: _Errand, file: PublishedFile, part: PartFile) -> None:
    resumed = part.size > 0
    if part.size < file.size:
        transfer(url, part, file.size, errand.patience.timeout, lambda done: errand.watch(file.name, done, file.size))
    if part.sha256() != file.sha256:
        part.restart()
        raise MirrorFailed("sent something else (the SHA-256 is not the published one)", again=resumed)
