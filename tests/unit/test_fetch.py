"""Fetching from mirrors that misbehave: what comes out is the right file or none."""

from __future__ import annotations

import gzip
import hashlib
import random
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tasksieve.errors import UserError
from tasksieve.fetch import DATA_SETS, MNIST, DataSet, PublishedFile, data_set_named
from tasksieve.fetch import fetch_data_set as fetch
from tasksieve.records.lock import FolderLock

PLAIN = random.Random(0).randbytes(200_000)
BODY = gzip.compress(PLAIN, mtime=0)
HALF = len(BODY) // 2
LABELS = gzip.compress(b"labels", mtime=0)
QUICK: dict[str, Any] = {"pauses": (0, 0)}

Answer = Callable[["_Handler", bytes, int], None]
"""How to answer a request for ``body[start:]``."""


@dataclass
class Mirror:
    """A server on loopback that answers by a script, then properly.

    What was asked is written down before the answer begins, so that who has the answer can read it.
    """

    script: list[Answer] = field(default_factory=list)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
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
        asked = self.headers.get("Range")
        name = self.path.rpartition("/")[2]
        self.server.mirror.asked.append((name, asked))
        answer = self.server.mirror.script.pop(0) if self.server.mirror.script else proper
        answer(self, LABELS if name.startswith("labels") else BODY, int(asked[6:-1]) if asked else 0)

    def head(self, status: int, **headers: object) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def begin(handler: _Handler, body: bytes, start: int) -> None:
    # Some servers say of a .gz file that it is packed for the way; it must not be unpacked.
    headers = {"Content_Length": len(body) - start, "Content_Encoding": "gzip"}
    if start:
        handler.head(206, Content_Range=f"bytes {start}-{len(body) - 1}/{len(body)}", **headers)
    else:
        handler.head(200, **headers)


def proper(handler: _Handler, body: bytes, start: int) -> None:
    begin(handler, body, start)
    handler.wfile.write(body[start:])


def breaks_off(handler: _Handler, body: bytes, start: int) -> None:
    begin(handler, body, start)
    handler.wfile.write(body[start : start + HALF])


def stalls(handler: _Handler, body: bytes, start: int) -> None:
    breaks_off(handler, body, start)
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
        handler.wfile.write(bytes(1 << 16))


def wrong_place(handler: _Handler, body: bytes, start: int) -> None:
    proper(handler, body, start + 1)


def no_http(handler: _Handler, body: bytes, start: int) -> None:
    handler.wfile.write(b"220 welcome\r\n")


def status(code: int) -> Answer:
    return lambda handler, body, start: handler.head(code, Content_Length=0)


def redirects(to: str) -> Answer:
    return lambda handler, body, start: handler.head(302, Location=to, Content_Length=0)


def published(name: str, body: bytes) -> PublishedFile:
    plain = gzip.decompress(body)
    return PublishedFile(name, len(body), hashlib.sha256(body).hexdigest(), hashlib.sha256(plain).hexdigest())


def small(*mirrors: Mirror) -> DataSet:
    return DataSet("small", (published("images.gz", BODY),), tuple(mirror.url for mirror in mirrors))


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
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def rests(mirror: Mirror) -> list[str | None]:
    return [asked for _, asked in mirror.asked]


def assert_right(folder: Path) -> None:
    assert names(folder) == ["images.gz"]
    assert (folder / "images.gz").read_bytes() == BODY


