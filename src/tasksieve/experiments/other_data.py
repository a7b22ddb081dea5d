"""Whether a folder holds the runs of other data, which a comparison would otherwise leave beside its own."""

from __future__ import annotations

from pathlib import Path

from tasksieve.errors import UserError
from tasksieve.records.config import RunConfig, changed
from tasksieve.records.config_differences import differences
from tasksieve.records.run_folder import RunFolder

_WHAT = ("primary", "valid", "related", "split", "split_seed", "predict")
"""Settings that say what a comparison is of; its runs may differ in all others."""


def refuse_other_data(out: Path, config: RunConfig) -> None:
    """Refuse a folder of runs on other data: their names may differ, as another number of dialogs names them.

    Args:
        out: the folder of a comparison.
        config: of its runs, with everything decided.
    Raises: UserError: saying what is not the same, and what to do.
    """
    begun = min((file.parent for file in (out / "runs").glob("*/config.toml")), default=None)
    if begun is None:
        return
    before = RunFolder(begun).read_config()
    theirs = changed(config, {f"data.{name}": getattr(before.data, name) for name in _WHAT})
    told = differences(theirs.model_dump(), config.model_dump())
    if told:
        raise UserError(f"holds a comparison of other data: {'; '.join(told)}; choose another --out", out)
