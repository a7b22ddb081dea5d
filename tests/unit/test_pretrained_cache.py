"""What was embedded once comes from the disk: the same numbers, whatever happens to the files."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tasksieve.encoding.sentences import CachedEncoder, cache, shards
from tasksieve.encoding.sentences.cache import cache_folder
from tasksieve.errors import UserError
from tasksieve.variables import cache_limit

SOME = [f"sentence {number}" for number in range(50)]


class Counting:
    """An encoder that counts what it embeds, and may be interrupted."""

    name, dim = "counting", 3

    def __init__(self, digest: str = "a" * 64, stop_at: int | None = None) -> None:
        self.digest, self.embedded, self._stop_at = digest, list[str](), stop_at

    def embed(self, texts: Sequence[str], progress: Callable[[int, int], object] | None = None) -> Tensor:
        rows = []
        for done, text in enumerate(texts, 1):
            if len(self.embedded) == self._stop_at:
                raise KeyboardInterrupt
            self.embedded.append(text)
            rows.append([byte / 7 for byte in hashlib.sha256(text.encode()).digest()[:3]])
            if progress is not None:
                progress(done, len(texts))
        return torch.tensor(rows).reshape(-1, 3)


@pytest.fixture(autouse=True)
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "PIECE", 8)
    monkeypatch.setattr(shards, "FULL", 16)


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*.safetensors"))


def again(folder: Path, texts: Sequence[str] = SOME) -> Counting:
    """Ask once more, as a later process would; what had to be embedded anew. The numbers are the right ones."""
    later = Counting()
    assert torch.equal(CachedEncoder(later, folder, 1 << 20).embed(texts), Counting().embed(texts))
    return later


def test_what_is_known_is_not_embedded_again(tmp_path: Path) -> None:
    first = Counting()
    asked = [*SOME, SOME[3], ""]
    assert torch.equal(CachedEncoder(first, tmp_path, 1 << 20).embed(asked), Counting().embed(asked))
    assert sorted(first.embedded) == sorted({*SOME, ""})
    assert again(tmp_path, asked[::-1]).embedded == []
    assert again(tmp_path, ["new", *SOME]).embedded == ["new"]


def test_another_encoder_has_vectors_of_its_own(tmp_path: Path) -> None:
    CachedEncoder(Counting(), tmp_path, 1 << 20).embed(SOME)
    other = Counting("b" * 64)
    CachedEncoder(other, tmp_path, 1 << 20).embed(SOME)
    assert len(other.embedded) == len(SOME)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.sampled_from([*SOME[:30], "", "\ud83d", "ä"]), max_size=20), max_size=6))
def test_any_requests_get_what_the_encoder_gives(requests: list[list[str]]) -> None:
    with TemporaryDirectory() as folder:
        counting = Counting()
        cached = CachedEncoder(counting, Path(folder), 1 << 20)
        for texts in requests:
            told: list[tuple[int, int]] = []
            seen = [text.encode("utf-8", "replace").decode() for text in texts]
            rows = cached.embed(seen, lambda done, total, told=told: told.append((done, total)))
            assert torch.equal(rows, Counting().embed(seen))
            total = len(set(seen))
            assert told[-1] == (total, total)
            assert told == sorted(told)
        assert len(counting.embedded) == len(set(counting.embedded))


def test_small_files_are_merged(tmp_path: Path) -> None:
    cached = CachedEncoder(Counting(), tmp_path, 1 << 20)
    for text in SOME:
        cached.embed([text])
    assert [int(path.stem.rpartition("-")[2]) for path in files(tmp_path)] == [16, 16, 16, 2]
    assert again(tmp_path).embedded == []


def spoil_length(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def spoil_number(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def spoil_all(path: Path) -> None:
    path.write_bytes(b"no tensors")


@pytest.mark.parametrize("spoil", [spoil_length, spoil_number, spoil_all, Path.unlink])
def test_a_damaged_file_is_made_again(
    tmp_path: Path, spoil: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    CachedEncoder(Counting(), tmp_path, 1 << 20).embed(SOME)
    victim = files(tmp_path)[1]
    spoil(victim)
    with caplog.at_level(logging.WARNING, "tasksieve"):
        assert len(again(tmp_path).embedded) == 16
    assert (f"{victim} is damaged" in caplog.text) == (spoil is not Path.unlink)
    assert again(tmp_path).embedded == []


def test_a_file_of_vectors_of_another_length_is_damaged(tmp_path: Path) -> None:
    CachedEncoder(Counting(), tmp_path, 1 << 20).embed(SOME[:4])
    longer = Counting()
    longer.dim = 4  # type: ignore[misc]
    cached = CachedEncoder(longer, tmp_path, 1 << 20)
    assert cached._left([cache.key_of(SOME[0])], {cache.key_of(SOME[0]): 0}, torch.zeros(1, 4), set()) != []
    assert files(tmp_path) == []


def test_an_interrupt_loses_one_piece_at_most(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        CachedEncoder(Counting(stop_at=29), tmp_path, 1 << 20).embed(SOME)
    assert len(again(tmp_path).embedded) == len(SOME) - 24


def test_what_a_killed_process_left_is_swept_up(tmp_path: Path) -> None:
    CachedEncoder(Counting(), tmp_path, 1 << 20).embed(SOME[:3])
    left = files(tmp_path)[0].parent / ".123-4-5.safetensors.77.part"
    left.write_bytes(b"half")
    assert len(again(tmp_path).embedded) == len(SOME) - 3
    assert not left.exists()


def test_what_was_not_used_for_longest_is_dropped(tmp_path: Path) -> None:
    old, used = Counting("b" * 64), Counting()
    CachedEncoder(used, tmp_path, 1 << 20).embed(SOME)
    CachedEncoder(old, tmp_path, 1 << 20).embed(SOME)
    for path in files(tmp_path):
        os.utime(path, (1, 1))
    size = sum(path.stat().st_size for path in files(tmp_path))
    CachedEncoder(Counting(), tmp_path, size).embed([*SOME, *(f"more {number}" for number in range(16))])
    assert sum(path.stat().st_size for path in files(tmp_path)) <= size
    assert again(tmp_path).embedded == []
    CachedEncoder(old := Counting("b" * 64), tmp_path, size).embed(SOME)
    assert old.embedded != []


def test_a_limit_of_nothing_writes_nothing(tmp_path: Path) -> None:
    counting = Counting()
    cached = CachedEncoder(counting, tmp_path / "none", 0)
    for _ in range(2):
        assert torch.equal(cached.embed(SOME), Counting().embed(SOME))
    assert len(counting.embedded) == 2 * len(SOME)
    assert not (tmp_path / "none").exists()


def test_a_folder_that_cannot_be_written_costs_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    cached = CachedEncoder(Counting(), tmp_path / "file", 1 << 20)
    with caplog.at_level(logging.WARNING, "tasksieve"):
        for _ in range(2):
            assert torch.equal(cached.embed(SOME), Counting().embed(SOME))
    assert caplog.text.count("cannot be kept for the next time") == 1


def test_a_full_disk_costs_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise UserError("cannot be written: No space left on device", tmp_path)

    monkeypatch.setattr(shards, "write_whole", full)
    with caplog.at_level(logging.WARNING, "tasksieve"):
        assert torch.equal(CachedEncoder(Counting(), tmp_path, 1 << 20).embed(SOME), Counting().embed(SOME))
    assert caplog.text.count("No space left") == 1


def test_those_who_embed_at_the_same_time_share_the_work(tmp_path: Path) -> None:
    """Threads have locks of their own here, as processes do."""
    each = [Counting() for _ in range(4)]
    results: list[Tensor] = []
    threads = [
        threading.Thread(target=lambda own=own: results.append(CachedEncoder(own, tmp_path, 1 << 20).embed(SOME)))
        for own in each
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert all(torch.equal(rows, Counting().embed(SOME)) for rows in results)
    assert sum(len(own.embedded) for own in each) == len(SOME)


def test_who_waits_too_long_goes_on_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "PATIENCE", 0.01)
    holder = CachedEncoder(Counting(), tmp_path, 1 << 20)
    with holder._alone() as alone, caplog.at_level(logging.WARNING, "tasksieve"):
        assert alone
        assert torch.equal(CachedEncoder(Counting(), tmp_path, 1 << 20).embed(["x"]), Counting().embed(["x"]))
    assert "going on beside it" in caplog.text
    assert files(tmp_path) == []


def test_the_log_tells_now_and_then_how_far_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "PAUSE", 0.0)
    with caplog.at_level(logging.INFO, "tasksieve"):
        CachedEncoder(Counting(), tmp_path, 1 << 20).embed(SOME)
    assert "encoder counting: 8 of 50 sentences" in caplog.text


def test_the_environment_says_where_and_how_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKSIEVE_CACHE", str(tmp_path / "here"))
    monkeypatch.setenv("TASKSIEVE_CACHE_GIB", "0.5")
    assert (cache_folder(), cache_limit()) == (tmp_path / "here", 1 << 29)
    CachedEncoder(Counting(), limit=None).embed(SOME)
    assert len(files(tmp_path / "here" / "sentences")) == 4
    monkeypatch.delenv("TASKSIEVE_CACHE")
    monkeypatch.delenv("TASKSIEVE_CACHE_GIB")
    assert (cache_folder().name, cache_limit()) == ("tasksieve", 2 << 30)
    for wrong in ("much", "-1", "nan", "inf"):
        monkeypatch.setenv("TASKSIEVE_CACHE_GIB", wrong)
        with pytest.raises(UserError, match=f"TASKSIEVE_CACHE_GIB: found {wrong}"):
            cache_limit()
