"""Does borrowing ever harm? Learned weights against the primary task alone, on simulated pairs of tasks.

    python -m benchmarks.negative_transfer [--seeds 5] [--out runs/negative-transfer] [--json FILE]

The settings are the product's own but for the lengths of runs. The primary task has 50 dialogs of a personalized
restaurant task; the related task is a plain restaurant task, hotels, restaurants whose responses were shuffled over
all turns (nothing but noise), and a copy of the primary task's own training dialogs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

from tasksieve.dialogs import Dialog, Turn
from tasksieve.dialogs.formats import read_dialogs
from tasksieve.dialogs.formats.babi import write_babi
from tasksieve.dialogs.simulate import simulate, write_simulation
from tasksieve.experiments.compare import Plan, compare
from tasksieve.records.config import RunConfig, config_from
from tasksieve.records.files import write_json

PAIRS = ("restaurant", "hotel", "noise", "copy")
PRIMARY_DIALOGS, RELATED_DIALOGS, TEST_DIALOGS = 50, 300, 300
_SETTINGS = {
    "training": {"iterations": 1000, "evaluate_every": 50, "snapshot_every": 100},
    "screening": {"trials": 16, "iterations": 500, "groups": 8},
}


def config_of_pair(pair: str, base: Path) -> RunConfig:
    """The configuration of every run on a pair, whose dialogs are written if they are not there.

    Args:
        pair: one of :data:`PAIRS`.
        base: the folder of all dialogs.
    """
    primary, related = base / "personalized", base / "restaurant"
    if not (primary / "test.txt").exists() or not (related / "train.txt").exists():
        splits = simulate("personalized-restaurant", dialogs=TEST_DIALOGS, seed=0, task=3)
        splits = {name: dialogs[: None if name == "test" else PRIMARY_DIALOGS] for name, dialogs in splits.items()}
        write_simulation(splits, primary)
        write_simulation(simulate("restaurant", dialogs=RELATED_DIALOGS, seed=0, task=5), related)
    data = {"primary": str(primary), "valid": str(primary), "related": [str(related_of(pair, base))]}
    return config_from({"data": data, **_SETTINGS})


def related_of(pair: str, base: Path) -> Path:
    """The related training dialogs of a pair, written if they are not there.

    Args:
        pair: one of :data:`PAIRS`.
        base: the folder of all dialogs.
    """
    if pair in ("restaurant", "copy"):
        return base / ("restaurant" if pair == "restaurant" else "personalized") / "train.txt"
    file = base / pair / "train.txt"
    if file.exists():
        return file
    if pair == "hotel":
        write_simulation(simulate("hotel", dialogs=RELATED_DIALOGS, seed=0, task=5), file.parent)
    else:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_babi(shuffled(read_dialogs(base / "restaurant" / "train.txt")), file)
    return file


def shuffled(dialogs: list[Dialog], seed: int = 0) -> list[Dialog]:
    """The same dialogs with every response where another one was."""
    responses = [event.system for dialog in dialogs for event in dialog.events if isinstance(event, Turn)]
    random.Random(seed).shuffle(responses)
    left = iter(responses)
    return [
        replace(
            dialog,
            events=tuple(
                replace(event, system=next(left)) if isinstance(event, Turn) else event for event in dialog.events
            ),
        )
        for dialog in dialogs
    ]


def measured(pair: str, out: Path, seeds: int, workers: int) -> dict[str, Any]:
    """Compare on one pair: accuracies, and the difference with its interval."""
    config = config_of_pair(pair, out / "data")
    plan = Plan(config, config.data.primary, ("primary", "learned"), (), seeds, out / pair)
    primary, learned = compare(plan, workers).rows
    return {
        "pair": pair,
        "seeds": seeds,
        "primary": {"mean": primary.mean, "sd": primary.sd},
        "learned": {"mean": learned.mean, "sd": learned.sd},
        "minus_primary": learned.minus_primary,
        "ci95": learned.ci95,
        "harms": learned.ci95 is not None and learned.ci95[1] < 0,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("runs/negative-transfer"))
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path, dest="file")
    arguments = parser.parse_args()
    rows = []
    for pair in PAIRS:
        rows.append(measured(pair, arguments.out, arguments.seeds, arguments.workers))
        print(json.dumps(rows[-1]), flush=True)
        if arguments.file is not None:
            write_json(arguments.file, {"rows": rows})


if __name__ == "__main__":
    main()
