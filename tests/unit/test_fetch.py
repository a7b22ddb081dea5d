"""Fetching from mirrors that misbehave in every way: what comes out is the right file or none."""

from __future__ import annotations

import gzip
import hashlib
import random
import re
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tasksieve.errors import UserError
from tasksieve.fetch import DATA_SETS, MNIST, DataSet, Fetched, Patience, PublishedFile, data_set_named
from tasksieve.fetch import fetch_data_set as fetch
from tasksieve.fetch.part import PartFile

PLAIN = random.Random(0).randbytes(200_000)
BODY = gzip.compress(PLAIN, mtime=0)
HALF = len(BODY) // 2
LABELS = b"labels"
QUICK = Patience(timeout=0.3, attempts=3, pause=0)

Answer = Callable[["_Handler", bytes, int], None]
"""How to answer a request for ``body[start:]``."""


@dataclass
class Mirror:
    """A server on loopback that answers by a script, then properly, and remembers what it was asked."""

    script: list[Answer] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=lambda: {"images.gz": BODY, "labels.gz": LABELS})
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def __enter__(self) -> Mirror:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.mirror = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/data/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    mirror: Mirror

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The client may hang up at any time."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        mirror = self.server.mirror
        asked = self.headers.get("Range")
        name = self.path.rpartition("/")[2]
        mirror.asked.append((name, asked))
        mirror.sent.append(0)
        answer = mirror.script.pop(0) if mirror.script else proper
        answer(self, mirror.files[name], int(asked[6:-1]) if asked else 0)

    def head(self, status: int, **headers: object) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def send(self, block: bytes) -> None:
        self.wfile.write(block)
        self.server.mirror.sent[-1] += len(block)

    def log_message(self, *_: object) -> None:
        pass


def begin(handler: _Handler, body: bytes, start: int) -> None:
    if start:
        span = f"bytes {start}-{len(body) - 1}/{len(body)}"
        handler.head(206, Content_Length=len(body) - start, Content_Range=span)
    else:
        handler.head(200, Content_Length=len(body))


def proper(handler: _Handler, body: bytes, start: int) -> None:
    begin(handler, body, start)
    handler.send(body[start:])


def breaks_off(handler: _Handler, body: bytes, start: int) -> None:
    begin(handler, body, start)
    handler.send(body[start : start + HALF])


def breaks_off_in_chunks(handler: _Handler, body: bytes, start: int) -> None:
    handler.head(200, Transfer_Encoding="chunked")
    handler.wfile.write(f"{HALF:x}\r\n".encode())
    handler.send(body[:HALF])
    handler.wfile.write(b"\r\nnonsense\r\n")


def stalls(handler: _Handler, body: bytes, start: int) -> None:
    breaks_off(handler, body, start)
    handler.server.mirror.closing.wait(20)


def says_nothing(handler: _Handler, body: bytes, start: int) -> None:
    handler.server.mirror.closing.wait(20)


def ignores_range(handler: _Handler, body: bytes, start: int) -> None:
    proper(handler, body, 0)


def corrupts(handler: _Handler, body: bytes, start: int) -> None:
    proper(handler, body[:-1] + bytes([body[-1] ^ 1]), start)


def corrupts_and_breaks_off(handler: _Handler, body: bytes, start: int) -> None:
    breaks_off(handler, bytes([body[0] ^ 1]) + body[1:], start)


def endless(handler: _Handler, body: bytes, start: int) -> None:
    handler.head(200)
    while not handler.server.mirror.closing.is_set():
        handler.send(bytes(1 << 16))


def wrong_size(handler: _Handler, body: bytes, start: int) -> None:
    proper(handler, body + b"!", start)


def wrong_place(handler: _Handler, body: bytes, start: int) -> None:
    proper(handler, body, start + 1)


def no_such_range(handler: _Handler, body: bytes, start: int) -> None:
    handler.head(416, Content_Range=f"bytes */{len(body)}")


def no_http(handler: _Handler, body: bytes, start: int) -> None:
    handler.wfile.write(b"220 welcome\r\n")


def status(code: int) -> Answer:
    return lambda handler, body, start: handler.head(code)


def redirects(to: str) -> Answer:
    return lambda handler, body, start: handler.head(302, Location=to)


def published(name: str, body: bytes, plain: bytes | None = None) -> PublishedFile:
    unpacked = None if plain is None else hashlib.sha256(plain).hexdigest()
    return PublishedFile(name, len(body), hashlib.sha256(body).hexdigest(), unpacked)


IMAGES = published("images.gz", BODY, PLAIN)


