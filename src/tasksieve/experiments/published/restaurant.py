"""The paper's Table 2: a personalized restaurant task that borrows from a plain one, seven ways and an oracle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tasksieve.dialogs.simulate import simulate, write_simulation
from tasksieve.errors import Unfinished, UserError
from tasksieve.experiments.compare import Plan, compare
from tasksieve.experiments.published.table2_rows import table2_rows
from tasksieve.experiments.workers import RunJobs, run_jobs
from tasksieve.records.comparison import Comparison, run_name
from tasksieve.records.config import RunConfig, changed, config_from, set_value
from tasksieve.records.files import write_json, write_text
from tasksieve.records.progress import Watch
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.methods import all_methods, names_for

METHODS = (
    "primary",
    "pretrain",
    "joint",
    "multitask",
    "learned",
    "random-fixed",
    "random-changing",
    "oracle",
)
"""The paper's seven rows, and what a selection by hand reaches."""
ORACLE_KINDS = ("ask cuisine", "ask place", "ask party size", "ask price", "look for options")
"""What the oracle borrows: the turns of the related task that the primary task has as well and finds hard."""
PAPER_SETTINGS = {
    "meta.updates": 10,
    "meta.weight_lr": 1e-3,
    "meta.warm_up": 0,
    "screening.trials": 0,
    "training.primary_lr": 1e-3,
    "training.related_lr": 1e-3,
}
"""Appendix B.2 as far as the weights go: K = 5, N_meta = 10, Adam with 1e-3, η learning from the start.

The model stays ours; everything is in :mod:`tasksieve.experiments.published.as_published`.
"""
_PRIMARY = "personalized-dialog-task3-options-{split}.txt"
_RELATED = "dialog-babi-task5-full-dialogs-trn.txt"
_EMBEDDED_SEED = 0
_EMBEDDED_DIALOGS = 1000


@dataclass(frozen=True, slots=True)
class RestaurantData:
    """Files or folders of the primary task's splits and of the related task."""

    primary: str
    valid: str
    test: str
    related: str


@dataclass(frozen=True, slots=True)
class Table2Plan:
    """What to reproduce.

    Attributes:
        data: the dialogs.
        methods: rows of the table, names of methods, most of them of :data:`METHODS`.
        sizes: numbers of primary training (and validation) dialogs.
        seeds: run seeds 0 to SEEDS − 1, the same for every method and size.
        out: the folder of runs and table; also a comparison folder.
        settings: of every run, ``section.key=value``.
        paper_seeds: of a learned row of our model with :data:`PAPER_SETTINGS`; 0 leaves it out.
    """

    data: RestaurantData
    methods: tuple[str, ...]
    sizes: tuple[int, ...]
    seeds: int
    out: Path
    settings: tuple[str, ...] = ()
    paper_seeds: int = 0


def published_data(folder: Path) -> RestaurantData:
    """Find the published dialogs in a folder, wherever in it they lie.

    Raises: UserError: if a file is missing, or lies there more than once.
    """
    splits = {split: str(_only(folder, _PRIMARY.format(split=split))) for split in ("trn", "dev", "tst")}
    return RestaurantData(splits["trn"], splits["dev"], splits["tst"], str(_only(folder, _RELATED)))


def _only(folder: Path, name: str) -> Path:
    found = sorted(folder.rglob(name))
    if not found:
        raise UserError(f"has no {name}; give the folder of the bAbI dialog tasks, or use --embedded", folder)
    if len(found) > 1:
        where = " and ".join(str(path.parent.relative_to(folder)) for path in found[:2])
        raise UserError(f"has {name} more than once, in {where}; give the one to use", folder)
    return found[0]


def embedded_data(out: Path) -> RestaurantData:
    """Simulate dialogs of the same two tasks and as many under ``out/data``, unless they are there."""
    kinds = (("personalized-restaurant", 3), ("restaurant", 5))
    folders = [out / "data" / kind for kind, _ in kinds]
    for folder, (kind, task) in zip(folders, kinds, strict=True):
        if not (folder / "test.txt").exists():
            write_simulation(simulate(kind, dialogs=_EMBEDDED_DIALOGS, seed=_EMBEDDED_SEED, task=task), folder)
    primary, related = map(str, folders)
    return RestaurantData(primary, primary, primary, related)


