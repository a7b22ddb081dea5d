"""The paper's tables with everything as the paper says it, our own changes left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tasksieve.errors import Unfinished
from tasksieve.experiments.compare import Plan, compare
from tasksieve.experiments.published.restaurant import PAPER_SETTINGS, Table2Plan, environment_of, main_plan
from tasksieve.experiments.published.table1_conditions import PAPER_SETTINGS as TABLE1
from tasksieve.experiments.published.table2_rows import table2_rows
from tasksieve.experiments.workers import RunJobs, run_jobs
from tasksieve.records.comparison import Comparison
from tasksieve.records.config import set_value
from tasksieve.records.files import write_json
from tasksieve.records.progress import Watch

METHODS = ("primary", "pretrain", "joint", "multitask", "learned", "random-fixed", "random-changing")
"""The paper's seven rows."""
TABLE2: dict[str, Any] = {
    **PAPER_SETTINGS,
    "meta.unroll_length": 5,
    "model.dim": 20,
    "model.entities": "names",
    "model.facts": "all",
    "weight_module.dim": 20,
    "training.batch_size": 32,
    "training.iterations": 20_000,
}
"""Appendix B.2: d = 20 and Adam with 1e-3 in both networks, whole responses, all facts, K = 5, N_meta = 10.

Of the paper's 4,000 epochs of related data, 2.3 million iterations, as many are run as make validation better: a run
ends after 25 validations without a better one, and at 20,000 iterations.
"""
READINGS = {
    "hop-adds": {"model.transform": "attended", "weight_module.transform": "attended"},
    "hop-replaces": {"model.transform": "state", "weight_module.transform": "state"},
}
"""What "a matrix that transforms the selected memory embeddings" may mean: u + Ho as its words say, Hu + o as Joshi's
code does; docs/deviations.md has more."""


def table1_as_published() -> list[str]:
    """Settings of Table 1, Appendix A.1, as ``section.key=value``."""
    return [f"{key}={_toml(value)}" for key, value in TABLE1.items()]


def _toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else str(value)


def reproduce_as_published(
    plan: Table2Plan, workers: int = 1, watch: Watch | None = None, run: RunJobs = run_jobs
) -> dict[str, Any]:
    """Do every run of Table 2 as published that is not done yet, in both readings of the hop, seed after seed.

    ``table2.json`` is written whenever a reading has a further seed of all its rows at one size.

    Args:
        plan: what to reproduce; its settings come on top of the paper's.
        workers, watch, run: as of :func:`tasksieve.experiments.restaurant.reproduce_table2`.
    Returns: the record as `reproduce restaurant` writes it; ``settings`` of a row is the reading, whose own `primary`
        differences are to.
    Raises: UserError: as :func:`tasksieve.experiments.compare.compare`.
    """
    plans = {name: _plan(plan, name, reading) for name, reading in READINGS.items()}
    found: dict[tuple[str, int], Comparison] = {}
    record: dict[str, Any] = {}
    elsewhere: Unfinished | None = None
    for seeds in range(1, plan.seeds + 1):
        elsewhere = None  # the seeds before are among these
        for name, each in plans.items():
            for size in (*plan.sizes, None):  # None: all is done, and is written together
                sizes = plan.sizes if size is None else (size,)
                try:
                    comparison = compare(replace(each, seeds=seeds, sizes=sizes), workers, watch, run)
                except Unfinished as left:  # a slice goes on with what nobody is at yet
                    elsewhere = left
                    continue
                if size is not None:
                    found[name, size] = comparison
                    record = _record(plans, found)
                    write_json(plan.out / "table2.json", record)
    if elsewhere is not None:
        raise elsewhere
    return record


def _plan(plan: Table2Plan, name: str, reading: Mapping[str, Any]) -> Plan:
    values: dict[str, dict[str, Any]] = {}
    for key, value in {**TABLE2, **reading}.items():
        section, _, setting = key.partition(".")
        values.setdefault(section, {})[setting] = value
    for assignment in plan.settings:
        set_value(values, assignment)
    return replace(main_plan(replace(plan, settings=()), values), out=plan.out / name)


def _record(plans: Mapping[str, Plan], found: Mapping[tuple[str, int], Comparison]) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    for name in plans:
        for (reading, size), comparison in found.items():
            if reading == name:
                primary = next((row.seeds for row in comparison.rows if row.method == "primary"), ())
                rows += table2_rows(comparison, plans[name].out, {size: primary}, name)
    (first, _), comparison = next(iter(found.items()))
    return {
        "rows": rows,
        "verdict": " ".join(f"{name}, {size} dialogs: {one.verdict}" for (name, size), one in found.items()),
        "coverage": {key: share for one in found.values() for key, share in one.coverage.items()},
        "failed": [failed.model_dump() for one in found.values() for failed in one.failed],
        "settings": {**comparison.settings, **environment_of(plans[first].out, comparison)},
    }
