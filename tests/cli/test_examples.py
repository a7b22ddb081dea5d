"""The examples a newcomer runs, shortened."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import runpy
from pathlib import Path

import pytest

import tasksieve

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["compare_methods", "oracle_from_labels"])
def test_examples_on_dialogs_call_what_there_is(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run with five iterations instead of 400."""
    original = tasksieve.config_from

    def shortened(values: dict) -> object:
        values["training"] |= {"iterations": 5, "evaluate_every": 5}
        return original(values)

    monkeypatch.setattr(tasksieve, "config_from", shortened, raising=False)
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