def test_files_arrive_whole_and_are_left_alone_afterwards(mirror: Mirror, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    both = DataSet("both", (published("images.gz", BODY), published("labels.gz", LABELS)), (mirror.url,))
    seen: list[tuple[str, int, int]] = []
    assert fetch(both, folder, watch=lambda *event: seen.append(event)) == {
        folder / "images.gz": False,
        folder / "labels.gz": False,
    }
    assert names(folder) == ["images.gz", "labels.gz"]
    assert seen == sorted(seen)
    assert seen[-1] == ("labels.gz", len(LABELS), len(LABELS))
    assert list(fetch(both, folder).values()) == [True, True]
    assert mirror.asked == [("images.gz", None), ("labels.gz", None)]
    (folder / "labels.gz").unlink()
    assert list(fetch(both, folder).values()) == [True, False]


def test_a_file_packed_anew_counts_as_there(tmp_path: Path) -> None:
    (tmp_path / "images.gz").write_bytes(gzip.compress(PLAIN, 1, mtime=7))
    assert list(fetch(small(), tmp_path).values()) == [True]


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


def test_a_broken_connection_is_resumed_in_the_same_call(mirror: Mirror, tmp_path: Path) -> None:
    mirror.script = [breaks_off]
    told: list[str] = []
    fetch(small(mirror), tmp_path, tell=told.append, **QUICK)
    assert rests(mirror) == [None, f"bytes={HALF}-"]
    assert told[0].startswith(f"images.gz: {mirror.url} broke off at {HALF:,} of {len(BODY):,} bytes")
    assert_right(tmp_path)


def test_a_connection_without_a_byte_is_given_up_after_a_while(mirror: Mirror, tmp_path: Path) -> None:
    mirror.script = [stalls]
    told: list[str] = []
    fetch(small(mirror), tmp_path, timeout=0.5, pauses=[0] * 30, tell=told.append)
    assert "(timed out)" in told[0]
    assert_right(tmp_path)


def test_what_arrived_is_kept_for_the_next_call_and_another_mirror(
    mirror: Mirror, second: Mirror, tmp_path: Path
) -> None:
    mirror.script = [breaks_off]
    with pytest.raises(UserError, match=f"the {HALF:,} bytes that arrived are kept"):
        fetch(small(mirror), tmp_path, pauses=())
    assert names(tmp_path) == ["images.gz.part"]
    assert (tmp_path / "images.gz.part").read_bytes() == BODY[:HALF]
    fetch(small(mirror), tmp_path, mirrors=[second.url.rstrip("/")])
    assert (rests(mirror), rests(second)) == ([None], [f"bytes={HALF}-"])
    assert_right(tmp_path)


def test_the_mirrors_are_asked_again_after_longer_and_longer_pauses(
    mirror: Mirror, second: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("tasksieve.fetch.mirrors.time.sleep", pauses.append)
    mirror.script, second.script = [status(503)] * 3, [status(404)]
    with pytest.raises(UserError, match=f"{mirror.url} answered 503 .*; {second.url} answered 404 Not Found"):
        fetch(small(mirror, second), tmp_path)
    assert pauses == [1, 2]
    assert (len(mirror.asked), len(second.asked)) == (3, 1)
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("answer", "asked"),
    [(ignores_range, [HALF]), (status(416), [HALF, None]), (no_http, [HALF, HALF]), (status(429), [HALF, HALF])],
    ids=["ignores", "416", "no http", "429"],
)
def test_a_server_that_cannot_go_on_is_taken_as_it_is(
    mirror: Mirror, tmp_path: Path, answer: Answer, asked: list[int | None]
) -> None:
    (tmp_path / "images.gz.part").write_bytes(BODY[:HALF])
    mirror.script = [answer]
    fetch(small(mirror), tmp_path, **QUICK)
    assert rests(mirror) == [start and f"bytes={start}-" for start in asked]
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
    fetch(small(mirror), tmp_path, **QUICK)
    assert rests(mirror) == asked
    assert_right(tmp_path)


FAULTS: dict[str, tuple[Answer, str]] = {
    "404": (status(404), "answered 404 Not Found"),
    "unknown status": (status(799), "answered 799"),
    "partial unasked": (status(206), "answered 206 Partial Content"),
    "no http": (no_http, "cannot be reached (220 welcome"),
    "corrupts": (corrupts, "sent something else (the SHA-256 is not the published one)"),
    "endless": (endless, "sent something else"),
    "to a file": (redirects("file:///etc/hostname"), "No connection adapters were found for 'file:///etc/hostname'"),
    "to nowhere": (redirects("http://[oops/"), "cannot be reached ("),
    "round and round": (redirects("/"), "cannot be reached (Exceeded 30 redirects.)"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_mirror_that_fails_is_followed_by_the_next(
    mirror: Mirror, second: Mirror, tmp_path: Path, fault: str
) -> None:
    answer, message = FAULTS[fault]
    mirror.script = [answer] * 40
    told: list[str] = []
    fetch(small(mirror, second), tmp_path, tell=told.append)
    assert message in told[0]
    assert len(second.asked) == 1
    assert_right(tmp_path)


@pytest.mark.parametrize("answer", [corrupts, endless])
def test_wrong_bytes_never_get_the_name_and_are_not_kept(mirror: Mirror, tmp_path: Path, answer: Answer) -> None:
    mirror.script = [answer]
    seen: list[int] = []
    with pytest.raises(UserError, match="sent something else") as raised:
        fetch(small(mirror), tmp_path, watch=lambda name, done, size: seen.append(done))
    assert max(seen) == len(BODY)
    assert "kept" not in str(raised.value)
    assert names(tmp_path) == []


def test_wrong_bytes_of_one_mirror_do_not_spoil_the_next(mirror: Mirror, second: Mirror, tmp_path: Path) -> None:
    mirror.script = [corrupts_and_breaks_off, status(404)]
    fetch(small(mirror, second), tmp_path, **QUICK)
    assert rests(second) == [f"bytes={HALF}-", None]
    assert_right(tmp_path)


@pytest.mark.parametrize("answer", [wrong_place, status(404)], ids=["wrong place", "404"])
def test_a_refused_rest_leaves_the_part_to_the_next_mirror(
    mirror: Mirror, second: Mirror, tmp_path: Path, answer: Answer
) -> None:
    (tmp_path / "images.gz.part").write_bytes(BODY[:10])
    mirror.script = [answer]
    fetch(small(mirror, second), tmp_path)
    assert (rests(mirror), rests(second)) == (["bytes=10-"], ["bytes=10-"])
    assert_right(tmp_path)


def test_redirects_are_followed_with_the_range(mirror: Mirror, second: Mirror, tmp_path: Path) -> None:
    (tmp_path / "images.gz.part").write_bytes(BODY[:HALF])
    mirror.script = [redirects(f"{second.url}images.gz")]
    fetch(small(mirror), tmp_path)
    assert rests(second) == [f"bytes={HALF}-"]
    assert_right(tmp_path)


def test_when_all_mirrors_fail_the_error_says_why_and_what_to_do(tmp_path: Path) -> None:
    with Mirror() as mirror:
        gone = mirror.url
    with pytest.raises(UserError) as raised:
        fetch(small(), tmp_path, mirrors=[gone, "ftp://host/", "http://["], **QUICK)
    assert re.fullmatch(
        rf"images\.gz could not be fetched: {gone} cannot be reached \(Connection refused\); ftp://host/ cannot be "
        r"reached \(No connection adapters were found for 'ftp://host/images\.gz'\); http://\[ .* Run the same "
        r"command again later, name another address with --mirror, or put the file into "
        rf"{re.escape(str(tmp_path))} by hand",
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
    assert_right(tmp_path)


def test_a_disk_that_does_not_play_along_is_named(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"file: cannot be written"):
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


def test_two_at_once_do_not_write_the_same_part(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasksieve.records.lock.PATIENCE", 0.05)
    with FolderLock(tmp_path), pytest.raises(UserError, match=r"another tasksieve .* is at work in this folder"):
        fetch(small(mirror), tmp_path)
    assert mirror.asked == []


def test_data_sets_are_known_by_name() -> None:
    assert data_set_named("mnist") is MNIST
    with pytest.raises(UserError, match="unknown data set 'circus'; known: mnist"):
        data_set_named("circus")
    for data_set in DATA_SETS.values():
        assert all(mirror.startswith(("https://", "http://")) and mirror[-1] == "/" for mirror in data_set.mirrors)
        assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) for file in data_set.files)


def test_the_published_mnist_is_the_one_at_hand(data_dir: Path) -> None:
    """Compared unpacked, as a copy at hand may have been packed anew: with another header, or more tightly."""
    if not (folder := data_dir / "mnist").is_dir():
        pytest.skip("MNIST is not here")
    assert all(fetch(MNIST, folder).values())
