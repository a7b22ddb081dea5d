"""A folder of runs on other data is refused, whatever its runs are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasksieve.errors import UserError
from tasksieve.experiments.other_data import refuse_other_data
from tasksieve.records.config import RunConfig, changed, config_from
from tasksieve.records.run_folder import RunFolder


def config(**data: object) -> RunConfig:
    return config_from({"data": {"primary": "new.jsonl", "valid": "valid.jsonl", "related": ["old.jsonl"], **data}})


def begun(out: Path, what: RunConfig, name: str = "learned-10-0") -> None:
    folder = RunFolder(out / "runs" / name)
    folder.path.mkdir(parents=True)
    folder.write_config(what)


def test_a_comparison_may_grow_by_methods_seeds_and_sizes(tmp_path: Path) -> None:
    refuse_other_data(tmp_path, config())
    begun(tmp_path, changed(config(), {"training.method": "multitask", "training.seed": 3, "data.size": 10}))
    refuse_other_data(tmp_path, config())


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"primary": "other.jsonl"}, "data.primary is new.jsonl there and other.jsonl here"),
        ({"related": ["old.jsonl", "older.jsonl"]}, "data.related is "),
        ({"predict": "actions"}, "data.predict is auto there and actions here"),
    ],
)
def test_runs_on_other_data_are_refused_though_they_have_other_names(
    tmp_path: Path, data: dict[str, object], said: str
) -> None:
    begun(tmp_path, changed(config(), {"data.size": 10}))
    with pytest.raises(UserError, match="holds a comparison of other data") as caught:
        refuse_other_data(tmp_path, config(**data))
    assert said in str(caught.value).replace("'", "") and "choose another --out" in str(caught.value)
