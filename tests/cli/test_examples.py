"""The examples a newcomer runs, shortened."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

import tasksieve

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["compare_methods", "oracle_from_labels"])
def test_examples_on_dialogs_call_what_there_is(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run with four iterations and six dialogs, instead of 400 and 30."""
    config_from, simulate = tasksieve.config_from, tasksieve.simulate

    def shortened(values: dict[str, Any]) -> object:
        values["training"] |= {"iterations": 4, "evaluate_every": 4}
        if "screening" in values:
            values["screening"] |= {"iterations": 4, "distill_iterations": 4}
        return config_from(values)

    monkeypatch.setattr(tasksieve, "config_from", shortened, raising=False)
    monkeypatch.setattr(
        tasksieve, "simulate", lambda kind, **how: simulate(kind, **{**how, "dialogs": 6}), raising=False
    )
    runpy.run_path(str(ROOT / "examples" / f"{name}.py"))["main"](tmp_path)


def test_the_pythons_in_the_readme_name_what_there_is() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    names = set(re.findall(r"tasksieve\.(\w+)", block))
    assert names >= {"config_from", "train", "evaluate_run", "TrainedModel"}
    assert all(hasattr(tasksieve, name) for name in names)


def test_public_names_are_all_there() -> None:
    assert all(getattr(tasksieve, name) is not None for name in tasksieve.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = tasksieve.nothing


def test_doctests_hold() -> None:
    tried, optional = 0, ("tracking.mlflow", "tracking.tensorboard")  # need packages that are extras
    for module in pkgutil.walk_packages(tasksieve.__path__, "tasksieve."):
        if not module.name.endswith(("__main__", *optional)):
            failed, count = doctest.testmod(importlib.import_module(module.name))
            assert failed == 0, module.name
            tried += count
    assert doctest.testmod(tasksieve).failed == 0
    assert tried > 0
