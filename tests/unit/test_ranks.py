"""Several processes that share a run: what they end with is what one process ends with, up to rounding."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch.multiprocessing.spawn import ProcessExitedException, ProcessRaisedException

from tasksieve.errors import UserError
from tasksieve.records.config import changed
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.ranks import ALONE, Ranks, check_ranks
from tasksieve.training.loop.trainer import Trainer
from tasksieve.training.methods import method_named
from tasksieve.training.runs.dialogs import build_parts, train
from tests.commands import call, small_options
from tests.processes import in_ranks
from tests.reliability.victims import left, wait_for
from tests.small import small_config
from tests.unit.rank_cases import (
    RANKS,
    TRIED,
    all_cases,
    config_of_case,
    stepped,
    together_and_freed,
    whole_run,
    write_data,
)

pytestmark = pytest.mark.skipif(
    not (dist.is_available() and dist.is_gloo_available()),
    reason="this torch has no gloo to connect processes with",
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dialogs of all cases."""
    return write_data(tmp_path_factory.mktemp("data"))


def in_two(work: Any, folder: Path, *arguments: Any) -> None:
    in_ranks(together_and_freed, work, str(folder), *arguments, count=RANKS)


@pytest.fixture(scope="module")
def by_rank(data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each of two processes found in every case; they are started once."""
    folder = tmp_path_factory.mktemp("ranks")
    in_two(all_cases, folder, str(data))
    return [torch.load(folder / f"rank-{rank}.pt", weights_only=True) for rank in range(RANKS)]


@pytest.mark.parametrize(("case", "double"), TRIED, ids=str)
def test_two_processes_take_the_steps_of_one(
    by_rank: list[dict[str, Any]], data: Path, case: tuple[str, str], double: bool
) -> None:
    alone = stepped(config_of_case(data, case), ALONE, double)
    if case[1].startswith("learned"):
        assert any(bool(value.any()) for name, value in alone.items() if name.startswith("optimizer.weights"))
    rtol, atol = (1e-7, 1e-9) if double else (1e-2, 2e-3)
    first, second = (found[f"{case} {double}"] for found in by_rank)
    assert first.keys() == second.keys() == alone.keys()
    for name, value in alone.items():
        assert torch.equal(first[name], second[name]), name  # bit for bit
        torch.testing.assert_close(first[name], value, rtol=rtol, atol=atol, msg=lambda text, name=name: name + text)


def test_processes_tell_each_other_what_is_the_firsts(by_rank: list[dict[str, Any]]) -> None:
    for found in by_rank:
        assert found["told"] == ["the first", 0]
        assert found["whole"].tolist() == [0, 1, 2, 3, 4]


def test_one_process_shares_nothing() -> None:
    numbers = torch.arange(5)
    assert ALONE.part(numbers) is numbers
    assert ALONE.whole(numbers) is numbers
    assert ALONE.total(numbers) is numbers
    assert ALONE.told([1]) == [1]
    assert Ranks(1, 3, several=True).part(numbers).tolist() == [1, 4]


def test_a_killed_run_of_two_goes_on_exactly_and_ends_as_that_of_one(data: Path, tmp_path: Path) -> None:
    in_two(whole_run, tmp_path, str(data), "whole", 0)
    (tmp_path / "meeting").unlink(missing_ok=True)
    with pytest.raises((ProcessExitedException, ProcessRaisedException)):
        in_two(whole_run, tmp_path, str(data), "killed", 17)
    assert not RunFolder(tmp_path / "killed").finished
    (tmp_path / "meeting").unlink(missing_ok=True)
    in_two(whole_run, tmp_path, str(data), "killed", 0)
    (tmp_path / "meeting").unlink(missing_ok=True)
    in_two(whole_run, tmp_path, str(data), "killed", 0)  # has ended, and nothing more is done
    assert left(tmp_path / "killed") == left(tmp_path / "whole")
    assert RunFolder(tmp_path / "whole").read_record("environment")["processes"] == RANKS
    alone = train(config_of_case(data, ("memory", "learned"), iterations=30, evaluate_every=5), tmp_path / "alone")
    said = {float((tmp_path / f"result-whole-{rank}.txt").read_text()) for rank in range(RANKS)}
    assert len(said) == 1  # all processes return what the first one wrote
    assert said.pop() == pytest.approx(alone["valid_accuracy"], abs=10)  # single precision, 30 iterations of Adam


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"training.method": "reweight"}, "method 'reweight' weights a batch by itself"),
        ({"training.method": "tfidf"}, "method 'tfidf' is fitted by one"),
        ({"meta.normalize_weights": True}, "meta.normalize_weights"),
        ({"meta.certify_every": 5}, "meta.certify_every"),
        ({"meta.estimator": "evolution"}, "'evolution' goes by the meta-loss"),
    ],
)
def test_what_cannot_be_shared_is_refused(data: Path, settings: dict[str, Any], said: str) -> None:
    config = changed(config_of_case(data, ("memory", "learned")), settings)
    with pytest.raises(UserError, match=f"2 processes cannot share this run: .*{said}"):
        check_ranks(Ranks(0, 2, several=True), config, method_named(config.training.method))
    check_ranks(ALONE, config, method_named(config.training.method))


def test_batches_smaller_than_the_processes_are_refused(data: Path) -> None:
    config = small_config(data, "restaurant", training={"method": "multitask", "batch_size": 2})
    method = method_named("multitask")
    parts = build_parts(config, method)
    with pytest.raises(UserError, match="a batch of the primary update has 2 examples, too few for 3 processes"):
        Trainer(config, method, parts.tasks, parts.state, parts.weighter, Ranks(0, 3, several=True))


def test_torchrun_is_for_train_alone(monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    for name, value in {"TORCHELASTIC_RUN_ID": "1", "WORLD_SIZE": "2", "RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    ended = call("demo", "--out", data / "demo")
    assert ended.code == 2
    assert "torchrun has started 2 processes" in ended.err
    assert len(ended.err.splitlines()) == 1


def command(data: Path, out: Path) -> list[str]:
    given = [f"--{name}={data / 'primary'}" for name in ("primary", "valid")]
    more = ["--related", str(data / "restaurant"), "--method", "learned", "--no-audit", "--out", str(out), "--json"]
    return ["train", *given, *more, *small_options()]


WAITING = """
import os, pathlib, sys, time
from tasksieve.training.loop.ranks import started_ranks

with started_ranks("cpu") as ranks:
    pathlib.Path(sys.argv[1], str(ranks.rank)).write_text(str(os.getpid()))
    time.sleep(180)  # longer than the test waits
"""
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def test_processes_end_with_a_torchrun_that_was_killed(tmp_path: Path) -> None:
    script, there = tmp_path / "waiting.py", [tmp_path / str(rank) for rank in range(RANKS)]
    script.write_text(WAITING)
    torchrun = subprocess.Popen([*TORCHRUN, str(script), str(tmp_path)], stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: all(file.exists() and file.read_text() for file in there))
        workers = [int(file.read_text()) for file in there]
        assert all(is_at_work(worker) for worker in workers)
    finally:
        torchrun.kill()
        torchrun.wait()
    wait_for(lambda: not any(is_at_work(worker) for worker in workers))


def is_at_work(process: int) -> bool:
    """Whether there is such a process that has not ended; one that has may wait for init to notice."""
    status = Path(f"/proc/{process}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_torchrun_trains_as_the_command_alone(data: Path, tmp_path: Path) -> None:
    words = [*TORCHRUN, "-m", "tasksieve", *command(data, tmp_path / "two")]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr
    result = json.loads(ended.stdout)  # said once
    alone = call(*command(data, tmp_path / "one"))
    assert alone.code == 0
    one = json.loads(alone.out)
    assert result["iterations"] == one["iterations"]
    assert result["valid_accuracy"] == pytest.approx(one["valid_accuracy"], abs=10)
    assert RunFolder(tmp_path / "two").read_record("environment")["processes"] == RANKS
