"""Trials trained side by side as one model end where each ends by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tasksieve.errors import UserError
from tasksieve.models.matching.model import Matching
from tasksieve.models.matching.side_by_side import apart, stacked
from tasksieve.records.config import RunConfig, config_from
from tasksieve.training.loop.method import Method
from tasksieve.training.loop.state import start_state
from tasksieve.training.loop.trainer import Trainer
from tasksieve.training.methods import method_named
from tasksieve.training.runs.dialog_tasks import DialogTasks, load_tasks
from tasksieve.training.runs.dialogs import build_model, train
from tasksieve.training.runs.settled import settled
from tasksieve.training.screening.side_by_side import SideBySide
from tasksieve.weighting import PerExample, by_task
from tests.desks import data_of_desks, write_desks
from tests.small import small_config

TRIALS, ITERATIONS = 3, 8


class GivenWeights(Method):
    """Learn from both tasks with weights that are given."""


def small(folder: Path, **training: Any) -> tuple[RunConfig, DialogTasks]:
    values = {
        "data": data_of_desks(write_desks(folder, own=3, each=3)),
        "model": {"sentences": "bag-of-words", "members": 2, "width": 8, "hidden": 4, "word_dropout": 0.0},
        "training": {"iterations": ITERATIONS, **training},
    }
    config = settled(config_from(values))
    return config, load_tasks(config, method_named("learned"))


def fresh(config: RunConfig, tasks: DialogTasks) -> Matching:
    model = build_model(config, len(tasks.encoding.vocabulary), tasks.encoding.candidates)
    assert isinstance(model, Matching)
    return model


SETTINGS: list[dict[str, Any]] = [
    {},
    {"max_grad_norm": 0.05},
    {"reduction": "sum", "lr_schedule": "constant"},
]


@pytest.mark.parametrize("training", SETTINGS)
def test_trials_side_by_side_end_as_one_after_the_other(tmp_path: Path, training: dict[str, Any]) -> None:
    config, tasks = small(tmp_path, **training)
    chances = torch.rand(TRIALS, len(tasks.related[0]), generator=torch.Generator().manual_seed(1))
    weights = (chances > 0.5).float()
    together = SideBySide(config, [fresh(config, tasks) for _ in range(TRIALS)], tasks, [weights])
    for step in range(ITERATIONS):
        together.iterate(step)
    for own, found in zip(weights, together.settle(), strict=True):
        state = start_state(config, fresh(config, tasks), None)
        trainer = Trainer(config, GivenWeights(), tasks, state, PerExample(by_task(own, tasks.related)))
        for step in range(ITERATIONS):
            trainer.iterate(step)
        for name, value in state.model.named_parameters():
            torch.testing.assert_close(found.get_parameter(name), value, rtol=2e-3, atol=2e-5, msg=name)


def test_models_are_one_and_apart_again(tmp_path: Path) -> None:
    config, tasks = small(tmp_path)
    models = [fresh(config, tasks) for _ in range(2)]
    with torch.no_grad():
        for place, model in enumerate(models):
            for value in model.parameters():
                value.add_(0.1 * place + 0.01 * torch.arange(value.numel()).view_as(value))
    before = [{name: value.clone() for name, value in model.named_parameters()} for model in models]
    whole = stacked(models)
    batch = tasks.primary.batch(torch.arange(4))
    found = whole.losses_apart(batch, 2)
    for losses, model in zip(found, models, strict=True):
        torch.testing.assert_close(losses, model.losses(batch))
    apart(whole, models)
    for model, held in zip(models, before, strict=True):
        assert all(torch.equal(value, held[name]) for name, value in model.named_parameters())


def test_what_members_share_is_refused(tmp_path: Path) -> None:
    config, tasks = small(tmp_path)
    model = fresh(config, tasks)
    model.linear = torch.nn.Parameter(torch.zeros(3, 2))
    with pytest.raises(ValueError, match="'linear' is shared by all members"):
        stacked([model])


def screened(tmp_path: Path, together: bool) -> list[float]:
    values = {
        "data": {**data_of_desks(tmp_path), "related": [str(tmp_path / "old" / "billing.jsonl")]},
        "model": {"sentences": "bag-of-words", "members": 1, "width": 8, "hidden": 4, "word_dropout": 0.0},
        "weight_module": {"kind": "matching"},
        "screening": {"trials": 8, "iterations": 5, "groups": 3, "distill_iterations": 2, "together": together},
        "training": {"iterations": 2, "evaluate_every": 2, "snapshot_every": 2},
    }
    folder = tmp_path / f"run-{together}"
    train(config_from(values), folder)
    lines = (folder / "trials.jsonl").read_text().splitlines()
    return [json.loads(line)["result"] for line in lines]


def test_a_screening_side_by_side_finds_what_one_after_the_other_does(tmp_path: Path) -> None:
    small(tmp_path)
    apart_found, together_found = screened(tmp_path, False), screened(tmp_path, True)
    assert len(together_found) == 8 and len(set(together_found)) > 1
    assert together_found == pytest.approx(apart_found, abs=0.05)


def test_a_screening_of_other_models_is_not_side_by_side(tasks_dir: Path, tmp_path: Path) -> None:
    screening = {"trials": 8, "iterations": 2, "groups": 2, "distill_iterations": 1, "together": True}
    with pytest.raises(UserError, match=r"screening\.together: only the matching model on bags of words"):
        train(small_config(tasks_dir, "restaurant", screening=screening), tmp_path / "run")
