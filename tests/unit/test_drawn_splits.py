"""Splits drawn from one file: every dialog once, the same ones together, sizes as asked for, the same every time."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksieve.dialogs import Dialog, Turn
from tasksieve.dialogs.drawn_splits import draw_splits, said_and_told
from tasksieve.dialogs.formats import read_dialogs, write_babi
from tasksieve.errors import UserError
from tasksieve.records.config import RunConfig, config_from, read_values, to_toml
from tasksieve.records.data_config import DataConfig
from tasksieve.records.shares import shares_of
from tasksieve.training.runs.dialogs import train
from tasksieve.training.runs.read_files import read_files, read_test
from tasksieve.training.runs.trained_model import evaluate_run
from tests.small import OPTIONS


def written(number: int, line: int = 0) -> Dialog:
    return Dialog((Turn(f"question {number}", f"answer {number % 3}"),), line=line)


@st.composite
def shared_out(draw: st.DrawFn) -> str:
    first = draw(st.integers(1, 98))
    second = draw(st.integers(1, 99 - first))
    return f"{first}/{second}/{100 - first - second}"


DIALOGS = st.lists(st.integers(0, 30), min_size=3, max_size=80).filter(lambda found: len(set(found)) >= 3)
SEEDS = st.integers(0, 2**32 - 1)


@given(DIALOGS, shared_out(), SEEDS)
def test_every_dialog_is_in_one_split_and_none_is_empty(numbers: list[int], split: str, seed: int) -> None:
    dialogs = [written(number, line) for line, number in enumerate(numbers)]
    parts = draw_splits(dialogs, split, seed)
    assert sorted(dialog.line for part in parts for dialog in part) == list(range(len(numbers)))
    assert all(parts)


@given(DIALOGS, shared_out(), SEEDS)
def test_dialogs_that_are_the_same_are_in_the_same_split(numbers: list[int], split: str, seed: int) -> None:
    parts = draw_splits([written(number, line) for line, number in enumerate(numbers)], split, seed)
    holders = Counter(key for part in parts for key in {said_and_told(dialog) for dialog in part})
    assert set(holders.values()) == {1}


@given(st.integers(3, 300), shared_out(), SEEDS)
def test_sizes_are_right_to_within_one_dialog(count: int, split: str, seed: int) -> None:
    sizes = [len(part) for part in draw_splits([written(number) for number in range(count)], split, seed)]
    exact = [count * share / 100 for share in shares_of(split)]
    filled = sum(max(0.0, 1 - size) for size in exact)  # what splits of less than a dialog take from the others
    assert sum(sizes) == count
    assert all(abs(size - wanted) < 1 + filled for size, wanted in zip(sizes, exact, strict=True))


@given(DIALOGS, shared_out(), SEEDS)
def test_the_same_seed_draws_the_same(numbers: list[int], split: str, seed: int) -> None:
    dialogs = list(map(written, numbers))
    assert draw_splits(dialogs, split, seed) == draw_splits(dialogs, split, seed)


def test_twins_leave_the_sizes_as_they_are_where_they_can() -> None:
    dialogs = [written(number // 2 if number < 40 else number) for number in range(100)]
    assert [len(part) for part in draw_splits(dialogs, "60/20/20", 3)] == [60, 20, 20]


def test_another_seed_draws_others_and_order_in_the_file_is_not_kept() -> None:
    dialogs = [written(number, number) for number in range(40)]
    one, other = (draw_splits(dialogs, "60/20/20", seed) for seed in (0, 1))
    assert one != other
    assert [dialog.line for dialog in one[0]] != sorted(dialog.line for dialog in one[0])


@pytest.mark.parametrize("split", ["60/20", "60/20/30", "100/0/0", "0/50/50", "60/20/20/0", "a/b/c", "", "60/20/ 20"])
def test_what_is_no_split_is_refused_with_what_was_expected(split: str) -> None:
    with pytest.raises(UserError, match=r"data\.split: found .*; expected per cent .* 100 together, e\.g\. 60/20/20"):
        config_from({"data": {"primary": "p", "split": split}})


@pytest.mark.parametrize(("data", "found"), [({}, "neither"), ({"valid": "v", "split": "60/20/20"}, "both")])
def test_validation_dialogs_are_named_or_drawn(data: dict[str, str], found: str) -> None:
    expected = f"data: expected valid (--valid), or a split (--split) such as 60/20/20 of primary; found {found}"
    with pytest.raises(UserError, match=f"^{re.escape(expected)}$"):
        config_from({"data": {"primary": "p", **data}})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write_babi([written(number) for number in range(20)], tmp_path / "all.txt")
    return tmp_path / "all.txt"


def test_a_run_reads_three_parts_of_one_file(file: Path) -> None:
    data = DataConfig(primary=str(file), split="60/20/20", split_seed=5)
    read, (path, test) = read_files(data), read_test(data)
    assert (len(read.primary), len(read.valid), len(test), path) == (12, 4, 4, file)
    assert {said_and_told(d) for d in [*read.primary, *read.valid, *test]} == {
        said_and_told(dialog) for dialog in read_dialogs(file)
    }
    small = read_files(DataConfig(primary=str(file), split="60/20/20", size=5))
    assert (len(small.primary), len(small.valid)) == (5, 4)
    with pytest.raises(UserError, match="split 60/20/20 leaves 12 dialogs; 13 were asked for"):
        read_files(DataConfig(primary=str(file), split="60/20/20", size=13))


def test_too_few_dialogs_are_not_split(tmp_path: Path) -> None:
    write_babi([written(1)] * 9 + [written(2)], tmp_path / "all.txt")
    with pytest.raises(
        UserError, match=r"all\.txt: holds 2 different dialogs, too few for three splits; give --valid"
    ):
        read_files(DataConfig(primary=str(tmp_path / "all.txt"), split="60/20/20"))


def drawn(file: Path, **data: object) -> RunConfig:
    values = {**OPTIONS, "training": {**OPTIONS["training"], "method": "primary"}}
    return config_from({**values, "data": {"primary": str(file), "split": "60/20/20", **data}})


def test_a_run_keeps_its_split_and_is_measured_on_what_it_left(file: Path, tmp_path: Path) -> None:
    config = drawn(file, split_seed=2)
    (tmp_path / "config.toml").write_text(to_toml(config))
    assert config_from(read_values(tmp_path / "config.toml")) == config
    train(config, tmp_path / "run")
    measured = evaluate_run(tmp_path / "run")
    assert (measured["turns"], measured["split"], measured["split_seed"]) == (4, "60/20/20", 2)
    assert evaluate_run(tmp_path / "run", file)["turns"] == 20
    with pytest.raises(UserError, match=r"data\.split_seed is 2 there and 0 here; choose another --out"):
        train(drawn(file), tmp_path / "run")
    write_babi([written(number) for number in range(21)], file)
    with pytest.raises(UserError, match=r"trained on a part of it \(SHA-256 .* now\); give it as it was, or other"):
        evaluate_run(tmp_path / "run")
    file.unlink()
    with pytest.raises(
        UserError, match=r"was not found at .*; the run was trained on it: .* give test dialogs with --data"
    ):
        evaluate_run(tmp_path / "run")


def test_a_run_without_a_split_asks_for_test_dialogs(file: Path, tmp_path: Path) -> None:
    write_babi([written(number) for number in range(30, 36)], tmp_path / "valid.txt")
    values = {**OPTIONS, "training": {**OPTIONS["training"], "method": "primary"}}
    config = config_from({**values, "data": {"primary": str(file), "valid": str(tmp_path / "valid.txt")}})
    train(config, tmp_path / "run")
    with pytest.raises(
        UserError, match="was trained without --split, so it has no test dialogs; give some with --data"
    ):
        evaluate_run(tmp_path / "run")
