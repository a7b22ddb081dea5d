"""Archives of related dialogs that are too large for memory: read once, then kept on the disk as numbers.

They lie in the folder ``archives`` of the user's caches, one folder for each archive and way of reading it.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from tasksieve.dialogs.formats import iterate_dialogs
from tasksieve.dialogs.formats.chosen import tell
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.encoding import Reader
from tasksieve.encoding.archive_writing import ArchiveWriter
from tasksieve.encoding.archived_task import Archive
from tasksieve.encoding.sentences.cache import cache_folder
from tasksieve.errors import UserError
from tasksieve.records.config import DataConfig, RunConfig
from tasksieve.records.lock import WITHOUT_LOCKS
from tasksieve.records.model_config import LanguageModelConfig, RankingConfig
from tasksieve.records.parted_paths import data_files_at
from tasksieve.training.runs.encoding import AMONG
from tasksieve.training.runs.memo import file_key
from tasksieve.training.runs.read_files import data_files
from tasksieve.variables import CACHE, large_files

_UNUSED = 30 * 24 * 3600.0
"""Seconds after which an archive that no run has used is removed when another one is made."""
_VERSION = 3
_EVERY = 30.0
_log = logging.getLogger("tasksieve")


def is_large(config: RunConfig) -> bool:
    """Whether a settled run's related dialogs are to be read one at a time, and can be.

    They can where actions are predicted, or responses by a model that ranks them, batches are drawn of all related
    tasks together, heads are not shared, and the model reads no tokens.

    Raises: UserError: if the environment variable is no size.
    """
    if config.training.related_batch_size is None or not config.data.related:
        return False
    if isinstance(config.model, LanguageModelConfig) or config.training.heads == "shared":
        return False
    if config.data.predict != "actions" and not isinstance(config.model, RankingConfig):
        return False
    return len(data_files(config.data).related) > 1 and related_bytes(config.data) >= large_files()


def related_bytes(data: DataConfig) -> int:
    """How many bytes the related files have together; of one that cannot be read whoever reads it says so."""
    total = 0
    for file in (file for path in data_files(data).related for file in data_files_at(path)):
        with suppress(OSError):
            total += file.stat().st_size
    return total


def archive_of(config: RunConfig, reader: Reader, *, texts: bool) -> Archive:
    """The archive of a run's related dialogs; made if it is not there.

    Args:
        config: of the run.
        reader: of related dialogs. If it takes all as it was written, responses are ranked, and each turn chooses
            among some that are drawn when the archive is made.
        texts: whether an encoder is to read the sentences.
    Raises: UserError: if a file cannot be read, says nowhere what the system does, or the disk takes no more.
    """
    files = data_files(config.data).related
    folder = cache_folder() / "archives" / _name(config, reader, files, texts)
    if not (folder / "archive.json").exists():
        with _alone(folder):
            if not (folder / "archive.json").exists():
                _make(folder, config, reader, files, texts)
    with suppress(OSError):
        os.utime(folder)
    return Archive(folder)


def _name(config: RunConfig, reader: Reader, files: Sequence[Path], texts: bool) -> str:
    how: tuple[object, ...] = (
        _VERSION,
        reader.facts,
        reader.slot_acts,
        config.model.max_memories,
        config.data.strict,
        texts,
    )
    how += (reader.predict, AMONG) if reader.written else ()
    key = repr((how, [file_key(file) for file in files]))
    return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let no other process make the same archive meanwhile.

    Without a lock of the operating system there is none: a file that stands for one would outlive a process that is
    killed on another machine, and everybody would wait for it.
    """
    lock = FileLock(folder.with_suffix(".lock"), fallback_to_soft=False)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            _log.info("another process is reading the archive; waiting for it")
            lock.acquire()
        try:
            yield
        finally:
            lock.release()
    except OSError as error:
        if error.errno in WITHOUT_LOCKS:
            instead = f"set {CACHE} to a folder on a local disk"
            raise UserError(f"its file system knows no locks; {instead}", folder.parent) from None
        raise UserError(f"cannot be written: {error.strerror or error}; free space or set {CACHE}", folder) from None


def _make(folder: Path, config: RunConfig, reader: Reader, files: Sequence[Path], texts: bool) -> None:
    part = folder.with_suffix(".part")
    for old in (part, folder):
        shutil.rmtree(old, ignore_errors=True)
    _remove_unused(folder.parent)
    part.mkdir()
    try:
        told, among = time.monotonic(), AMONG if reader.written else 0
        with ArchiveWriter(part, config.model.max_memories, texts=texts, among=among) as writer:
            for number, file in enumerate(files):
                writer.begin()
                _take(file, writer, reader, config.data.strict)
                if time.monotonic() - told >= _EVERY:
                    told = time.monotonic()
                    _log.info("reading the archive: %d of %d files", number + 1, len(files))
            writer.finish()
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _take(file: Path, writer: ArchiveWriter, reader: Reader, strict: bool) -> None:
    journal, dialogs, annotated = Journal(file, strict=strict), 0, False
    try:
        for dialog in iterate_dialogs(file, journal):
            dialogs += 1
            annotated = annotated or any(turn.acts for turn in dialog.turns if turn.learned)
            writer.add(dialog, reader.read_one(dialog))
    finally:
        tell(journal, file, dialogs)
    if reader.predict == "actions" and not annotated:
        what = "says of no turn what the system does; annotate its actions, or predict responses instead"
        raise UserError(f"{what} (--predict responses)", file)


def _remove_unused(root: Path) -> None:
    for folder in root.iterdir():
        with suppress(OSError):
            if folder.is_dir() and time.time() - folder.stat().st_mtime > _UNUSED:
                shutil.rmtree(folder)
