"""Weights that the data give responses: each loss that is learned from is multiplied by its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tasksieve.contracts import given_weights
from tasksieve.dialogs import Dialog, Turn
from tasksieve.dialogs.formats import read_dialogs
from tasksieve.dialogs.formats.chat import write_chat
from tasksieve.kernels import disabled
from tasksieve.metagrad import ESTIMATORS, estimator_named
from tasksieve.metagrad.certificate import double_of, double_update
from tasksieve.models import learned_params
from tasksieve.records.config import RunConfig
from tasksieve.training.loop.trainer import Trainer
from tasksieve.training.runs.dialogs import build_parts, method_of
from tasksieve.training.runs.simple.classifier import Classifier
from tests.reading import World
from tests.small import small_config

GIVEN = (0.25, 1.0, 3.0, 0.5, 0.0)


def weighted(dialogs: list[Dialog]) -> Iterator[Dialog]:
    """Dialogs whose turns have weights, the same for the same turn."""
    for number, dialog in enumerate(dialogs):
        events = enumerate(dialog.events)
        yield replace(
            dialog,
            events=tuple(
                replace(event, learned=GIVEN[(number + n) % len(GIVEN)]) if isinstance(event, Turn) else event
                for n, event in events
            ),
        )


@pytest.fixture(scope="module")
def folder(tasks_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small tasks as chat messages with weights."""
    folder = tmp_path_factory.mktemp("weighted")
    for task in ("primary", "restaurant"):
        (folder / task).mkdir()
        for split in ("train", "valid"):
            write_chat(weighted(read_dialogs(tasks_dir / task, split)), folder / task / f"{split}.jsonl")
    return folder


def trainer_of(config: RunConfig) -> tuple[Any, Any]:
    method = method_of(config)
    parts = build_parts(config, method)
    return Trainer(config, method, parts.tasks, parts.state, parts.weighter), parts


def expected(parts: Any, batches: list[Any], factors: Tensor) -> dict[str, Tensor]:
    """The gradient of the losses times factors and weights."""
    params = learned_params(parts.state.model)
    losses = torch.cat([parts.state.model.losses(batch) for batch in batches])
    found = torch.autograd.grad(losses @ factors, list(params.values()), materialize_grads=True)
    return dict(zip(params, found, strict=True))


@pytest.mark.parametrize("kernels", [True, False])
def test_a_batch_has_the_weights_of_its_examples(kernels: bool) -> None:
    turns = [Turn("a", "b", learned=0.5), Turn("c", "d", learned=0.0), Turn("e", "f", learned=2.0)]
    task = World({"primary": [Dialog((*turns, Turn("g", "h")))]}).task()
    with nullcontext() if kernels else disabled():
        batch = task.batch(torch.tensor([2, 0]))
    assert batch.given is not None
    assert batch.given.tolist() == [1.0, 0.5]
    assert World({"primary": [Dialog((Turn("a", "b"), Turn("a", "c", learned=0.0)))]}).task().given is None


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_an_update_learns_from_each_response_as_much_as_its_weight(folder: Path, reduction: str) -> None:
    training = {"method": "random-fixed", "reduction": reduction, "max_grad_norm": 1e9}
    trainer, parts = trainer_of(small_config(folder, "restaurant", training=training))
    for update, sampler, task in (
        ("primary", trainer._primary, parts.tasks.primary),
        ("related", trainer._related, parts.tasks.related[0]),
    ):
        batch = task.batch(sampler.batch(0)) if update == "primary" else sampler.batch(0)[0]
        assert len(set(batch.given.tolist())) > 2
        weights = batch.given if update == "primary" else batch.given * parts.weighter.weights((batch,), 0)
        wanted = expected(parts, [batch], weights / (len(batch) if reduction == "mean" else 1))
        trainer._updates[update](0)
        for name, value in learned_params(parts.state.model).items():
            found = torch.zeros_like(value) if value.grad is None else value.grad
            torch.testing.assert_close(found, wanted[name], rtol=1e-4, atol=1e-6)


