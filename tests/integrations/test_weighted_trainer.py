"""The trainer learns the same however the batch is cut up, and learns weights on the way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tasksieve.errors import UserError
from tasksieve.integrations import ChatCollator, GroupTable
from tests.integrations import ranks
from tests.integrations.ranks import arguments, example, learner, trained_params, trainer
from tests.processes import forked
from tests.tiny_language_models import chats, llama, t5, with_adapters

pytest.importorskip("accelerate")


def weighted(count: int = 8) -> list[dict[str, Any]]:
    return [{**one, "weight": 0.25 + place % 3} for place, one in enumerate(chats(count))]


def test_gradient_accumulation_changes_nothing(tmp_path: Path) -> None:
    found = []
    for size, accumulated in ((4, 1), (2, 2), (1, 4)):
        made = trainer(tmp_path, weighted(), size=size, gradient_accumulation_steps=accumulated)
        made.train()
        found.append(trained_params(made.model))
    torch.testing.assert_close(found[1], found[0], rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(found[2], found[0], rtol=1e-4, atol=1e-6)


def test_weights_of_one_are_the_plain_trainer(tmp_path: Path) -> None:
    import transformers

    found = []
    for kind in (None, transformers.Trainer):
        made = trainer(tmp_path, chats(8), size=2, gradient_accumulation_steps=2, kind=kind)
        made.train()
        found.append(trained_params(made.model))
    torch.testing.assert_close(found[0], found[1], rtol=1e-5, atol=1e-7)


def test_a_weight_of_zero_is_an_example_that_is_not_there(tmp_path: Path) -> None:
    """In two micro-batches of two; the other is of three and one."""
    some = chats(3)
    found = []
    for data, size, accumulated in (([*some[:2], {**chats(1, seed=9)[0], "weight": 0}, some[2]], 2, 2), (some, 3, 1)):
        made = trainer(tmp_path, data, size=size, gradient_accumulation_steps=accumulated, max_steps=1)
        made.train()
        found.append(trained_params(made.model))
    torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=1e-6)


def test_an_encoder_decoder_is_trained_and_evaluated(tmp_path: Path) -> None:
    made = trainer(tmp_path, weighted(), model=with_adapters(t5()), size=2, encoder_decoder=True)
    before = trained_params(made.model)
    made.train()
    assert not torch.equal(trained_params(made.model), before)
    assert 0 < made.evaluate(chats(4, seed=5))["eval_loss"] < 20


def test_evaluation_knows_no_learned_weights(tmp_path: Path) -> None:
    import transformers

    held_out = [{**one, "group": 0} for one in chats(4, seed=5)]
    with_it = trainer(tmp_path, chats(4), learn=learner(), size=4)
    with_it.train()
    plain = trainer(tmp_path, chats(4), model=with_it.model, size=4, kind=transformers.Trainer)
    assert with_it.evaluate(held_out)["eval_loss"] == pytest.approx(plain.evaluate(held_out)["eval_loss"], rel=1e-5)


def test_learned_weights_tell_what_helps_the_primary_examples(tmp_path: Path) -> None:
    """Half of the training examples answer as the primary ones do, half otherwise."""
    data = [example(place % 2) for place in range(16)]
    learn = learner(groups=2, weight_lr=0.3)
    made = trainer(tmp_path, data, learn=learn, size=8, epochs=6, learning_rate=3e-3)
    made.train()
    low, high = learn.weights()
    assert low < 0.4 < 0.6 < high
    assert [one["step"] for one in learn.history] == list(range(1, 13))
    assert learn.error is not None
    assert learn.error.relative < 0.05
    assert any("meta_loss" in entry for entry in made.state.log_history)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_learning_goes_on_from_a_checkpoint_as_if_it_had_not_stopped(tmp_path: Path, dropout: float) -> None:
    data, found = [example(place % 2) for place in range(16)], []
    how: dict[str, Any] = {"size": 8, "epochs": 3, "save_strategy": "steps", "save_steps": 3}
    for resumed in (False, True):
        learn = learner(groups=2)
        made = trainer(tmp_path / "run", data, model=with_adapters(llama(), dropout=dropout), learn=learn, **how)
        made.train(resume_from_checkpoint=str(tmp_path / "run" / "checkpoint-3") if resumed else None)
        found.append((learn.weights(), learn.history, trained_params(made.model)))
    assert found[0][0] == found[1][0]
    assert found[0][1] == found[1][1]
    assert torch.equal(found[0][2], found[1][2])


def test_learning_weights_draws_none_of_the_trainings_random_numbers(tmp_path: Path) -> None:
    """With weights that stay 1 a training with dropout is the same with and without meta-updates."""
    found = []
    for learn in (None, learner(module=GroupTable(1))):
        data = [{**one, "group": -1} for one in chats(8)]
        made = trainer(tmp_path, data, model=with_adapters(llama(), dropout=0.3), learn=learn, size=4)
        made.train()
        found.append(trained_params(made.model))
    torch.testing.assert_close(found[0], found[1], rtol=1e-6, atol=1e-8)


def test_two_processes_learn_what_one_does(tmp_path: Path) -> None:
    context = forked()
    port = ranks.free_port()
    workers = [context.Process(target=ranks.work, args=(rank, str(tmp_path), port)) for rank in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    found = [torch.load(tmp_path / f"rank-{rank}.pt", weights_only=True) for rank in range(2)]
    for estimator in ranks.ESTIMATORS:
        alone, one, other = ranks.learned(tmp_path / "alone", 4, estimator), *(rank[estimator] for rank in found)
        assert torch.equal(one["params"], other["params"])
        assert torch.equal(one["weights"], other["weights"])
        torch.testing.assert_close(one["weights"], alone["weights"], rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(one["params"], alone["params"], rtol=1e-3, atol=1e-5)


def test_what_does_not_go_together_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="label smoothing"):
        trainer(tmp_path, chats(2), label_smoothing_factor=0.1)
    with pytest.raises(UserError, match="compute_loss_func"):
        trainer(tmp_path, chats(2), compute_loss_func=len)
    with pytest.raises(UserError, match="give data that have a length"):
        trainer(tmp_path, iter(chats(2)), learn=learner(), max_steps=1)
    with pytest.raises(UserError, match="either groups"):
        learner(groups=2, module=GroupTable(2))
    with pytest.raises(UserError, match="no primary examples"):
        learner(primary=[])
    with pytest.raises(UserError, match="no table by group"):
        learner(module=torch.nn.Linear(1, 1)).weights()
    import transformers

    with pytest.raises(UserError, match="needs a WeightedTrainer"):
        made = trainer(tmp_path, chats(2), kind=transformers.Trainer, learn=learner())
        made.train()


def test_a_checkpoint_without_learned_weights_is_refused(tmp_path: Path) -> None:
    how: dict[str, Any] = {"size": 2, "save_strategy": "steps", "save_steps": 1}
    trainer(tmp_path, chats(4), **how).train()
    with pytest.raises(UserError, match="has no learned weights"):
        again = trainer(tmp_path, chats(4), learn=learner(), **how)
        again.train(resume_from_checkpoint=str(tmp_path / "checkpoint-1"))


def test_without_transformers_the_loss_is_there_and_the_trainer_names_the_extra() -> None:
    program = (
        "import sys; sys.modules['transformers'] = None\n"
        "import tasksieve.integrations as i; i.weighted_nll, i.ChatCollator\n"
        "try: i.WeightedTrainer\n"
        "except i.adapter_weights.UserError as error: print(error)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "transformers is not installed; install the extra: pip install 'tasksieve[lm]'"


def test_arguments_are_for_a_cpu(tmp_path: Path) -> None:
    assert arguments(tmp_path).device.type == "cpu"
    assert ChatCollator(None).unit == "example"
