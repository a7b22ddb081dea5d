"""An encoder that remembers on the disk what it has embedded, by text and by the encoder's digest."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from filelock import FileLock, Timeout
from jaxtyping import Float
from torch import Tensor

from tasksieve.encoding.sentences.pretrained import Progress
from tasksieve.encoding.sentences.shards import KEY, Shards, drop_oldest
from tasksieve.errors import UserError
from tasksieve.variables import cache_limit, named_cache

PIECE = 1024
"""Sentences that are embedded before they are put on the disk."""
PATIENCE = 600.0
"""Seconds to wait for another process that embeds; it takes seconds a piece."""
PAUSE = 10.0
"""Seconds between two lines of the log."""
_log = logging.getLogger("tasksieve")


@runtime_checkable
class Embeds(Protocol):
    """What of an encoder is needed; its attributes are described there."""

    name: str
    dim: int
    digest: str

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> Float[Tensor, "texts dim"]:
        """A vector for each text."""
        ...


class CachedEncoder:
    """Gives an encoder's vectors, from the disk where they are there.

    Processes that embed at the same time share the work: one embeds a piece while the others wait, and then find it.
    A cache that cannot be written costs a line in the log, and no more.

    Args:
        encoder: embeds what is new.
        folder: of the cache of all encoders; by default ``sentences`` in :func:`cache_folder`.
        limit: bytes that the cache may have; by default what the user's environment says. 0 for no cache.

    Raises: UserError: if an environment variable is no size.

    Attributes:
        name, dim, digest: of the encoder.
    """

    def __init__(self, encoder: Embeds, folder: Path | None = None, limit: int | None = None) -> None:
        self._encoder = encoder
        self.name, self.dim, self.digest = encoder.name, encoder.dim, encoder.digest
        self._root = cache_folder() / "sentences" if folder is None else folder
        self._limit = cache_limit() if limit is None else limit
        self._own = self._root / self.digest[:32]
        self._shards = Shards(self._own, self.dim)
        self._caches = self._limit > 0

    def fresh(self, texts: Sequence[str]) -> Float[Tensor, "texts dim"]:
        """A vector for each text, for who keeps them himself."""
        return self._encoder.embed(texts)

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> Float[Tensor, "texts dim"]:
        """A vector for each text, as float32 on the CPU.

        Args:
            texts: each distinct one is embedded once.
            progress: told how many of the distinct texts are done, known ones first.
        Raises: UserError: if the encoder's files cannot be read.
        """
        wanted = {key_of(text): text for text in texts}
        places = {key: place for place, key in enumerate(wanted)}
        rows, looked = torch.zeros(len(wanted), self.dim), set[Path]()
        told = _Told(self.name, len(wanted), progress)
        new = self._left(sorted(wanted, key=lambda key: len(wanted[key]), reverse=True), places, rows, looked)
        told(len(wanted) - len(new))
        while new:
            with self._alone() as alone:
                new = self._left(new, places, rows, looked)  # another process may have embedded some meanwhile
                piece, new = new[:PIECE], new[PIECE:]
                told.before = len(wanted) - len(new) - len(piece)
                vectors = self._encoder.embed([wanted[key] for key in piece], told.further)
                rows[[places[key] for key in piece]] = vectors
                if alone and piece:
                    self._keep(piece, vectors)
            told(len(wanted) - len(new))
        return rows[[places[key_of(text)] for text in texts]]

    def _left(self, keys: list[bytes], places: dict[bytes, int], rows: Tensor, looked: set[Path]) -> list[bytes]:
        """Fill in the rows that are on the disk; returns the keys of the others, in their order."""
        if not self._caches:
            return keys
        found = self._shards.find({key: places[key] for key in keys}, rows, looked)
        return [key for key in keys if key not in found]

    def _keep(self, keys: list[bytes], vectors: Tensor) -> None:
        try:
            self._shards.add(keys, vectors)
            drop_oldest(self._root, self._limit)
        except UserError as error:
            self._give_up(str(error))

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Let no other process embed with this encoder; gives whether that can be had, and rows can be kept."""
        if not self._caches:
            yield False
            return
        lock = FileLock(self._own / ".lock", fallback_to_soft=False)
        try:
            self._own.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=PATIENCE)
        except Timeout:
            _log.warning("%s: another process has been embedding for %d s; going on beside it", self._own, PATIENCE)
        except OSError as error:
            self._give_up(f"{self._own}: {error.strerror or error}")
        try:
            yield lock.is_locked
        finally:
            lock.release()

    def _give_up(self, reason: str) -> None:
        _log.warning("vectors of sentences cannot be kept for the next time: %s", reason)
        self._caches = False


class _Told:
    """Tells how far the embedding is: a callback each time, the log now and then.

    Args:
        name: of the encoder.
        total: how many sentences there are.
        progress: the callback.
    """

    def __init__(self, name: str, total: int, progress: Progress | None) -> None:
        self._name, self._total, self._progress = name, total, progress
        self._last = time.monotonic()
        self.before = 0

    def further(self, done: int, _: int) -> None:
        """So many are done beside those that were before."""
        self(self.before + done)

    def __call__(self, done: int) -> None:
        if self._progress is not None:
            self._progress(done, self._total)
        if time.monotonic() - self._last >= PAUSE:
            self._last = time.monotonic()
            _log.info("encoder %s: %s of %s sentences", self._name, f"{done:,}", f"{self._total:,}")


def key_of(text: str) -> bytes:
    """What a text is found by."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=KEY).digest()


def cache_folder() -> Path:
    """The folder of this user's caches: ``TASKSIEVE_CACHE``, or where the system keeps them.

    Raises: UserError: if the variable names no folder.
    """
    if (named := named_cache()) is not None:
        return named
    import pooch  # takes a while

    return Path(pooch.os_cache("tasksieve"))
