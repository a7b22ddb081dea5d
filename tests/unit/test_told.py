"""What commands tell: each line once, the method asked for, the folder to choose, and what was not mended."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasksieve.dialogs import Dialog, Record, Turn
from tasksieve.dialogs.formats import FORMATS
from tasksieve.errors import UserError
from tasksieve.experiments.compare import Plan, compare
from tasksieve.records.config import config_from
from tasksieve.records.run_folder import RunFolder
from tasksieve.report.html import write_report
from tests.commands import call, small_options
from tests.small import OPTIONS


def visits(count: int, first: int) -> list[Dialog]:
    """Dialogs about shops, whose names are names."""
    dialogs = []
    for number in range(first, first + count):
        shop = Record.of("shop", {"name": f"Shop{number}", "street": f"Road{number % 3}"})
        turns = (Turn(f"a shop {number % 5}", f"what about Shop{number}"), Turn("yes", "see you there"))
        dialogs.append(Dialog((shop, *turns)))
    return dialogs


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    found = {}
    for name, count, first in (("primary", 8, 0), ("valid", 5, 20), ("test", 5, 40), ("related", 6, 60)):
        found[name] = str(tmp_path / f"{name}.jsonl")
        FORMATS["chat"].write(visits(count, first), Path(found[name]))
    return found


def options(files: dict[str, str], *names: str) -> list[str]:
    return [word for name in names for word in (f"--{name}", files[name])]


def test_what_is_the_same_in_every_run_of_a_comparison_is_said_once(files: dict[str, str], tmp_path: Path) -> None:
    ended = call(
        "compare",
        *options(files, "primary", "valid", "test", "related"),
        *("--out", tmp_path / "out", "--methods", "primary,multitask,tfidf", "--seeds", 2, "--workers", 1),
        *small_options(),
    )
    assert ended.code == 0, ended.err
    assert ended.err.count("primary: names: name") == 1


def test_what_was_not_mended_stands_in_the_results(files: dict[str, str], tmp_path: Path) -> None:
    FORMATS["chat"].write([*visits(5, 60), *visits(3, 40)], Path(files["related"]))
    given = options(files, "primary", "valid", "test", "related")
    method = ("--methods", "primary", "--seeds", 1, "--workers", 1, *small_options())
    ended = call("compare", *given, "--out", tmp_path / "out", *method)
    said = "3 of 5 test dialogs are also in related, word for word"
    assert f"Not mended before training: {said}" in " ".join(ended.out.split())
    for _ in range(2):
        assert f"Not mended before training: {said}" in write_report(tmp_path / "out").read_text(encoding="utf-8")
        assert call("compare", *given, "--out", tmp_path / "out", *method).code == 0
    FORMATS["chat"].write([*visits(5, 60), *visits(5, 40)], Path(files["related"]))
    stopped = call("compare", *given, "--out", tmp_path / "other", *method)
    assert stopped.code == 2
    assert "all test dialogs (5) are related dialogs too" in stopped.err.lower()


def test_the_method_that_was_asked_for_is_the_one_that_is_named(files: dict[str, str], tmp_path: Path) -> None:
    given = options(files, "primary", "valid")
    ended = call("train", *given, "--method", "learned", "--out", tmp_path / "run", *small_options())
    assert (ended.code, "method 'learned' borrows; give at least one --related file" in ended.err) == (2, True)


def test_the_folder_of_a_comparison_is_told_from_one_of_a_run(tmp_path: Path) -> None:
    (tmp_path / "runs" / "learned-5-0").mkdir(parents=True)
    (tmp_path / "runs" / "learned-5-0" / "config.toml").touch()
    for read in (lambda: RunFolder(tmp_path).read_config(), lambda: RunFolder(tmp_path).read_weights()):
        with pytest.raises(UserError, match=r"choose one of its runs, e\.g\. .*learned-5-0"):
            read()


def test_sizes_that_the_training_dialogs_do_not_have_are_refused_before_the_first_run(
    files: dict[str, str], tmp_path: Path
) -> None:
    data = {name: files[name] for name in ("primary", "valid")}
    config = config_from({**OPTIONS, "data": data})
    plan = Plan(config, files["test"], ("primary",), (6, 9), 1, tmp_path / "out")
    with pytest.raises(UserError, match="--sizes: found 9, and there are 8 training dialogs; give no more"):
        compare(plan)
    assert not (tmp_path / "out").exists()


def test_a_size_may_be_more_than_the_validation_dialogs(files: dict[str, str], tmp_path: Path) -> None:
    config = config_from({**OPTIONS, "data": {name: files[name] for name in ("primary", "valid")}})
    compare(Plan(config, files["test"], ("primary",), (7,), 1, tmp_path / "out"))  # more than validation has
    assert (tmp_path / "out" / "comparison.json").exists()
