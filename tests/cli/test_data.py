"""`tasksieve data` as a user meets it, against a mirror on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tasksieve.cli.data import FetchBars
from tasksieve.fetch import DATA_SETS
from tests.commands import Cli
from tests.unit.test_fetch import BODY, Mirror, breaks_off, small, status


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A mirror, and a small data set in the place of MNIST that is known to lie there."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Mirror() as running:
        monkeypatch.setitem(DATA_SETS, "mnist", small(running))
        yield running


@pytest.mark.parametrize("command", [["data"], ["data", "fetch"]])
def test_help_fits_into_80_columns(cli: Cli, command: list[str]) -> None:
    ended = cli(*command, "--help")
    assert ended.code == 0
    assert max(map(len, ended.out.splitlines())) <= 80
    assert "fetch" in ended.out


def test_a_data_set_is_fetched_once(cli: Cli, mirror: Mirror, tmp_path: Path) -> None:
    path = Path("data") / "mnist" / "images.gz"
    ended = cli("data", "fetch", "mnist")
    assert (ended.code, ended.out) == (0, f"Wrote {path}\n")
    assert "images.gz" in ended.err
    assert max(map(len, ended.err.splitlines())) <= 80
    assert (tmp_path / path).read_bytes() == BODY
    again = cli("data", "fetch", "mnist")
    assert (again.code, again.out, again.err) == (0, f"Already there: {path}\n", "")
    assert len(mirror.asked) == 1


def test_a_mirror_may_be_named_and_force_replaces(cli: Cli, mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "images.gz").write_text("mine")
    with Mirror() as other:
        command = ("data", "fetch", "mnist", "--out", ".", "--mirror", other.url)
        refused = cli(*command)
        assert (refused.code, refused.out) == (2, "")
        assert refused.err.startswith("error: images.gz: is there, but is not the published file")
        assert cli(*command, "--force").out == "Wrote images.gz\n"
        assert (len(mirror.asked), len(other.asked)) == (0, 1)


def test_mistakes_end_in_one_sentence_and_code_2(cli: Cli, mirror: Mirror) -> None:
    unknown = cli("data", "fetch", "circus")
    assert (unknown.code, unknown.err) == (2, "error: unknown data set 'circus'; known: mnist\n")
    address = cli("data", "fetch", "mnist", "--mirror", "ftp://host/")
    assert (address.code, "error: images.gz could not be fetched: ftp://host/ " in address.err) == (2, True)
    mirror.script = [status(404)]
    gone = cli("data", "fetch", "mnist", "--out", "d")
    assert (gone.code, gone.out) == (2, "")
    assert gone.err.splitlines()[-1].startswith("error: images.gz could not be fetched: http://127.0.0.1:")
    assert "put the file into d by hand" in gone.err


def test_a_broken_connection_is_told_and_mended(cli: Cli, mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasksieve.fetch.mirrors.time.sleep", lambda seconds: None)
    mirror.script = [breaks_off]
    ended = cli("data", "fetch", "mnist")
    assert ended.code == 0
    assert "trying again in 1 s" in ended.err
    assert len(mirror.asked) == 2


def test_ctrl_c_keeps_what_arrived_and_the_same_command_goes_on(
    cli: Cli, mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(bars: FetchBars, name: str, done: int, size: int) -> None:
        if done:
            raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr(FetchBars, "watch", interrupt)
        ended = cli("data", "fetch", "mnist")
    assert (ended.code, ended.out) == (130, "")
    assert ended.err == "interrupted; what was finished is kept. Run the same command again to go on.\n"
    kept = (tmp_path / "data" / "mnist" / "images.gz.part").stat().st_size
    assert cli("data", "fetch", "mnist").code == 0
    assert mirror.asked == [("images.gz", None), ("images.gz", f"bytes={kept}-")]
