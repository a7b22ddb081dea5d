"""How well wrong labels are found that were planted: `tasksieve weights RUN --suspicious` against simpler ways.

    python -m benchmarks.suspicious --data data/sgd --work suspicious --out results/suspicious.json

A tenth of the training turns of each task, primary and related ones, gets the response of another turn of the same
task that does something else; the validation dialogs stay as they are. A run of `learned` is trained on them, and
every turn is scored. AUROC is the chance that a turn with a wrong label has a higher score than one without, and
precision the share of wrong labels among as many of the highest scores as there are wrong labels; both are of one
task, and the means over related tasks are weighted by turns. Finished runs under ``--work`` are kept.

- ``suspicious``: the score of the product.
- ``loss``: the trained model's loss of the turn.
- ``neighbours``: how much the answers to similar contexts differ from the turn's own.
- ``expectation``: what a regression fitted to other dialogs expects instead.
- ``weight``: how far the turn's weight is below the mean of its kind; 0.5 where all turns of a group have one weight.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tasksieve.dialogs import Dialog
from tasksieve.dialogs.archives import mislabelled
from tasksieve.dialogs.formats import read_dialogs
from tasksieve.dialogs.formats.chat import write_chat
from tasksieve.dialogs.simulate import simulate, simulate_support
from tasksieve.experiments.published.table1_rows import auroc
from tasksieve.records.config import config_from
from tasksieve.records.files import write_json, write_text
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.runs.dialogs import train
from tasksieve.training.suspicion import RunService, services_of_run
from tasksieve.training.suspicion.scores import judge

SHARE = 0.1
WAYS = ("suspicious", "loss", "neighbours", "expectation", "weight")
_SERVICES = ("Buses_1", "RentalCars_1", "Homes_1", "Media_1", "Music_2", "Services_1")
_OWN, _RELATED = 30, 100
Split = tuple[list[Dialog], list[Dialog], dict[str, list[Dialog]]]
"""Training and validation dialogs, and those of each related task."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is planted into.

    Attributes:
        name: of it.
        primary: a service of the archive, or a simulation.
        settings: of its run, by section.
    """

    name: str
    primary: str
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


_WORDS = {"model": {"sentences": "bag-of-words"}}
_BOTH = {"model": {"sentences": "both"}}
_RESPONSES = {"data": {"predict": "responses"}}
_TEMPLATES = {"training": {"iterations": 2000}, "screening": {"trials": 0}}
CASES = (
    Case("restaurant", "restaurant", _TEMPLATES),
    *(Case(f"actions-{service}", service, _WORDS) for service in _SERVICES[:4]),
    *(Case(f"responses-{service}", service, {**_RESPONSES, **_WORDS}) for service in _SERVICES[:4]),
    Case("support", "support", _WORDS),
    Case("actions-Buses_1-encoder", "Buses_1", _BOTH),
    Case("responses-Buses_1-encoder", "Buses_1", {**_RESPONSES, **_BOTH}),
)


def dialogs_of(case: Case, archive: Path) -> Split:
    """The dialogs before anything is planted."""
    if case.primary == "support":
        own = simulate_support(desk="new", dialogs={"train": _OWN, "valid": _OWN}, seed=0)
        return own["train"], own["valid"], simulate_support(desk="old", dialogs=60, seed=0)
    if case.primary == "restaurant":
        own = simulate("personalized-restaurant", dialogs=_OWN, seed=0, task=3)
        return (
            own["train"],
            own["valid"],
            {"restaurant": simulate("restaurant", dialogs=200, seed=0, task=5)["train"]},
        )
    own_dialogs = read_dialogs(archive / f"{case.primary}.json")
    others = [service for service in _SERVICES if service != case.primary][:4]
    related = {service: read_dialogs(archive / f"{service}.json")[:_RELATED] for service in others}
    return own_dialogs[:_OWN], own_dialogs[_OWN : 2 * _OWN], related


def trained(case: Case, archive: Path, folder: Path) -> dict[str, set[tuple[int, int]]]:
    """Plant, write and train what is not there yet; returns the planted turns, by task, "" for the primary one."""
    file = folder / "planted.json"
    if not file.exists():
        train_dialogs, valid, related = dialogs_of(case, archive)
        (folder / "data").mkdir(parents=True, exist_ok=True)
        planted = {}
        write_chat(valid, folder / "data" / "valid.jsonl")
        for task, dialogs in {"": train_dialogs, **related}.items():
            found, places = mislabelled(dialogs, SHARE, f"{case.name} {task}")
            write_chat(found, folder / "data" / f"{task or 'train'}.jsonl")
            planted[task] = sorted(places)
        write_text(file, json.dumps(planted))
    found_places = json.loads(file.read_text())
    data = folder / "data"
    values: dict[str, Any] = {name: dict(section) for name, section in case.settings.items()}
    values.setdefault("data", {}).update(
        primary=str(data / "train.jsonl"),
        valid=str(data / "valid.jsonl"),
        related=[str(data / f"{task}.jsonl") for task in found_places if task],
    )
    values.setdefault("training", {})["method"] = "learned"
    if not RunFolder(folder / "run").finished:
        train(config_from(values), folder / "run")
    return {task: {(dialog, turn) for dialog, turn in places} for task, places in found_places.items()}


def measured(one: RunService, wrong: set[tuple[int, int]]) -> dict[str, Any]:
    """AUROC and precision of each way in one task's training turns."""
    judged, service = judge(one.service), one.service
    turns = np.arange(one.sources[0][3])
    labels = np.array([(service.examples[turn].dialog, service.examples[turn].turn) in wrong for turn in turns])
    means = one.kind_means
    scores = {
        "suspicious": judged.scores,
        "loss": np.nan_to_num(service.losses, nan=float(np.nanmean(service.losses))),
        "neighbours": judged.neighbours,
        "expectation": judged.expected,
        "weight": np.zeros(len(service)) if means is None or one.weights is None else means - one.weights,
    }
    found: dict[str, Any] = {"task": one.name, "turns": len(turns), "wrong": int(labels.sum())}
    for way in WAYS:
        own = scores[way][turns]
        frame = pl.DataFrame({"weight": own, "label": labels})
        highest = np.argsort(-own, kind="stable")[: labels.sum()]
        found[way] = {"auroc": auroc(frame), "precision": float(labels[highest].mean())}
    return found


