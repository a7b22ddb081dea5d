"""`tasksieve data` as a user meets it, against a mirror on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasksieve.cli.data import FetchBars
from tasksieve.dialogs.formats import read_dialogs
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


def _published(folder: Path, *values: object) -> Path:
    folder.mkdir()
    for number, value in enumerate(values, start=1):
        (folder / f"dialogues_{number:03}.json").write_text(json.dumps(value), encoding="utf-8")
    return folder


def _said(*services: str) -> dict[str, object]:
    turns = [
        {"speaker": speaker, "utterance": text, "frames": []} for speaker, text in (("USER", "hi"), ("SYSTEM", "yes"))
    ]
    return {"dialogue_id": "1_00000", "services": list(services), "turns": turns}


def test_published_schema_guided_dialogs_become_a_file_a_service(cli: Cli, tmp_path: Path) -> None:
    boat, room = _said("Boats_1"), _said("Rooms_1")
    _published(tmp_path / "train", [boat, _said("Boats_1", "Rooms_1")], [room, boat])
    ended = cli("data", "sgd", "train", "--out", "archive")
    assert (ended.code, ended.out) == (
        0,
        "Wrote 3 dialogs of 2 services to archive; left out 1 that are of several services\n",
    )
    written = {path.name: json.loads(path.read_text("utf-8")) for path in (tmp_path / "archive").iterdir()}
    assert written == {"Boats_1.json": [boat, boat], "Rooms_1.json": [room]}
    assert [len(read_dialogs(tmp_path / "archive" / name)) for name in sorted(written)] == [2, 1]


@pytest.mark.parametrize(
    ("value", "said"),
    [([{"services": ["../up"]}], "expected a dialog with 'services'"), ([3], "expected a dialog with 'services'")],
)
def test_what_is_not_of_the_published_form_is_refused(cli: Cli, tmp_path: Path, value: object, said: str) -> None:
    _published(tmp_path / "train", value)
    ended = cli("data", "sgd", "train", "--out", "archive")
    assert ended.code == 2 and said in " ".join(ended.err.split())
    empty = cli("data", "sgd", tmp_path, "--out", "archive")
    assert empty.code == 2 and "has no dialogues_*.json" in " ".join(empty.err.split())


def test_who_wants_to_fetch_the_schema_guided_dialogs_is_told_the_way(cli: Cli) -> None:
    ended = cli("data", "fetch", "sgd")
    assert ended.code == 2 and "tasksieve data sgd CLONE/train" in " ".join(ended.err.split())
