"""A data set from the first mirror that has it: pooch verifies what arrives and gives it its name."""

from __future__ import annotations

import gzip
import hashlib
import time
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pooch

from tasksieve.errors import UserError
from tasksieve.fetch.data_sets import DataSet, PublishedFile
from tasksieve.fetch.resuming import MirrorFailed, Resuming
from tasksieve.records.files import sha256
from tasksieve.records.lock import FolderLock

Tell = Callable[[str], None]
"""Told in a sentence what went wrong and what is done about it."""


def fetch_data_set(
    data_set: DataSet,
    folder: Path,
    *,
    mirrors: Sequence[str] = (),
    force: bool = False,
    timeout: float = 15,
    pauses: Sequence[float] = (1, 2),
    watch: Callable[[str, int, int], None] = lambda name, done, size: None,
    tell: Tell = lambda message: None,
) -> dict[Path, bool]:
    """Get the files of a data set into a folder, each whole and with its published SHA-256, or not at all.

    A file that is there and right is left alone. What arrives is kept in ``NAME.part`` until it is whole, so that the
    next mirror, or the same call after an interruption, goes on from there.

    Args:
        data_set: what to fetch.
        folder: where to; it is made if needed.
        mirrors: addresses of folders to use instead of the data set's own; the first that delivers is taken.
        force: replace a file that is there but wrong, once the right one has arrived.
        timeout: seconds without a byte after which a mirror is given up.
        pauses: seconds to wait before the mirrors are asked once more, those that may yet deliver.
        watch: told the name of a file, how many of its bytes are there, and its size.
        tell: told in a sentence what went wrong and what is done about it.
    Returns: for each file, in the order of the data set, whether it was there before.
    Raises: UserError: if a file is there but wrong, no mirror delivers, the disk is full, or another process is at
        work in the folder.
    """
    there = {folder / file.name: _is_there(folder / file.name, file, force) for file in data_set.files}
    if not all(there.values()):
        pooch.get_logger().setLevel("WARNING")  # `watch` shows what it would say
        with FolderLock(folder):
            for file in data_set.files:
                if not there[folder / file.name]:
                    part, shown = folder / f"{file.name}.part", partial(watch, file.name)
                    _fetch(
                        file,
                        tuple(mirrors) or data_set.mirrors,
                        Resuming(part, file.size, timeout, shown),
                        pauses,
                        tell,
                    )
    return there


def _is_there(path: Path, file: PublishedFile, force: bool) -> bool:
    if not path.exists():
        return False
    found = sha256(path)
    if found == file.sha256 or _unpacked_sha256(path) == file.unpacked_sha256:
        return True
    if force:
        return False
    raise UserError(
        f"is there, but is not the published file (SHA-256 {found[:8]}…, expected {file.sha256[:8]}…); "
        "move it away, or replace it with --force",
        path,
    )


def _unpacked_sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with gzip.open(path) as unpacked:
            while block := unpacked.read(1 << 20):
                digest.update(block)
    except (OSError, EOFError, zlib.error):
        return "not packed"
    return digest.hexdigest()


def _fetch(
    file: PublishedFile, mirrors: Sequence[str], resuming: Resuming, pauses: Sequence[float], tell: Tell
) -> None:
    """Get a file from the first mirror that delivers."""
    failures: dict[str, str] = {}
    waiting, part = list(mirrors), resuming.part
    for pause in (0, *pauses):
        if pause and waiting:
            tell(f"{file.name}: trying again in {pause:g} s")
            time.sleep(pause)
        for mirror in tuple(waiting):
            again = resuming.arrived() > 0  # a wrong digest may be the fault of what was there
            try:
                address = f"{mirror.rstrip('/')}/{file.name}"
                pooch.retrieve(address, f"sha256:{file.sha256}", file.name, part.parent, downloader=resuming)
                return
            except MirrorFailed as failed:
                failures[mirror], again = str(failed), failed.again
            except ValueError:  # pooch's word for a wrong digest
                failures[mirror] = "sent something else (the SHA-256 is not the published one)"
            except OSError as error:
                raise UserError(f"cannot be written: {error.strerror or error}", part) from None
            tell(f"{file.name}: {mirror} {failures[mirror]}")
            if not again:
                waiting.remove(mirror)
    if not resuming.arrived():
        part.unlink(missing_ok=True)
    said = "; ".join(f"{mirror} {what}" for mirror, what in failures.items())
    kept = f"; the {resuming.arrived():,} bytes that arrived are kept" if resuming.arrived() else ""
    raise UserError(
        f"{file.name} could not be fetched: {said}{kept}. Run the same command again later, name another address "
        f"with --mirror, or put the file into {part.parent} by hand"
    )
