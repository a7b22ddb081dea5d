"""Configuration: complete, frozen, and strict about what it does not know."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from pydantic import ValidationError

from tasksieve.errors import UserError
from tasksieve.records.config import changed, config_from, read_values, set_value, to_toml
from tasksieve.records.config_differences import differences
from tasksieve.records.model_config import (
    AutoModelConfig,
    AutoWeightConfig,
    Kinds,
    MatchingConfig,
    MemoryNetworkConfig,
    MemoryWeightConfig,
    ModelConfig,
)

DATA = {"data": {"primary": "p", "valid": "v"}}


def test_toml_holds_all_of_it(tmp_path: Path) -> None:
    config = config_from({**DATA, "meta": {"max_grad_norm": 2.5}, "training": {"method": "joint"}})
    (tmp_path / "config.toml").write_text(to_toml(config))
    assert config_from(read_values(tmp_path / "config.toml")) == config


def test_nothing_can_be_changed_later() -> None:
    with pytest.raises(ValidationError):
        config_from(DATA).training.seed = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {**DATA, "training": {"iteration": 3}},
            "unknown key 'training.iteration'; known here: method, seed, iterations",
        ),
        (
            {**DATA, "trainng": {}},
            "unknown key 'trainng'; known here: training, meta, rivals, data, model, weight_module",
        ),
        (
            {**DATA, "training": {"iterations": 0}},
            "training.iterations: found 0; input should be greater than or equal to 1",
        ),
        ({**DATA, "meta": {"inner_optimizer": "rmsprop"}}, "input should be 'sgd', 'adam' or 'held-adam'"),
        ({"data": {"valid": "v"}}, "data.primary: found"),
        (
            {**DATA, "model": {"kind": "lstm"}},
            "model.kind: found 'lstm'; known: .*; give a plug-in that has it with tasksieve --plugin FILE.py",
        ),
        (
            {**DATA, "weight_module": {"kind": 3}},
            "weight_module.kind: found 3; known: auto, memory-network, matching, groups.*; give a plug-in",
        ),
        (
            {**DATA, "weight_module": {"dims": 3}},
            "unknown key 'weight_module.dims'; known here: kind, dim, hops, transform, init_sd",
        ),
        (
            {**DATA, "model": {"recency": True}},
            "model.recency: found True; there is no embedding of a memory's distance any more",
        ),
        ({**DATA, "model": 3}, "model: found 3"),
    ],
)
def test_what_is_wrong_is_said(values: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message.replace("(", r"\(")):
        config_from(values)


def test_assignments_read_toml_values_and_plain_words() -> None:
    values: dict[str, object] = {}
    for assignment in (
        "training.iterations=20",
        "model.shared_candidates=false",
        "training.method=joint",
        "meta.weight_lr = 1e-4",
    ):
        set_value(values, assignment)
    assert values == {
        "training": {"iterations": 20, "method": "joint"},
        "model": {"shared_candidates": False},
        "meta": {"weight_lr": 1e-4},
    }
    for wrong in ("iterations=20", "training.iterations", "a.b.c=1"):
        with pytest.raises(UserError, match=r"expected section\.key=value"):
            set_value(values, wrong)


def test_files_that_are_missing_or_no_toml_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        read_values(tmp_path / "absent.toml")
    (tmp_path / "bad.toml").write_text("[training\n")
    with pytest.raises(UserError, match=r"bad\.toml: is not TOML"):
        read_values(tmp_path / "bad.toml")


def test_a_configuration_from_before_there_were_kinds_is_read() -> None:
    before = {**DATA, "model": {"recency": False}, "weight_module": {"recency": False, "dim": 20}}
    kind = {"kind": "memory-network"}
    assert config_from(before) == config_from({**DATA, "model": kind, "weight_module": kind})


def test_a_section_that_names_no_kind_is_of_the_kind_that_has_its_settings() -> None:
    """What every model has leaves the kind open; of kinds that have a setting the first counts."""
    assert config_from(DATA).model == AutoModelConfig()
    assert config_from(DATA).weight_module == AutoWeightConfig()
    open_still = config_from({**DATA, "model": {"facts": "all", "encoder": "here"}, "weight_module": {}})
    assert open_still.model == AutoModelConfig(facts="all", encoder="here")
    assert open_still.weight_module == AutoWeightConfig()
    named = config_from({**DATA, "model": {"facts": "all", "hops": 2}, "weight_module": {"dim": 3}})
    assert named.model == MemoryNetworkConfig(facts="all", hops=2)
    assert named.weight_module == MemoryWeightConfig(dim=3)
    assert config_from({**DATA, "model": {"kind": "matching"}}).model == MatchingConfig()
    assert config_from({**DATA, "model": {"width": 3}}).model == MatchingConfig(width=3)
    with pytest.raises(UserError, match=r"unknown key 'model\.width'; known here: kind, .*, dim, hops"):
        config_from({**DATA, "model": {"width": 3, "dim": 4}})
    with pytest.raises(UserError, match=r"unknown key 'model\.dim'; known here: kind, .*, width, hidden, members"):
        config_from({**DATA, "model": {"kind": "matching", "dim": 3}})


def test_the_memory_network_takes_bags_of_words_alone() -> None:
    with pytest.raises(UserError, match=r"model\.sentences: found 'both'; input should be 'auto' or 'bag-of-words'"):
        config_from({**DATA, "model": {"kind": "memory-network", "sentences": "both"}})


def test_what_was_not_set_stays_so_when_something_else_is_changed_or_it_crosses_to_another_process() -> None:
    before = config_from({**DATA, "training": {"iterations": 7}})
    now = changed(before, {"training.seed": 3, "data.size": 2})
    assert (now.training.iterations, now.training.seed, now.data.size) == (7, 3, 2)
    for config in (now, pickle.loads(pickle.dumps(now))):  # what we have pickled ourselves
        assert config == now
        assert config.training.model_fields_set == {"iterations", "seed"}
        assert config.meta.model_fields_set == set()


def test_a_kind_has_its_own_settings_and_no_two_kinds_one_name() -> None:
    class Settings(ModelConfig):
        width: int = 8

    kinds: Kinds[ModelConfig] = Kinds("model", {"auto": AutoModelConfig, "memory-network": MemoryNetworkConfig})
    kinds.add("own", Settings)
    assert kinds.check({"kind": "own", "width": 3}) == Settings(kind="own", width=3)
    assert kinds.check({}) == AutoModelConfig()
    assert kinds.check({"dim": 40}) == MemoryNetworkConfig()
    kinds.add("own", Settings)
    with pytest.raises(ValueError, match="a model of kind 'own' already"):
        kinds.add("own", MemoryNetworkConfig)


def test_two_configurations_differ_in_settings_with_names() -> None:
    model = {"kind": "memory-network"}
    before = config_from({"data": {"primary": "p", "valid": "v", "related": ["r"]}, "model": model})
    now = changed(before, {"data.related": ("r", "s"), "data.size": 3, "data.strict": True, "model.dim": 7})
    assert differences(before.model_dump(), before.model_dump()) == []
    assert differences(before.model_dump(), now.model_dump()) == [
        "data.related is ['r'] there and ['r', 's'] here",
        "data.size is not set there and 3 here",
        "data.strict is false there and true here",
        f"model.dim is {before.model_dump()['model']['dim']} there and 7 here",
    ]
