"""A run or a comparison as the report sees it: read once, absent parts as None."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import TypeAdapter, ValidationError

from tasksieve.errors import UserError
from tasksieve.records.comparison import LEARNED, Comparison
from tasksieve.records.files import read_json
from tasksieve.records.left_out import LeftOut
from tasksieve.records.measures import RANKED, VALID_AMONG
from tasksieve.records.run_folder import RunFolder


@dataclass(frozen=True, slots=True)
class Run:
    """The small records of one run; its weights and examples are read when they are wanted.

    Attributes:
        size: number of primary training dialogs; None if all of the data was used and it was not recorded.
        metrics: lines of ``metrics.jsonl``.
        keep: which model is kept, that of the `best` validation or the `last` one.
        drawn: whether examples were drawn by their weights, so that only the ratio of these counts.
        result, test: ``result.json`` and ``test.json``, None where the run has not come so far.
    """

    folder: RunFolder
    method: str
    size: int | None
    seed: int
    metrics: tuple[dict[str, Any], ...]
    result: dict[str, Any] | None = None
    test: dict[str, Any] | None = None
    keep: str = "best"
    drawn: bool = False

    @property
    def valid_accuracy(self) -> float | None:
        """The validation accuracy of the model that is kept, in per cent."""
        if self.result is not None and self.result.get("valid_accuracy") is not None:
            return float(self.result["valid_accuracy"])
        values = [line["valid_accuracy"] for line in self.metrics if line.get("valid_accuracy") is not None]
        return max(values, default=None) if self.keep == "best" else next(iter(values[::-1]), None)

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """How many turns have no action, by file, where that was recorded."""
        return left_out_in(self.result)

    @property
    def among(self) -> dict[str, int | None]:
        """Among how many responses the right ones were ranked at least, where they were and that was recorded."""
        selection = ((self.test or {}).get("selection") or {}).get(str(RANKED)) or {}
        return {"valid": (self.result or {}).get(VALID_AMONG), "test": selection.get("fewest_ranked")}

    @property
    def config_text(self) -> str:
        """``config.toml`` as it stands."""
        return (self.folder.path / "config.toml").read_text(encoding="utf-8", errors="replace")


def read_run(path: Path) -> Run:
    """Read the small records of a run folder.

    Raises: UserError: if it is no run folder, or a record cannot be read.
    """
    folder = RunFolder(path)
    config = folder.read_config()
    result = _record(folder, "result")
    return Run(
        folder=folder,
        method=config.training.method,
        size=config.data.size if result is None else result.get("size", config.data.size),
        seed=config.training.seed,
        metrics=tuple(folder.read_metrics()),
        result=result,
        test=_record(folder, "test"),
        keep=config.training.keep,
        drawn=config.training.method == LEARNED and config.weight_module.kind == "groups",
    )


def _record(folder: RunFolder, name: str) -> dict[str, Any] | None:
    return folder.read_record(name) if folder.has_record(name) else None


def left_out_in(record: Mapping[str, Any] | None) -> tuple[LeftOut, ...]:
    """How many turns have no action, by file, as ``result.json`` or ``test.json`` says."""
    try:
        return TypeAdapter(tuple[LeftOut, ...]).validate_python((record or {}).get("left_out") or ())
    except ValidationError:
        return ()


def kinds_by_turns(test: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The kinds of turn in a ``test.json``, the commonest first, equal ones by name."""
    kinds: dict[str, dict[str, Any]] = test.get("by_kind") or {}
    return sorted(kinds.items(), key=lambda item: (-(item[1].get("turns") or 0), item[0]))


def read_comparison(path: Path) -> Comparison:
    """Read ``comparison.json`` in a comparison folder.

    Raises: UserError: if it is missing, or not the record of a comparison.
    """
    file = path / "comparison.json"
    try:
        return Comparison.model_validate(read_json(file))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "its top level"
        message = f"is not the record of a comparison: at {place}, {first['msg'].lower()}"
        raise UserError(message, file) from None


def read_runs(path: Path, methods: Sequence[str]) -> tuple[list[Run], list[str]]:
    """Read all runs of a comparison folder, in the order of ``methods``, then size and seed.

    Returns: the runs, and a sentence for every folder that could not be read.
    """
    runs: list[Run] = []
    problems: list[str] = []
    for file in sorted((path / "runs").glob("*/config.toml")):
        try:
            runs.append(read_run(file.parent))
        except UserError as error:
            name = error.path.relative_to(path) if error.path is not None else file.parent.name
            problems.append(f"{name} {error.message}")
    order = {method: place for place, method in enumerate(methods)}
    runs.sort(key=lambda run: (order.get(run.method, len(order)), run.method, run.size or 0, run.seed))
    return runs, problems


def read_weights(run: Run) -> tuple[pl.DataFrame, pl.DataFrame]:
    """All recorded weights of a run and the related examples they belong to.

    Raises: UserError: if the run recorded none, or a file cannot be read.
    """
    try:
        weights, examples = run.folder.read_weights(), run.folder.read_examples()
    except UserError as error:
        if error.path == run.folder.path:
            raise
        raise UserError(f"has weights that cannot be read: {error}", run.folder.path) from None
    if weights.is_empty() or examples.is_empty():
        raise UserError("has recorded weights of no example", run.folder.path)
    return weights, examples


def services_of(run: Run) -> list[str]:
    """The names of a run's related tasks, in order: as recorded, else as its configuration calls them."""
    named = (run.result or {}).get("services")
    if isinstance(named, list):
        return [str(name) for name in named]
    return list(run.folder.read_config().data.related)


def run_to_show(runs: Sequence[Run]) -> Run | None:
    """The run whose weights stand for the comparison: of the largest size, `learned` if it is there.

    Without `learned`, of any method that recorded weights; of several runs, that of the best validation accuracy.
    """
    weighted = [run for run in runs if run.folder.weight_steps()]
    weighted = [run for run in weighted if run.method == "learned"] or weighted
    if not weighted:
        return None
    return max(weighted, key=lambda run: (run.size or 0, run.valid_accuracy or 0.0, -run.seed))
