"""Language models whose frozen weights lie in parts over processes: the same runs, with a part of the memory each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from safetensors.torch import load_file
from torch.multiprocessing.spawn import ProcessExitedException, ProcessRaisedException

from tasksieve.errors import UserError
from tasksieve.metagrad import ESTIMATORS
from tasksieve.records.config import changed
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.ranks import ALONE, Ranks
from tasksieve.training.loop.sharded import check_sharded, is_sharded
from tasksieve.training.methods import method_named
from tasksieve.training.runs.conversation import Conversation
from tasksieve.training.runs.dialogs import train
from tasksieve.training.runs.settled import settled
from tasksieve.training.runs.trained_model import TrainedModel, evaluate_run
from tests.processes import in_ranks
from tests.reliability.victims import left
from tests.tiny_language_models import write_llama
from tests.unit.archives import write_archive
from tests.unit.rank_cases import RANKS, together
from tests.unit.sharded_cases import CASES, all_cases, config_of_case, held, stepped, whole_run

pytestmark = pytest.mark.skipif(
    not (dist.is_available() and dist.is_gloo_available()),
    reason="this torch has no gloo to connect processes with",
)
TWO = Ranks(0, 2, several=True)


def in_two(work: Any, folder: Path, *arguments: Any) -> None:
    (folder / "meeting").unlink(missing_ok=True)
    in_ranks(together, work, str(folder), *arguments, count=RANKS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Llama of two layers, and dialogs."""
    found = tmp_path_factory.mktemp("sharded")
    write_llama(found / "llama")
    (found / "archive").mkdir()
    write_archive(found / "archive", count=6)
    return found


@pytest.fixture(scope="module")
def by_rank(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each of two processes found in every case; they are started once."""
    out = tmp_path_factory.mktemp("ranks")
    in_two(all_cases, out, str(folder))
    return [torch.load(out / f"rank-{rank}.pt", weights_only=True) for rank in range(RANKS)]


@pytest.mark.parametrize("case", CASES)
def test_two_processes_with_a_part_of_the_weights_each_take_the_steps_of_one(
    by_rank: list[dict[str, Any]], folder: Path, case: str
) -> None:
    alone, _ = stepped(config_of_case(folder, case, sharded=False), ALONE)
    first, second = (found[case] for found in by_rank)
    assert first.keys() == second.keys() == alone.keys()
    if case.startswith("learned"):
        assert any(bool(value.any()) for name, value in alone.items() if name.startswith("optimizer.weights"))
    for name, value in alone.items():
        assert torch.equal(first[name], second[name]), name  # bit for bit
        torch.testing.assert_close(first[name], value, rtol=1e-3, atol=1e-5, msg=lambda text, name=name: name + text)


def test_each_process_holds_its_part_of_the_frozen_weights(by_rank: list[dict[str, Any]], folder: Path) -> None:
    _, whole = stepped(config_of_case(folder, "primary", sharded=True), ALONE)  # one process: nothing to share with
    assert held(whole)[0] == held(whole)[1]
    for case in CASES:
        shares = [found[f"held {case}"] for found in by_rank]
        assert [total for _, total in shares] == [held(whole)[1]] * RANKS
        assert sum(here for here, _ in shares) == held(whole)[1]
        for here, total in shares:
            assert 0.49 < here / total < 0.51


def test_a_second_derivative_is_refused_in_a_sentence(by_rank: list[dict[str, Any]]) -> None:
    for found in by_rank:
        assert found["losses"].shape == (2,)
        assert "take meta.estimator=finite-difference" in found["refused"]


def test_a_killed_run_goes_on_exactly_and_one_process_uses_what_it_left(folder: Path, tmp_path: Path) -> None:
    in_two(whole_run, tmp_path, str(folder), "whole", 0)
    with pytest.raises((ProcessExitedException, ProcessRaisedException)):
        in_two(whole_run, tmp_path, str(folder), "killed", 15)
    assert not RunFolder(tmp_path / "killed").finished
    in_two(whole_run, tmp_path, str(folder), "killed", 0)
    assert left(tmp_path / "killed") == left(tmp_path / "whole")
    best = load_file(RunFolder(tmp_path / "whole").best_checkpoint)
    assert all(name.startswith("model.adapters.") for name in best)
    said = {float((tmp_path / f"result-whole-{rank}.txt").read_text()) for rank in range(RANKS)}
    measured = evaluate_run(tmp_path / "whole", folder / "archive" / "Boats_1.json")
    assert 0 <= measured["accuracy"] <= 100
    assert len(said) == 1
    answers = Conversation(TrainedModel.load(tmp_path / "whole")).say("hello I want something of boats_1", top=2)
    assert answers[0].text


def test_one_process_is_refused_before_anything_is_read(folder: Path, tmp_path: Path) -> None:
    config = config_of_case(folder, "primary", sharded=True)
    with pytest.raises(UserError, match=r"model\.sharded: found true, but there is one process"):
        train(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("case", "settings", "said"),
    [
        ("joint", {}, "method 'joint'"),
        ("learned", {"meta.estimator": "adjoint"}, "'adjoint' goes back through a pass back.*small-step"),
        ("learned", {"meta.loss": "calibrated"}, "meta.loss=calibrated"),
    ],
)
def test_what_sharded_weights_do_not_allow_is_refused(
    folder: Path, case: str, settings: dict[str, Any], said: str
) -> None:
    config = settled(changed(config_of_case(folder, case, sharded=True), settings))
    with pytest.raises(UserError, match=f"model.sharded: .*{said}"):
        check_sharded(TWO, config, method_named(case))
    whole = changed(config, {"model.sharded": False})
    check_sharded(TWO, whole, method_named(case))
    assert is_sharded(config)
    assert not is_sharded(whole)


def test_estimators_that_pass_back_once_are_those_that_are_tried_here() -> None:
    once = {name for name, kind in ESTIMATORS.items() if kind.one_way_back and kind.fits_runs}
    assert once == {case.partition(" ")[2] for case in CASES} - {""}
