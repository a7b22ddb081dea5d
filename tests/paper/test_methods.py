"""Claims about the methods that hold to the last bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tasksieve.dialogs.formats import read_babi
from tasksieve.dialogs.turn_kinds import turn_kind
from tasksieve.errors import UserError
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.state import read_tensors
from tasksieve.training.methods import Method, all_methods, register
from tasksieve.training.runs.dialogs import train
from tests.small import small_config

METHODS = {name: method for name, method in all_methods().items() if not method.simple}
BRIEF = {"iterations": 4}
CHANGING = ("reweight", "gradient-cosine", "meta-weight-net", "cluster-attention", "adapt", "rho-loss")
FIXED = (
    "discriminator", "instance-weighting", "less", "nearest-bm25", "nearest-embedding", "random-half", "stratified",
)  # fmt: skip
INITIAL = ("maml", "reptile")
RIVALS = (*CHANGING, *FIXED, *INITIAL)


def parameters(config: Any, folder: Path) -> dict[str, torch.Tensor]:
    """The dialog model's parameters and optimiser state at the end of a run."""
    train(config, folder)
    tensors, _ = read_tensors(RunFolder(folder).last_checkpoint, "state")
    return {name: value for name, value in tensors.items() if name.startswith(("model.", "optimizer.primary."))}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    assert one.keys() == other.keys()
    return all(torch.equal(one[name], other[name]) for name in one)


def test_all_rows_of_the_papers_tables_are_there() -> None:
    assert {name for name, method in METHODS.items() if method.paper} == {
        "primary", "pretrain", "joint", "multitask", "learned", "random-fixed", "random-changing", "ones", "oracle",
    }  # fmt: skip
    assert {name for name, method in METHODS.items() if method.reference} == set(RIVALS)
    assert all(method.summary and bool(method.paper) != bool(method.reference) for method in METHODS.values())


@pytest.mark.parametrize("optimizer_state", ["shared", "separate"])
def test_weights_0_are_primary_only_and_weights_1_are_multitask(
    tasks_dir: Path, tmp_path: Path, optimizer_state: str
) -> None:
    def run(method: str, labels: str | None = None) -> dict[str, torch.Tensor]:
        training = {"method": method, "optimizer_state": optimizer_state, **BRIEF}
        data = {} if labels is None else {"labels": str(tmp_path / labels)}
        config = small_config(tasks_dir, "restaurant", "hotel", training=training, data=data)
        return parameters(config, tmp_path / f"{method}-{labels}")

    (tmp_path / "none.csv").write_text("example,label\n0,0\n")
    turns = [
        turn
        for name in ("restaurant", "hotel")
        for d in read_babi(tasks_dir / name / "train.txt")
        for turn in d.turns
    ]
    kinds = {turn_kind(turn.system) for turn in turns}
    (tmp_path / "all.jsonl").write_text("".join(f'{{"kind": "{kind}", "label": 1}}\n' for kind in kinds))
    primary, multitask = run("primary"), run("multitask")
    assert not same(primary, multitask)
    assert same(run("oracle", "none.csv"), primary)
    assert same(run("oracle", "all.jsonl"), multitask)
    assert same(run("ones"), multitask)


def test_a_learned_run_that_never_asks_its_module_is_multitask(tasks_dir: Path, tmp_path: Path) -> None:
    warm = small_config(tasks_dir, "restaurant", training={"method": "learned", **BRIEF}, meta={"warm_up": 99})
    plain = small_config(tasks_dir, "restaurant", training={"method": "multitask", **BRIEF})
    assert same(parameters(warm, tmp_path / "warm"), parameters(plain, tmp_path / "plain"))


def test_no_unroll_leaves_the_weight_module_as_it_was(tasks_dir: Path, tmp_path: Path) -> None:
    training = {"method": "learned", **BRIEF}
    config = small_config(tasks_dir, "restaurant", training=training, meta={"unroll_length": 0})
    train(config, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    first, last = folder.read_weights(0), folder.read_weights(folder.weight_steps()[-1])
    assert first["weight"].equals(last["weight"])


def test_pretraining_comes_first_and_is_never_selected(tasks_dir: Path, tmp_path: Path) -> None:
    config = small_config(tasks_dir, "restaurant", training={"method": "pretrain"})
    result = train(config, tmp_path / "run")
    assert result["iterations"] == 16
    assert result["best_step"] > 4
    lines = RunFolder(tmp_path / "run").read_metrics()
    assert [line["primary_loss"] is None for line in lines] == [True, False, False, False]
    assert [line["related_loss"] is None for line in lines] == [False, True, True, True]


def test_without_primary_updates_only_related_data_is_learned_from(tasks_dir: Path, tmp_path: Path) -> None:
    """Table 1's setting: steps 2 and 3 alone."""
    config = small_config(tasks_dir, "restaurant", training={"method": "learned", "primary_updates": False, **BRIEF})
    train(config, tmp_path / "run")
    lines = RunFolder(tmp_path / "run").read_metrics()
    assert all(line["primary_loss"] is None and line["meta_loss"] > 0 for line in lines)


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_method_trains_on_several_related_tasks(tasks_dir: Path, tmp_path: Path, method: str) -> None:
    (tmp_path / "labels.csv").write_text("kind,label\ngreeting,1\n")
    data = {"labels": str(tmp_path / "labels.csv")}
    config = small_config(tasks_dir, "restaurant", "hotel", training={"method": method, **BRIEF}, data=data)
    result = train(config, tmp_path / "run")
    assert result["method"] == method
    folder = RunFolder(tmp_path / "run")
    weighted = method in ("learned", "random-fixed", "random-changing", "oracle", *CHANGING, *FIXED)
    assert bool(folder.weight_steps()) == weighted
    if weighted:
        weights = folder.read_weights()
        assert weights["weight"].is_between(0, 1).all()
        assert len(weights) == len(folder.read_examples()) * len(folder.weight_steps())
        steps = folder.weight_steps()
        fixed = folder.read_weights(steps[0])["weight"].equals(folder.read_weights(steps[-1])["weight"])
        assert fixed == (method in ("random-fixed", "oracle", *FIXED))


def test_what_a_method_lacks_is_said_before_anything_is_written(tasks_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'multitask' borrows; give at least one --related"):
        train(small_config(tasks_dir, training={"method": "multitask"}), tmp_path / "a")
    with pytest.raises(UserError, match="needs labels of the related examples; give --labels"):
        train(small_config(tasks_dir, "hotel", training={"method": "oracle"}), tmp_path / "b")
    with pytest.raises(UserError, match="unknown method 'magic'; known: "):
        train(small_config(tasks_dir, training={"method": "magic"}), tmp_path / "c")
    assert not list(tmp_path.iterdir())


def test_a_name_is_given_once() -> None:
    class Unnamed(Method):
        """Nothing."""

    class Second(Method):
        """Not the first."""

        name = "learned"

    with pytest.raises(ValueError, match="Unnamed: found no name"):
        register(Unnamed)
    with pytest.raises(ValueError, match="Second: there is a method 'learned' already"):
        register(Second)
