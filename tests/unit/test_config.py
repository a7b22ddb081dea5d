"""Configuration: complete, frozen, and strict about what it does not know."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from tasksieve.errors import UserError
from tasksieve.records.config import changed, config_from, differences, read_values, set_value, to_toml
from tasksieve.records.model_config import Kinds, MemoryNetworkConfig, ModelConfig

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
        ({**DATA, "trainng": {}}, "unknown key 'trainng'; known here: training, meta, data, model, weight_module"),
        (
            {**DATA, "training": {"iterations": 0}},
            "training.iterations: found 0; input should be greater than or equal to 1",
        ),
        ({**DATA, "meta": {"inner_optimizer": "rmsprop"}}, "input should be 'sgd' or 'adam'"),
        ({"data": {"valid": "v"}}, "data.primary: found"),
        (
            {**DATA, "model": {"kind": "lstm"}},
            "model.kind: found 'lstm'; known: .*; give a plug-in that has it with tasksieve --plugin FILE.py",
        ),
        ({**DATA, "weight_module": {"kind": 3}}, "weight_module.kind: found 3; known: memory-network"),
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
    assert config_from({**DATA, "model": {"recency": False}, "weight_module": {"recency": False}}) == config_from(
        DATA
    )


def test_a_kind_has_its_own_settings_and_no_two_kinds_one_name() -> None:
    class Settings(ModelConfig):
        width: int = 8

    kinds = Kinds("model", MemoryNetworkConfig)
    kinds.add("own", Settings)
    assert kinds.check({"kind": "own", "width": 3}) == Settings(kind="own", width=3)
    assert kinds.check({}) == MemoryNetworkConfig()
    kinds.add("own", Settings)
    with pytest.raises(ValueError, match="a model of kind 'own' already"):
        kinds.add("own", MemoryNetworkConfig)


def test_two_configurations_differ_in_settings_with_names() -> None:
    before = config_from({"data": {"primary": "p", "valid": "v", "related": ["r"]}})
    now = changed(before, {"data.related": ("r", "s"), "data.size": 3, "data.strict": True, "model.dim": 7})
    assert differences(before, before) == []
    assert differences(before, now) == [
        "data.related is ['r'] there and ['r', 's'] here",
        "data.size is not set there and 3 here",
        "data.strict is false there and true here",
        f"model.dim is {before.model_dump()['model']['dim']} there and 7 here",
    ]