def reproduce_table2(
    plan: Table2Plan,
    workers: int = 1,
    watch: Watch | None = None,
    run: RunJobs = run_jobs,
) -> dict[str, Any]:
    """Do every run that is not done yet and write ``table2.json`` beside ``comparison.json``.

    Args:
        plan: what to reproduce.
        workers: runs at the same time.
        watch: called with a run's name and how far it is.
        run: does the runs.
    Returns: ``rows`` (method, size, seeds, mean, sd, paper_mean, paper_sd, minus_primary, ci95, settings, by_kind),
        ``verdict``, ``coverage`` (the ceilings that candidates set), ``failed``, ``settings``.
    Raises: UserError: as :func:`tasksieve.experiments.compare.compare`.
    """
    _check(plan)
    main = main_plan(plan)
    plans = {"": main}
    if plan.paper_seeds:
        plans["as-in-the-paper"] = _paper_plan(plan, main)
    found: dict[str, Comparison] = {}
    elsewhere: Unfinished | None = None
    for name, each in plans.items():
        try:
            found[name] = compare(each, workers, watch, run)
        except Unfinished as left:
            elsewhere = left
    if elsewhere is not None:
        raise elsewhere
    record = _record(plans, found)
    write_json(plan.out / "table2.json", record)
    return record


def _check(plan: Table2Plan) -> None:
    known = all_methods()
    unknown = [name for name in plan.methods if name not in known]
    if unknown:
        raise UserError(f"unknown method '{unknown[0]}'; known: {', '.join(known)}, all, or rivals")


def main_plan(plan: Table2Plan, values: Mapping[str, Any] | None = None) -> Plan:
    """The comparison that makes the table's own rows.

    Args:
        plan: what to reproduce.
        values: settings as nested values, on top of which those of ``plan`` come.
    """
    labels = plan.out / "oracle.csv"
    overrides: dict[str, Mapping[str, Any]] = {}
    if "oracle" in plan.methods:
        write_text(labels, "kind,label\n" + "".join(f"{kind},1\n" for kind in ORACLE_KINDS))
        overrides["oracle"] = {"data.labels": str(labels)}
    return Plan(
        _config(plan, values or {}), plan.data.test, plan.methods, plan.sizes, plan.seeds, plan.out, overrides
    )


def _paper_plan(plan: Table2Plan, main: Plan) -> Plan:
    config = changed(main.config, PAPER_SETTINGS)
    folder = plan.out / "as-in-the-paper"
    return replace(main, config=config, methods=("learned",), seeds=plan.paper_seeds, out=folder, overrides={})


def _config(plan: Table2Plan, given: Mapping[str, Any]) -> RunConfig:
    data = {"primary": plan.data.primary, "valid": plan.data.valid, "related": [plan.data.related]}
    values: dict[str, Any] = {**given, "data": {**given.get("data", {}), **data}}
    for assignment in plan.settings:
        set_value(values, assignment)
    return config_from(values)


def _record(plans: Mapping[str, Plan], found: Mapping[str, Comparison]) -> dict[str, Any]:
    main = found[""]
    primary = {row.size: row.seeds for row in main.rows if row.method == "primary"}
    rows: list[dict[str, Any]] = []
    for name, comparison in found.items():
        rows += table2_rows(comparison, plans[name].out, primary, name)
    return {
        "rows": rows,
        "verdict": main.verdict,
        "coverage": main.coverage,
        "failed": [failed.model_dump() for comparison in found.values() for failed in comparison.failed],
        "settings": {**main.settings, **environment_of(plans[""].out, main)},
    }


def environment_of(out: Path, comparison: Comparison) -> dict[str, Any]:
    """Where a comparison's runs were done, by what and on which data."""
    row = comparison.rows[0]
    folder = RunFolder(out / "runs" / run_name(row.method, row.size, row.seeds[0].seed))
    return folder.read_record("environment")


def methods_named(names: Sequence[str]) -> tuple[str, ...]:
    """The rows that ``--methods`` means.

    ``all`` is for those of the paper and the oracle, ``rivals`` for ways of weighting that the paper does not compare
    with.
    """
    return names_for(names, {"all": METHODS})
