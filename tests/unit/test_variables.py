"""Environment variables: nonsense in one ends every command in one sentence, and nothing in one is like none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasksieve.encoding.sentences.cache import cache_folder
from tasksieve.errors import UserError
from tasksieve.kernels.build import switched_off
from tasksieve.training.loop.ranks import ALONE, started_ranks
from tasksieve.variables import (
    CACHE,
    CACHE_SIZE,
    KERNELS,
    LARGE_FILES,
    cache_limit,
    check_variables,
    kernels_wanted,
    large_files,
)
from tests.commands import call

OWN = (LARGE_FILES, CACHE, CACHE_SIZE, KERNELS)
NONSENSE = (
    *(
        (LARGE_FILES, wrong, "expected megabytes, such as 200, or 0 for all")
        for wrong in ("-1", "nan", "inf", "much")
    ),
    (CACHE_SIZE, "-0.5", "expected gibibytes, such as 2 or 0.5, or 0 for no cache"),
    (CACHE, "~nobody-of-this-name/caches", "whose home is not known; expected a folder"),
    (CACHE, __file__, "which is a file; expected a folder"),
    (KERNELS, "of", "expected on, or off for torch operations throughout"),
)


@pytest.fixture(autouse=True)
def none_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*OWN, "WORLD_SIZE", "RANK", "MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_RUN_ID"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(("name", "wrong", "expected"), NONSENSE)
def test_nonsense_ends_every_command_before_its_work(
    name: str, wrong: str, expected: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(name, wrong)
    ended = call("simulate", "support", tmp_path / "out")
    assert ended.code == 2
    assert ended.err.count("\n") == 1
    assert f"{name}: found {wrong}" in ended.err
    assert expected in ended.err
    assert not (tmp_path / "out").exists()


def test_a_variable_that_is_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def values() -> tuple[object, ...]:
        return large_files(), cache_folder(), cache_limit(), kernels_wanted()

    unset = values()
    for name in OWN:
        monkeypatch.setenv(name, "")
    assert values() == unset == (200e6, cache_folder(), 2 << 30, True)
    check_variables()


def test_compiled_pieces_are_off_where_the_environment_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for word in ("off", "OFF", "0", "no", "false", "False"):
        monkeypatch.setenv(KERNELS, word)
        assert switched_off()
    for word in ("on", "1", "yes", "TRUE"):
        monkeypatch.setenv(KERNELS, word)
        assert not switched_off()


@pytest.mark.parametrize(("name", "wrong"), [("WORLD_SIZE", "two"), ("WORLD_SIZE", "0"), ("RANK", "-1")])
def test_nonsense_of_who_starts_processes_is_told_in_a_sentence(
    name: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "one")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv(name, wrong)
    ended = call("train", "--help")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert f"error: {name}: found {wrong}; expected a whole number from" in ended.err


def test_processes_that_are_not_told_who_they_are_do_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with started_ranks("cpu") as alone:
        assert alone == ALONE
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("MASTER_ADDR", "localhost")
    with (
        pytest.raises(UserError, match=r"one of 2 processes: .*RANK.*; start them"),
        started_ranks("cpu"),
    ):
        pass