def summary(case: Case, tasks: Sequence[dict[str, Any]], model: str) -> dict[str, Any]:
    """A case's record: the primary task's numbers, and the means over related tasks."""
    related = tasks[1:]
    turns = [task["turns"] for task in related]
    means = {
        way: {
            measure: float(np.average([task[way][measure] for task in related], weights=turns))
            for measure in ("auroc", "precision")
        }
        for way in WAYS
    }
    return {"case": case.name, "model": model, "primary": tasks[0], "related": means, "tasks": list(related)}


def suspicious_table(record: dict[str, Any]) -> str:
    """The record as a table: AUROC of each way in primary and related tasks, and the precision of the product's."""
    lines = [
        f"| case | turns | {' | '.join(f'`{way}`' for way in WAYS)} | right of the first |",
        f"|---|---|{'---|' * len(WAYS)}---|",
    ]
    means: dict[str, list[float]] = {}
    for case in record["cases"]:
        related = {"turns": sum(task["turns"] for task in case["tasks"]), **case["related"]}
        for part, found in (("primary", case["primary"]), ("related", related)):
            cells = [f"{found[way]['auroc']:.2f}" for way in WAYS]
            precision = f"{100 * found['suspicious']['precision']:.0f} %"
            lines.append(f"| {case['case']}, {part} | {found['turns']:,} | {' | '.join(cells)} | {precision} |")
            for way in WAYS:
                means.setdefault(f"{part} {way}", []).append(found[way]["auroc"])
    for part in ("primary", "related"):
        cells = [f"**{np.mean(means[f'{part} {way}']):.3f}**" for way in WAYS]
        lines.append(f"| mean, {part} | | {' | '.join(cells)} | |")
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the Schema-Guided dialogs")
    parser.add_argument("--work", type=Path, required=True, help="where dialogs and runs go")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cases", default=",".join(case.name for case in CASES))
    given = parser.parse_args()
    records: list[dict[str, Any]] = []
    for case in CASES:
        if case.name not in given.cases.split(","):
            continue
        folder = given.work / case.name
        planted = trained(case, given.data, folder)
        run = folder / "run"
        tasks = [measured(one, planted[one.name]) for one in services_of_run(run)]
        records.append(summary(case, tasks, RunFolder(run).read_config().model.kind))
        write_json(given.out, {"share": SHARE, "cases": records})
        shown = records[-1]
        print(
            case.name,
            *(f"{way} {shown['primary'][way]['auroc']:.3f} {shown['related'][way]['auroc']:.3f}" for way in WAYS),
            flush=True,
        )


if __name__ == "__main__":
    main()
