"""What large models and large data need of the loop: nobody waits for a device, parts learn at rates of their own,
tensor files of any size, and snapshots of a sample."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from tasksieve.errors import UserError
from tasksieve.models.model import Model, ParameterGroup
from tasksieve.records.config import LoopConfig
from tasksieve.records.run_folder import RunFolder
from tasksieve.report.weights import of_the_same_examples
from tasksieve.training.loop import devices, divergence, meta_updates, trainer
from tasksieve.training.loop.optimizers import adam_of, adam_step, set_lr
from tasksieve.training.loop.state import start_state
from tasksieve.training.loop.tensor_files import _header, read_tensors, write_tensors
from tasksieve.training.runs.dialogs import train
from tests.small import small_config


@pytest.fixture
def nothing_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every number as if it were on a device that is busy."""
    for module in (devices, divergence, meta_updates, trainer):
        monkeypatch.setattr(module, "at_hand", lambda value: False)


def learned(tasks: Path, **sections: Any) -> Any:
    training = {"method": "learned", **sections.pop("training", {})}
    return small_config(tasks, "restaurant", training=training, **sections)


@pytest.fixture(scope="module")
def plain(tasks_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A learned run on the CPU."""
    folder = tmp_path_factory.mktemp("plain") / "run"
    train(learned(tasks_dir), folder)
    return RunFolder(folder)


def tensors_of(folder: RunFolder) -> dict[str, torch.Tensor]:
    return load_file(folder.last_checkpoint)


def test_a_device_that_nobody_waits_for_makes_the_same_updates(
    tasks_dir: Path, tmp_path: Path, plain: RunFolder, nothing_at_hand: None
) -> None:
    train(learned(tasks_dir), tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    for one, other in zip(folder.read_metrics(), plain.read_metrics(), strict=True):
        assert one == pytest.approx(other, rel=1e-5)
    one, other = tensors_of(folder), tensors_of(plain)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_where_all_weights_are_0_a_device_leaves_the_model_alone(
    tasks_dir: Path, tmp_path: Path, nothing_at_hand: None
) -> None:
    (tmp_path / "none.csv").write_text("example,label\n0,0\n")
    data = {"labels": str(tmp_path / "none.csv")}
    train(small_config(tasks_dir, "restaurant", training={"method": "oracle"}, data=data), tmp_path / "oracle")
    train(small_config(tasks_dir, "restaurant", training={"method": "primary"}), tmp_path / "primary")
    one, other = (tensors_of(RunFolder(tmp_path / name)) for name in ("oracle", "primary"))
    assert all(torch.equal(one[name], value) for name, value in other.items())


def test_a_device_leaves_out_what_is_not_finite_and_the_next_validation_says_where_it_began(
    tasks_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nothing_at_hand: None
) -> None:
    descend, asked = trainer.Trainer._descend, []

    def poisoned(self: Any, batches: Any, factors: torch.Tensor, update: str, step: int, *rest: Any) -> None:
        asked.append((step, update))
        poison = float("nan") if (step, update) == (6, "related") else 1.0
        descend(self, batches, factors * poison, update, step, *rest)
        assert all(bool(torch.isfinite(value).all()) for value in self._params.values())

    monkeypatch.setattr(trainer.Trainer, "_descend", poisoned)
    with pytest.raises(UserError, match="iteration 6, related update: the loss is not finite; the last good"):
        train(learned(tasks_dir), tmp_path / "run")
    assert max(asked) == (7, "related")
    folder = RunFolder(tmp_path / "run")
    assert [line["step"] for line in folder.read_metrics()] == [4]
    assert all(bool(torch.isfinite(value).all()) for value in tensors_of(folder).values())


def test_exploding_meta_gradients_on_a_device_end_the_run_at_a_validation(
    tasks_dir: Path, tmp_path: Path, nothing_at_hand: None
) -> None:
    exploding = {"inner_lr": 1e30, "unroll_length": 3}
    with pytest.raises(UserError, match="weight update: the meta-gradient, 20 times in a row"):
        train(learned(tasks_dir, meta=exploding, training={"iterations": 40}), tmp_path / "run")
    lines = RunFolder(tmp_path / "run").read_metrics()
    assert [line["meta_updates_skipped"] for line in lines] == [1.0, 1.0, 1.0, 1.0]
    assert all(line["meta_loss"] is None for line in lines)


class InParts(Model):
    """A model whose head learns ten times as fast as its body, and whose table is fixed."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(3, 3), nn.Linear(3, 2)
        self.table = nn.Parameter(torch.ones(2), requires_grad=False)

    def losses(self, batch: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(batch)).square().sum(1)

    def parameter_groups(self) -> list[ParameterGroup]:
        return [ParameterGroup(list(self.body.parameters())), ParameterGroup(list(self.head.parameters()), 10.0)]


def test_parts_of_a_model_learn_at_rates_of_their_own_and_go_on_with_them(tmp_path: Path) -> None:
    model = InParts()
    state = start_state(LoopConfig(), model, None)
    optimizer = state.optimizers["primary"]

    def step(lr: float) -> list[float]:
        before = [value.detach().clone() for value in model.parameters()]
        for value in model.parameters():
            value.grad = torch.ones_like(value) if value.requires_grad else None
        set_lr(optimizer, lr)
        adam_step(optimizer)
        after = [value.detach() for value in model.parameters()]
        return [float((old - new).abs().max()) for old, new in zip(before, after, strict=True)]

    table, *moved = step(1e-3)
    assert table == 0
    assert moved == pytest.approx([1e-3, 1e-3, 1e-2, 1e-2], rel=1e-3)
    assert step(2e-3)[1:] == pytest.approx([2e-3, 2e-3, 2e-2, 2e-2], rel=1e-3)
    state.copy().write(tmp_path / "last.safetensors")
    expected = step(1e-3), {name: value.clone() for name, value in model.state_dict().items()}
    state.load(tmp_path / "last.safetensors")
    assert step(1e-3) == expected[0]
    assert all(torch.equal(value, expected[1][name]) for name, value in model.state_dict().items())


def test_a_parameter_that_no_group_has_is_named() -> None:
    class Forgetful(InParts):
        def parameter_groups(self) -> list[ParameterGroup]:
            return [ParameterGroup(list(self.body.parameters()))]

    with pytest.raises(ValueError, match=r"'head\.weight' requires a gradient and is in no group"):
        adam_of(Forgetful(), 0.1)


def test_tensor_files_are_those_of_safetensors_with_offsets_beyond_4_gib(tmp_path: Path) -> None:
    tensors = {
        "odd": torch.arange(3, dtype=torch.uint8),
        "wide": torch.randn(2, 3, dtype=torch.float64),
        "half": torch.randn(3).bfloat16(),
        "turned": torch.randn(3, 2).T,
        "number": torch.tensor(7),
        "none": torch.empty(0, 2),
        "flags": torch.tensor([True, False]),
    }
    write_tensors(tmp_path / "a.safetensors", tensors, {"step": "1"}, "model")
    for found in (load_file(tmp_path / "a.safetensors"), read_tensors(tmp_path / "a.safetensors")[0]):
        assert found.keys() == tensors.keys()
        assert all(torch.equal(found[name], value) for name, value in tensors.items())
    large = {name: torch.empty(3 << 30, dtype=torch.bfloat16, device="meta") for name in ("a", "b")}
    header = json.loads(_header(large, {})[8:])
    assert (header["b"]["data_offsets"], header["b"]["shape"]) == ([6 << 30, 12 << 30], [3 << 30])


@pytest.fixture
def sampled(tasks_dir: Path, tmp_path: Path) -> Iterator[RunFolder]:
    config = small_config(tasks_dir, "restaurant", "hotel", training={"snapshot_examples": 20})
    train(config, tmp_path / "run")
    yield RunFolder(tmp_path / "run")


def test_snapshots_of_many_examples_hold_a_fixed_sample_and_all_at_the_end(
    tasks_dir: Path, tmp_path: Path, sampled: RunFolder
) -> None:
    train(small_config(tasks_dir, "restaurant", "hotel"), tmp_path / "all")
    whole, examples = RunFolder(tmp_path / "all"), sampled.read_examples()
    *early, last = sampled.weight_steps()
    assert (early, last) == ([0, 4, 8], 12)
    first = sampled.read_weights(0)
    assert 18 <= len(first) <= 20
    assert first["example"].is_sorted() and examples.filter(pl.col("example").is_in(first["example"].implode()))[
        "task"
    ].unique().to_list() == [0, 1]
    for step in early:
        found = sampled.read_weights(step)
        assert found["example"].equals(first["example"])
        of_all = found.drop("weight").join(whole.read_weights(step), on=["example", "dialog", "turn", "step"])
        assert found["weight"].to_list() == pytest.approx(of_all["weight"].to_list(), rel=1e-5)
    assert sampled.read_weights(last).equals(whole.read_weights(last))
    alike = of_the_same_examples(sampled.read_weights())
    assert alike.group_by("step").len()["len"].unique().to_list() == [len(first)]
    assert of_the_same_examples(whole.read_weights()).equals(whole.read_weights())


@pytest.mark.parametrize("method", ["reweight", "gradient-cosine", "random-changing", "oracle"])
def test_every_way_of_weighting_can_be_sampled(tasks_dir: Path, tmp_path: Path, method: str) -> None:
    (tmp_path / "labels.csv").write_text("kind,label\ngreeting,1\n")
    training = {"method": method, "iterations": 2, "snapshot_every": 1, "snapshot_examples": 9}
    config = small_config(
        tasks_dir, "restaurant", "hotel", training=training, data={"labels": str(tmp_path / "labels.csv")}
    )
    train(config, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    assert len(folder.read_weights(1)) in (8, 9)
    assert len(folder.read_weights(2)) == len(folder.read_examples())
    assert folder.read_weights()["weight"].is_between(0, 1).all()


def test_simulated_steps_keep_the_ratios_of_the_real_ones() -> None:
    state = start_state(LoopConfig(), InParts(), None)
    params = {name: value for name, value in state.model.named_parameters() if value.requires_grad}
    rule = meta_updates._rule_of_groups(LoopConfig().meta, state.optimizers["related"], params)
    ones = {name: torch.ones_like(value) for name, value in params.items()}
    moved, _ = rule.step(params, ones, {})
    sizes = {name: float((params[name] - value).detach().abs().max()) for name, value in moved.items()}
    assert sizes["head.weight"] == pytest.approx(10 * sizes["body.weight"], rel=1e-4)
