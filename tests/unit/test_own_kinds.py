"""A model or weight module of one's own that breaks the contract is told in a sentence, before the run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tasksieve.errors import UserError
from tasksieve.metagrad import ESTIMATORS, EstimatorKind, MetaGradient
from tasksieve.metagrad.problem import AnyUpdate
from tasksieve.models import DialogModel, DialogWeightModule, kinds, register_model, register_weight_module
from tasksieve.plugins import VARIABLE, add_plugins, load_plugins
from tasksieve.records import model_config
from tasksieve.records.model_config import ModelConfig, WeightModuleConfig
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.tensor_files import read_tensors
from tasksieve.training.methods import registry
from tasksieve.training.runs.dialogs import train
from tests.small import small_config


class Bag(DialogModel):
    """The utterance as a bag of words, and a layer that draws random numbers and keeps a mean."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, 4)
        self.norm = nn.BatchNorm1d(4)

    @classmethod
    def build(cls, config: Any, words: int, heads: Any, generator: torch.Generator) -> DialogModel:
        return cls(words)

    def scores(self, batch: Any, *choices: Any) -> Any:
        states = self.norm(nn.functional.dropout(batch.table.embed(self.embedding.weight)[batch.utterances], 0.1))
        return tuple(one.scores(states, one.table.embed(self.embedding.weight)) for one in choices)


class Words(DialogWeightModule):
    """A logit a word of the response, added up."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.logits = nn.Embedding(words, 1)

    @classmethod
    def build(cls, config: Any, words: int, generator: torch.Generator) -> DialogWeightModule:
        return cls(words)

    def forward(self, batch: Any) -> Tensor:
        found: Tensor = batch.table.embed(self.logits.weight)[batch.responses, 0]
        return found


@pytest.fixture(autouse=True)
def registries(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is registered here is forgotten again."""
    known: list[dict[str, Any]] = [
        kinds._MODELS,
        kinds._WEIGHT_MODULES,
        model_config.MODEL_KINDS._classes,
        model_config.WEIGHT_MODULE_KINDS._classes,
        registry._METHODS,
    ]
    before = [dict(one) for one in known]
    monkeypatch.setenv(VARIABLE, "")
    yield
    for one, old in zip(known, before, strict=True):
        one.clear()
        one.update(old)


def tried(
    tasks_dir: Path,
    out: Path,
    model: type[DialogModel] = Bag,
    module: type[DialogWeightModule] = Words,
    iterations: int = 2,
    estimator: str = "adjoint",
) -> None:
    register_model("mine", ModelConfig)(model)
    register_weight_module("my-words", WeightModuleConfig)(module)
    sections: dict[str, Any] = {"model": {"kind": "mine"}, "weight_module": {"kind": "my-words"}}
    training: dict[str, Any] = {"iterations": iterations, "evaluate_every": iterations, "method": "learned"}
    meta = {"unroll_length": 1, "warm_up": 0, "estimator": estimator}
    config = small_config(tasks_dir, "restaurant", "hotel", training=training, meta=meta)
    values = config.model_dump(mode="json")
    train(type(config).model_validate({**values, **sections}), out)


def changed(change: Callable[[tuple[Tensor, ...]], Any]) -> type[DialogModel]:
    class Changed(Bag):
        def scores(self, batch: Any, *choices: Any) -> Any:
            return change(super().scores(batch, *choices))

    return Changed


class Frozen(Bag):
    """Learns nothing."""

    def __init__(self, words: int) -> None:
        super().__init__(words)
        self.requires_grad_(False)


class Mean(Bag):
    """One loss a batch."""

    def losses(self, batch: Any) -> Tensor:
        return super().losses(batch).mean()


class Ungrouped(Bag):
    """No group for its embedding."""

    def parameter_groups(self) -> Any:
        return []


MODELS = {
    r"gave scores of shape \(8, 3\) for 8 examples; the contract is a score .*, here \(8, \d+\)": changed(
        lambda found: tuple(one[:, :3] for one in found)
    ),
    "gave a Tensor as scores; the contract is a tuple of one tensor": changed(lambda found: found[0]),
    "gave 0 tensors of scores for ": changed(lambda found: ()),
    "gave a list as scores; the contract is a tensor": changed(lambda found: tuple(one.tolist() for one in found)),
    "gave scores as float16 on cpu; the contract is those of the model's parameters, float32 on cpu": changed(
        lambda found: tuple(one.half() for one in found)
    ),
    "gave scores that are nan; the contract is numbers": changed(
        lambda found: tuple(one * torch.nan for one in found)
    ),
    "gave losses that are not finite": changed(lambda found: tuple(one.fill_(-torch.inf) for one in found)),
    "gave losses from which no gradient reaches a parameter of it": changed(
        lambda found: tuple((one == one.max(1, keepdim=True).values).float() for one in found)
    ),
    "has no parameter that requires a gradient; the contract is at least one": Frozen,
    r"gave losses of shape \(\) for 8 examples; the contract is one loss an example": Mean,
    "'embedding.weight' requires a gradient and is in no group": Ungrouped,
}


@pytest.mark.parametrize("message", MODELS)
def test_a_model_that_breaks_the_contract_is_named(message: str, tasks_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"the model of kind 'mine' .*{message}"):
        tried(tasks_dir, tmp_path / "run", model=MODELS[message])


