"""Configuration: complete, frozen, and strict about what it does not know."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from tasksieve.errors import UserError
from tasksieve.records.config import config_from, read_values, set_value, to_toml

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
    ],
)
def test_what_is_wrong_is_said(values: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message.replace("(", r"\(")):
        config_from(values)


def test_assignments_read_toml_values_and_plain_words() -> None:
    values: dict[str, object] = {}
    for assignment in (
        "training.iterations=20",
        "model.recency=false",
        "training.method=joint",
        "meta.weight_lr = 1e-4",
    ):
        set_value(values, assignment)
    assert values == {
        "training": {"iterations": 20, "method": "joint"},
        "model": {"recency": False},
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