def test_pooled_updates_count_too(folder: Path) -> None:
    training = {"method": "joint", "max_grad_norm": 1e9}
    trainer, _ = trainer_of(small_config(folder, "restaurant", training=training))
    seen: list[tuple[Any, Tensor]] = []

    def backward(batches: Any, factors: Tensor) -> Tensor:
        seen.append((batches, factors))
        return torch.zeros(len(factors))

    trainer._state.model.backward = backward
    trainer._pooled_update(0)
    ((batches, factors),) = seen
    torch.testing.assert_close(factors * len(factors), torch.cat([batch.given for batch in batches]))


def multiplied(losses: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Losses times the weights of their batch."""

    def of(params: Any, batch: Any) -> Tensor:
        given = given_weights(batch if isinstance(batch, tuple) else [batch])
        assert given is not None
        return losses(params, batch) * given

    return of


ONE_STEP = ("one-step", "small-step")


@pytest.mark.parametrize("joint", [False, True])
@pytest.mark.parametrize("estimator", [name for name, kind in ESTIMATORS.items() if kind.fits_runs])
def test_a_meta_update_simulates_what_is_learned(folder: Path, estimator: str, joint: bool) -> None:
    """By every estimator the same as if the losses themselves were larger and smaller."""
    config = small_config(
        folder,
        "restaurant",
        training={"method": "learned"},
        meta={"unroll_length": 1 if estimator in ONE_STEP else 2, "joint": joint, "inner_optimizer": "sgd"},
    )
    if joint and estimator in ONE_STEP:
        pytest.skip("it simulates one step")
    trainer, parts = trainer_of(config)
    update = double_update(trainer._meta._update(0, parts.weighter), double_of)
    problem = update.problem
    plain = replace(
        problem,
        related_losses=multiplied(problem.related_losses),
        primary_losses=multiplied(problem.primary_losses),
        example_weights=parts.weighter.unrolled,
        linearize=None,
        linearize_primary=None,
        primary_factors=None,
    )
    ours, theirs = (estimator_named(estimator)(replace(update, problem=each)) for each in (problem, plain))
    torch.testing.assert_close(ours.meta_loss, theirs.meta_loss)
    for name, value in theirs.gradients.items():
        torch.testing.assert_close(ours.gradients[name], value, rtol=1e-5, atol=1e-12)


def test_weights_that_are_all_1_change_not_a_bit(tasks_dir: Path, tmp_path: Path) -> None:
    """A file that says so is learned from as one that says nothing."""
    for task in ("primary", "restaurant"):
        (tmp_path / task).mkdir()
        for split in ("train", "valid"):
            dialogs = read_dialogs(tasks_dir / task, split)
            ones = {(d, t): 1.0 for d, dialog in enumerate(dialogs) for t in range(len(dialog.turns))}
            write_chat(dialogs, tmp_path / task / f"{split}.jsonl", ones)
    states = []
    for where in (tasks_dir, tmp_path):
        trainer, parts = trainer_of(small_config(where, "restaurant", training={"method": "learned"}))
        for step in range(2):
            trainer.iterate(step)
        states.append(parts.state.model.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_simple_methods_hand_weights_to_scikit_learn(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tasksieve.training.runs.dialogs import train

    counted = []
    fit = Classifier.fit

    def watched(rows: Any, labels: Any, counts: Any, *others: Any) -> Classifier:
        counted.append(counts)
        return fit(rows, labels, counts, *others)

    monkeypatch.setattr(Classifier, "fit", watched)
    train(small_config(folder, "restaurant", training={"method": "tfidf-all"}), folder / "run")
    turns = [turn for dialog in read_dialogs(folder / "primary") for turn in dialog.turns if turn.learned]
    own = counted[-1][: len(turns)]
    assert (own / own[0]).tolist() == pytest.approx([turn.learned / turns[0].learned for turn in turns])
    assert set(counted[-1][len(turns) :]) == {weight for weight in GIVEN if weight}
