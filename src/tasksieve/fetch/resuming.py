"""A download that goes on where an earlier one broke off."""

from __future__ import annotations

import os
from collections.abc import Callable
from http.client import responses
from pathlib import Path

import requests
from urllib3.exceptions import HTTPError


class MirrorFailed(Exception):
    """A mirror did not deliver; says what it did instead, and whether asking ``again`` may help."""

    def __init__(self, message: str, *, again: bool) -> None:
        self.again = again
        super().__init__(message)


class Resuming:
    """Brings a file of known size; what pooch calls a downloader.

    Args:
        part: where to keep what has arrived, until it is ``size`` bytes.
        size: of the whole file, in bytes; no more is read, whatever the server sends.
        timeout: give up when nothing arrives for so many seconds.
        watch: told how many bytes there are, and ``size``, after each block.
    """

    def __init__(self, part: Path, size: int, timeout: float, watch: Callable[[int, int], None]) -> None:
        self.part, self.size, self.timeout, self.watch = part, size, timeout, watch

    def arrived(self) -> int:
        """How many bytes have arrived; none if there are more than the file has."""
        found = self.part.stat().st_size if self.part.exists() else 0
        return found if found <= self.size else 0

    def __call__(self, url: str, output_file: str, pooch: object) -> None:
        """Let ``output_file`` be what lies at an address. Raises: MirrorFailed: what arrived is kept."""
        if self.arrived() < self.size:
            try:
                self._receive(url, self.arrived())
            except (requests.RequestException, HTTPError, ValueError) as error:  # the last: an address led astray
                again = isinstance(error, (requests.ConnectionError, requests.Timeout, HTTPError))
                what = self._broken_off() if isinstance(error, HTTPError) else "cannot be reached"
                raise MirrorFailed(f"{what} ({_reason(error)})", again=again) from None
        self.part.replace(output_file)

    def _receive(self, url: str, start: int) -> None:
        headers = {"User-Agent": "tasksieve", "Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        with requests.get(url, headers=headers, stream=True, timeout=self.timeout) as answer:
            self._check(answer, start)
            with self.part.open("ab" if answer.status_code == 206 else "wb") as file:
                blocks = answer.raw.stream(1 << 14, decode_content=False)
                while file.tell() < self.size and (block := next(blocks, b"")):
                    file.write(block[: self.size - file.tell()])
                    self.watch(file.tell(), self.size)
                os.fsync(file.fileno())
        if self.arrived() < self.size:
            raise MirrorFailed(self._broken_off(), again=True)

    def _broken_off(self) -> str:
        return f"broke off at {self.arrived():,} of {self.size:,} bytes"

    def _check(self, answer: requests.Response, start: int) -> None:
        status = answer.status_code
        if status == 416:
            self.part.unlink(missing_ok=True)  # it cannot go on from there, but may begin
        if status != 200 and not (start and status == 206):
            again = status >= 500 or status in (408, 416, 429)
            raise MirrorFailed(f"answered {status} {responses.get(status, '')}".rstrip(), again=again)
        if status == 206 and not answer.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            raise MirrorFailed("sent another part of the file than was asked for", again=False)


def _reason(error: BaseException) -> str:
    """What lies at the bottom of an error, in the system's words if it has any."""
    while below := error.__cause__ or error.__context__:
        error = below
    return getattr(error, "strerror", None) or str(error)
