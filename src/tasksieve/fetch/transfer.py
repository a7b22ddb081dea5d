"""One request: what is still missing of one file, from one mirror, within bounds of time and size."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPException, HTTPResponse, InvalidURL, responses
from typing import cast
from urllib.error import URLError
from urllib.parse import urljoin, urlsplit
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request, UnknownHandler

from tasksieve.fetch.part import PartFile

BLOCK = 1 << 16
REDIRECTS = 5
SCHEMES = ("https", "http")


class MirrorFailed(Exception):
    """A mirror did not deliver.

    Args:
        message: what it did instead, to stand behind its name.
        again: whether asking the same mirror once more may help.
    """

    def __init__(self, message: str, *, again: bool) -> None:
        self.again = again
        super().__init__(message)


def transfer(url: str, part: PartFile, size: int, timeout: float, watch: Callable[[int], None]) -> None:
    """Bring a part up to ``size`` bytes: go on where it ends, or start over if the server cannot.

    Never reads more than ``size`` bytes, whatever the server sends.

    Args:
        url: the address of the file.
        part: what has arrived so far; it is kept if the transfer breaks off.
        size: the size of the whole file.
        timeout: give up when nothing arrives for so many seconds.
        watch: told how many bytes there are, after each block.
    Raises: MirrorFailed: if the server does not deliver the rest.
    """
    with closing(_open(url, part.size, timeout)) as response:
        _begin(response, part, size)
        watch(part.size)
        while part.size < size:
            part.append(_read(response, part.size, size, timeout))
            watch(part.size)


def _begin(response: HTTPResponse, part: PartFile, size: int) -> None:
    """Make the part end where the body begins, or refuse the body."""
    status = response.status
    if status == 206 and part.size:
        given = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        if given is None or int(given[1]) != part.size:
            raise MirrorFailed("sent another part of the file than was asked for", again=False)
        _check_size(given[2], size)
    elif status == 200:
        _check_size(response.headers.get("Content-Length", "*"), size)
        part.restart()
    elif status == 416 and part.size:
        part.restart()
        raise MirrorFailed("cannot go on with what has arrived", again=True)
    else:
        reason = f"{status} {responses.get(status, '')}".strip()
        raise MirrorFailed(f"answered {reason}", again=status >= 500 or status in (408, 429))


def _check_size(found: str, size: int) -> None:
    if found.isdecimal() and int(found) != size:
        raise MirrorFailed(f"has a file of {int(found):,} bytes instead of {size:,}", again=False)


def _read(response: HTTPResponse, done: int, size: int, timeout: float) -> bytes:
    place = f"at {done:,} of {size:,} bytes"
    try:
        block = response.read1(min(BLOCK, size - done))
    except TimeoutError:
        raise MirrorFailed(f"sent nothing for {timeout:g} s {place}", again=True) from None
    except (OSError, HTTPException):
        block = b""
    if not block:
        raise MirrorFailed(f"broke off {place}", again=True)
    return block


def _open(url: str, start: int, timeout: float) -> HTTPResponse:
    """Ask for the bytes from ``start`` on, and follow redirects without reading them."""
    headers = {"User-Agent": "tasksieve", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    for _ in range(REDIRECTS + 1):
        response = _ask(url, headers, timeout)
        if response.status not in (301, 302, 303, 307, 308):
            return response
        response.close()
        url = _joined(url, response.headers.get("Location", ""))
    raise MirrorFailed(f"redirects more than {REDIRECTS} times", again=False)


def _joined(url: str, location: str) -> str:
    try:
        joined = urljoin(url, location)
        scheme = urlsplit(joined).scheme
    except ValueError:
        raise MirrorFailed("leads to a malformed address", again=False) from None
    if scheme not in SCHEMES:
        raise MirrorFailed("leads to what is neither https nor http", again=False)
    return joined


def _ask(url: str, headers: dict[str, str], timeout: float) -> HTTPResponse:
    try:
        return cast(HTTPResponse, _opener().open(Request(url, headers=headers), timeout=timeout))
    except URLError as error:
        reason = getattr(error.reason, "strerror", None) or error.reason
        raise MirrorFailed(f"cannot be reached ({reason})", again=False) from None
    except TimeoutError:
        raise MirrorFailed(f"sent nothing for {timeout:g} s", again=True) from None
    except (ValueError, InvalidURL):
        raise MirrorFailed("leads to a malformed address", again=False) from None
    except (OSError, HTTPException):
        raise MirrorFailed("broke off before it answered", again=True) from None


def _opener() -> OpenerDirector:
    """Knows https, http and the proxies of the environment; no files, no ftp, and every status is an answer."""
    opener = OpenerDirector()
    for handler in (ProxyHandler(), HTTPHandler(), HTTPSHandler(), UnknownHandler()):
        opener.add_handler(handler)
    return opener