def small(*mirrors: Mirror) -> DataSet:
    return DataSet("small", (IMAGES,), tuple(mirror.url for mirror in mirrors))


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    with Mirror() as running:
        yield running


@pytest.fixture
def second() -> Iterator[Mirror]:
    with Mirror() as running:
        yield running


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def rests(mirror: Mirror) -> list[str | None]:
    return [asked for _, asked in mirror.asked]


def assert_right(folder: Path) -> None:
    assert names(folder) == ["images.gz"]
    assert (folder / "images.gz").read_bytes() == BODY


def test_files_arrive_whole_and_are_left_alone_afterwards(mirror: Mirror, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    both = DataSet("both", (IMAGES, published("labels.gz", LABELS)), (mirror.url,))
    seen: list[tuple[str, int, int]] = []
    files = fetch(both, folder, watch=lambda *event: seen.append(event))
    assert files == [Fetched(folder / "images.gz", False), Fetched(folder / "labels.gz", False)]
    assert names(folder) == ["images.gz", "labels.gz"]
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (("images.gz", 0, len(BODY)), ("labels.gz", 6, 6))
    assert [file.already_there for file in fetch(both, folder)] == [True, True]
    assert mirror.asked == [("images.gz", None), ("labels.gz", None)]
    (folder / "labels.gz").unlink()
    assert [file.already_there for file in fetch(both, folder)] == [True, False]


def test_a_file_packed_anew_counts_as_there(tmp_path: Path) -> None:
    (tmp_path / "images.gz").write_bytes(gzip.compress(PLAIN, 1, mtime=7))
    assert fetch(small(), tmp_path)[0].already_there


@pytest.mark.parametrize(
    "there", [b"mine", gzip.compress(b"mine", mtime=0), BODY[:-9]], ids=["not packed", "other", "cut off"]
)
def test_a_wrong_file_is_replaced_only_by_force(mirror: Mirror, tmp_path: Path, there: bytes) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(there)
    with pytest.raises(UserError, match=r"images\.gz: is there, but is not the published file .* --force"):
        fetch(small(mirror), tmp_path)
    assert not mirror.asked
    mirror.script = [status(404)]
    with pytest.raises(UserError, match="could not be fetched"):
        fetch(small(mirror), tmp_path, force=True)
    assert path.read_bytes() == there
    fetch(small(mirror), tmp_path, force=True)
    assert_right(tmp_path)


@pytest.mark.parametrize(
    ("answer", "what"),
    [(breaks_off, "broke off"), (breaks_off_in_chunks, "broke off"), (stalls, "sent nothing for 0.3 s")],
)
def test_a_broken_connection_is_resumed_in_the_same_call(
    mirror: Mirror, tmp_path: Path, answer: Answer, what: str
) -> None:
    mirror.script = [answer]
    told: list[str] = []
    fetch(small(mirror), tmp_path, patience=QUICK, tell=told.append)
    assert rests(mirror) == [None, f"bytes={HALF}-"]
    assert mirror.sent == [HALF, len(BODY) - HALF]
    assert told == [f"images.gz: {mirror.url} {what} at {HALF:,} of {len(BODY):,} bytes; trying again in 0 s"]
    assert_right(tmp_path)


def test_the_pause_doubles(mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    mirror.script = [status(503)] * 3
    fetch(small(mirror), tmp_path, patience=Patience(attempts=4, pause=1.5))
    assert pauses == [1.5, 3, 6]


def test_what_arrived_is_kept_for_the_next_call_and_another_mirror(
    mirror: Mirror, second: Mirror, tmp_path: Path
) -> None:
    mirror.script = [breaks_off]
    with pytest.raises(UserError, match=f"the {HALF:,} bytes that arrived are kept"):
        fetch(small(mirror), tmp_path, patience=Patience(attempts=1))
    assert names(tmp_path) == ["images.gz.part"]
    assert (tmp_path / "images.gz.part").read_bytes() == BODY[:HALF]
    fetch(small(mirror), tmp_path, mirrors=[second.url.rstrip("/")])
    assert (rests(second), second.sent) == ([f"bytes={HALF}-"], [len(BODY) - HALF])
    assert len(mirror.asked) == 1
    assert_right(tmp_path)


@pytest.mark.parametrize(
    ("answer", "asked"),
    [
        (ignores_range, [f"bytes={HALF}-"]),
        (no_such_range, [f"bytes={HALF}-", None]),
        (no_http, [f"bytes={HALF}-", f"bytes={HALF}-"]),
        (status(429), [f"bytes={HALF}-", f"bytes={HALF}-"]),
    ],
)
def test_a_server_that_cannot_go_on_is_taken_as_it_is(
    mirror: Mirror, tmp_path: Path, answer: Answer, asked: list[str | None]
) -> None:
    (tmp_path / "images.gz.part").write_bytes(BODY[:HALF])
    mirror.script = [answer]
    fetch(small(mirror), tmp_path, patience=QUICK)
    assert rests(mirror) == asked
    assert_right(tmp_path)


@pytest.mark.parametrize(
    ("part", "asked"),
    [
        (BODY, []),
        (BODY + b"more", [None]),
        (bytes(len(BODY)), [None]),
        (b"", [None]),
        (b"!" + BODY[1:HALF], [f"bytes={HALF}-", None]),
    ],
    ids=["whole", "too long", "whole but wrong", "empty", "wrong"],
)
def test_a_part_is_trusted_only_as_far_as_it_is_right(
    mirror: Mirror, tmp_path: Path, part: bytes, asked: list[str | None]
) -> None:
    (tmp_path / "images.gz.part").write_bytes(part)
    fetch(small(mirror), tmp_path, patience=QUICK)
    assert rests(mirror) == asked
    assert_right(tmp_path)


FAULTS: dict[str, tuple[Answer, int, str]] = {
    "404": (status(404), 1, "answered 404 Not Found"),
    "500": (status(500), 3, "answered 500 Internal Server Error"),
    "unknown status": (status(799), 3, "answered 799"),
    "partial unasked": (status(206), 1, "answered 206 Partial Content"),
    "says nothing": (says_nothing, 3, "sent nothing for 0.3 s"),
    "no http": (no_http, 3, "broke off before it answered"),
    "corrupts": (corrupts, 1, "sent something else (the SHA-256 is not the published one)"),
    "wrong size": (wrong_size, 1, f"has a file of {len(BODY) + 1:,} bytes instead of {len(BODY):,}"),
    "endless": (endless, 1, "sent something else"),
    "to a file": (redirects("file:///etc/hostname"), 1, "leads to what is neither https nor http"),
    "to nowhere": (redirects("http://[oops/"), 1, "leads to a malformed address"),
    "to a space": (redirects("/a b"), 1, "leads to a malformed address"),
    "round and round": (redirects(""), 6, "redirects more than 5 times"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_mirror_that_fails_is_followed_by_the_next(
    mirror: Mirror, second: Mirror, tmp_path: Path, fault: str
) -> None:
    answer, times, message = FAULTS[fault]
    mirror.script = [answer] * times
    told: list[str] = []
    fetch(small(mirror, second), tmp_path, patience=QUICK, tell=told.append)
    assert len(mirror.asked) == times
    assert message in told[-1]
    assert len(second.asked) == 1
    assert_right(tmp_path)


@pytest.mark.parametrize("answer", [corrupts, endless])
def test_wrong_bytes_never_get_the_name_and_are_not_kept(mirror: Mirror, tmp_path: Path, answer: Answer) -> None:
    mirror.script = [answer]
    with pytest.raises(UserError, match="sent something else") as raised:
        fetch(small(mirror), tmp_path, patience=QUICK)
    assert "kept" not in str(raised.value)
    assert names(tmp_path) == []
    fetch(small(mirror), tmp_path, patience=QUICK)
    assert rests(mirror) == [None, None]
    assert_right(tmp_path)


def test_wrong_bytes_of_one_mirror_do_not_spoil_the_next(mirror: Mirror, second: Mirror, tmp_path: Path) -> None:
    mirror.script = [corrupts_and_breaks_off, status(404)]
    fetch(small(mirror, second), tmp_path, patience=QUICK)
    assert rests(second) == [f"bytes={HALF}-", None]
    assert_right(tmp_path)


@pytest.mark.parametrize("answer", [wrong_place, wrong_size, status(404), stalls])
def test_a_refused_rest_leaves_the_part_to_the_next_mirror(
    mirror: Mirror, second: Mirror, tmp_path: Path, answer: Answer
) -> None:
    start = 10
    (tmp_path / "images.gz.part").write_bytes(BODY[:start])
    mirror.script = [answer]
    fetch(small(mirror, second), tmp_path, patience=Patience(timeout=0.3, attempts=1))
    assert rests(mirror) == [f"bytes={start}-"]
    assert rests(second) == [f"bytes={start + HALF if answer is stalls else start}-"]
    assert_right(tmp_path)


def test_endless_data_is_cut_off_at_the_published_size(mirror: Mirror, tmp_path: Path) -> None:
    mirror.script = [endless]
    seen: list[int] = []
    with pytest.raises(UserError):
        fetch(small(mirror), tmp_path, watch=lambda name, done, size: seen.append(done))
    assert max(seen) == len(BODY)


def test_redirects_are_followed_with_the_range(mirror: Mirror, second: Mirror, tmp_path: Path) -> None:
    (tmp_path / "images.gz.part").write_bytes(BODY[:HALF])
    mirror.script = [redirects(f"{second.url}images.gz")]
    fetch(small(mirror), tmp_path)
    assert (rests(second), second.sent) == ([f"bytes={HALF}-"], [len(BODY) - HALF])
    assert_right(tmp_path)


def test_when_all_mirrors_fail_the_error_says_why_and_what_to_do(second: Mirror, tmp_path: Path) -> None:
    with Mirror() as mirror:
        gone = mirror.url
    second.script = [status(404)]
    both = DataSet("both", (IMAGES, published("labels.gz", LABELS)), (gone, second.url))
    with pytest.raises(UserError) as raised:
        fetch(both, tmp_path, patience=QUICK)
    assert re.fullmatch(
        rf"images\.gz could not be fetched: {gone} cannot be reached \(.+\); {second.url} answered 404 Not Found\. "
        rf"Run the same command again later, name another address with --mirror, or put these files into "
        rf"{re.escape(str(tmp_path))} by hand: images\.gz, labels\.gz",
        str(raised.value),
    )
    assert names(tmp_path) == []


def test_ctrl_c_keeps_what_arrived(mirror: Mirror, tmp_path: Path) -> None:
    def interrupt(name: str, done: int, size: int) -> None:
        if done > HALF:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(small(mirror), tmp_path, watch=interrupt)
    kept = (tmp_path / "images.gz.part").read_bytes()
    assert names(tmp_path) == ["images.gz.part"]
    assert HALF < len(kept) < len(BODY)
    fetch(small(mirror), tmp_path)
    assert rests(mirror) == [None, f"bytes={len(kept)}-"]
    assert mirror.sent[1] == len(BODY) - len(kept)
    assert_right(tmp_path)


@pytest.mark.parametrize(
    "address", ["ftp://host/", "file:///etc", "host/folder", "http://", "http://h:x/", "http://["]
)
def test_only_https_and_http_addresses_are_taken(tmp_path: Path, address: str) -> None:
    with pytest.raises(UserError, match=r"--mirror: found '.*'; expected the address of a folder"):
        fetch(small(), tmp_path / "f", mirrors=[address])
    assert not (tmp_path / "f").exists()


def test_a_disk_that_does_not_play_along_is_named(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"images\.gz\.part: cannot be written"):
        fetch(small(mirror), tmp_path / "file")
    (tmp_path / "images.gz").mkdir()
    with pytest.raises(UserError, match=r"images\.gz: cannot be read"):
        fetch(small(mirror), tmp_path)

    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UserError, match=r"images\.gz\.part: cannot be written: No space left on device"):
        fetch(small(mirror), tmp_path / "full")
    assert names(tmp_path / "full") == ["images.gz.part"]


@pytest.mark.skipif(sys.platform == "win32", reason="locks are those of POSIX")
def test_two_at_once_do_not_write_the_same_part(mirror: Mirror, tmp_path: Path) -> None:
    with PartFile(tmp_path / "images.gz") as part:
        part.append(BODY[:HALF])
        with pytest.raises(UserError, match="another program is fetching this file"):
            fetch(small(mirror), tmp_path)
        assert part.size == HALF
    fetch(small(mirror), tmp_path)
    assert_right(tmp_path)


def test_data_sets_are_known_by_name() -> None:
    assert data_set_named("mnist") is MNIST
    with pytest.raises(UserError, match="unknown data set 'circus'; known: mnist"):
        data_set_named("circus")
    for data_set in DATA_SETS.values():
        assert all(mirror.startswith(("https://", "http://")) and mirror[-1] == "/" for mirror in data_set.mirrors)
        assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) for file in data_set.files)


def test_the_published_mnist_is_the_one_at_hand(data_dir: Path) -> None:
    """Compared unpacked, as a copy at hand may have been packed anew: with another header, or more tightly."""
    folder = data_dir / "mnist"
    if not folder.is_dir():
        pytest.skip("MNIST is not here")
    for file in MNIST.files:
        assert hashlib.sha256(gzip.decompress((folder / file.name).read_bytes())).hexdigest() == file.unpacked_sha256
    assert all(file.already_there for file in fetch(MNIST, folder))