def weighing(change: Callable[[Tensor], Any]) -> type[DialogWeightModule]:
    class Changed(Words):
        def forward(self, batch: Any) -> Any:
            return change(super().forward(batch))

    return Changed


class Unlearned(Words):
    """Learns nothing."""

    def __init__(self, words: int) -> None:
        super().__init__(words)
        self.requires_grad_(False)


WEIGHT_MODULES = {
    r"gave logits of shape \(8, 2\) for 8 examples; the contract is one logit an example, .*, here \(8,\)": weighing(
        lambda found: found[:, None].expand(-1, 2)
    ),
    r"gave logits of shape \(1,\) for 8 examples": weighing(lambda found: found[:1]),
    "gave logits as float64 on cpu": weighing(lambda found: found.double()),
    r"gave weights that are not finite \(nan\); the contract is finite numbers": weighing(lambda f: f * torch.nan),
    "gave logits from which no gradient reaches a parameter of it": weighing(lambda found: found.detach()),
    "has no parameter that requires a gradient": Unlearned,
}


@pytest.mark.parametrize("message", WEIGHT_MODULES)
def test_a_weight_module_that_breaks_the_contract_is_named(message: str, tasks_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"the weight module of kind 'my-words' {message}"):
        tried(tasks_dir, tmp_path / "run", module=WEIGHT_MODULES[message])


class Later(Words):
    """Sound at first, nan from a call on."""

    calls = 0

    def forward(self, batch: Any) -> Tensor:
        type(self).calls += 1
        return super().forward(batch) * (torch.nan if type(self).calls > 8 else 1.0)


def test_weights_that_are_nan_later_are_blamed_on_the_weight_module(tasks_dir: Path, tmp_path: Path) -> None:
    Later.calls = 0
    with pytest.raises(UserError, match=r"weights that the weight module of kind 'my-words' gave") as raised:
        tried(tasks_dir, tmp_path / "run", module=Later)
    assert "learning rates" not in str(raised.value)


def test_trying_changes_nothing(tasks_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dropout draws what it would, and running means start where they would."""
    tried(tasks_dir, tmp_path / "tried")
    monkeypatch.setattr("tasksieve.training.loop.setting.check_model", lambda *_: None)
    monkeypatch.setattr("tasksieve.training.loop.setting.check_weight_module", lambda *_: None)
    tried(tasks_dir, tmp_path / "untried")
    one, other = (
        read_tensors(RunFolder(tmp_path / name).last_checkpoint, "state")[0] for name in ("tried", "untried")
    )
    assert one.keys() == other.keys() and {"random", "model.norm.running_mean"} <= one.keys()
    assert all(torch.equal(value, other[name]) for name, value in one.items())


OWN = """
from tasksieve.metagrad import ESTIMATORS, EstimatorKind, MetaGradient
from tasksieve.metagrad.problem import AnyUpdate
from tasksieve.models import DialogModel, register_model
from tasksieve.records.model_config import ModelConfig
from tasksieve.training.methods import Method, register

class OwnConfig(ModelConfig):
    width: int = 3

@register_model("own-one", OwnConfig)
class Own(DialogModel):
    pass

@register
class OwnMethod(Method):
    name = "own-method"
"""


def test_a_plug_in_may_import_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    first, second = tmp_path / "own_plugin_one.py", tmp_path / "own_plugin_two.py"
    first.write_text(OWN)
    second.write_text("from own_plugin_one import Own\n")
    add_plugins([first, second])
    load_plugins()
    assert "own-one" in kinds._MODELS and "own-method" in registry._METHODS


def test_another_class_of_the_same_name_is_refused(tmp_path: Path) -> None:
    first, second = tmp_path / "one.py", tmp_path / "two.py"
    first.write_text(OWN)
    second.write_text(OWN)
    add_plugins([first, second])
    with pytest.raises(UserError, match=re.escape("there is a model of kind 'own-one' already")):
        load_plugins()


def test_another_model_with_the_same_settings_is_refused() -> None:
    register_model("mine", ModelConfig)(Bag)
    with pytest.raises(ValueError, match="there is a model of kind 'mine' already"):
        register_model("mine", ModelConfig)(Frozen)
    register_weight_module("my-words", WeightModuleConfig)(Words)
    with pytest.raises(ValueError, match="there is a weight module of kind 'my-words' already"):
        register_weight_module("my-words", WeightModuleConfig)(Unlearned)


class Alike(Words):
    """One number for all examples: no norm of several adds up to what is too much."""

    def __init__(self, words: int) -> None:
        super().__init__(words)
        self.logits = nn.Embedding(1, 1)

    def forward(self, batch: Any) -> Tensor:
        return self.logits.weight[0].expand(len(batch))


def test_a_huge_but_finite_meta_gradient_is_left_out_of_a_run(
    tasks_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Adam would keep its square, which is infinite, and the weights would stay where they are for good."""

    def huge(update: AnyUpdate) -> MetaGradient:
        gradients = {name: torch.full_like(value, 4e28) for name, value in update.weight_params.items()}
        return MetaGradient(gradients, torch.zeros(()), ())

    monkeypatch.setitem(ESTIMATORS, "huge", EstimatorKind(lambda: huge, False, False, False, False))
    with pytest.raises(UserError, match="weight update: the meta-gradient, 20 times in a row"):
        tried(tasks_dir, tmp_path / "run", module=Alike, iterations=25, estimator="huge")
