"""The main job on embedded data: a few dialogs of a new support desk, and an archive of an older one."""

from __future__ import annotations

from pathlib import Path

from tasksieve.dialogs import Dialog
from tasksieve.dialogs.simulate import simulate_support, write_support
from tasksieve.experiments.compare import Plan
from tasksieve.records.config import config_from

SEED = 7
"""Of the simulation; no setting of the product was chosen on its dialogs."""
TRAIN_DIALOGS, VALID_DIALOGS, TEST_DIALOGS = 10, 10, 200
OLD_DIALOGS = 60
"""Of each service of the older desk."""
METHODS = ("primary", "multitask", "learned", "tfidf", "tfidf-all")
SETTINGS: dict[str, dict[str, int]] = {}
"""Where runs differ from the product's defaults, by section."""
_FRESH, _TURNS = 20, 9


def demo_plan(out: Path, seed: int = SEED, seeds: int = 2) -> Plan:
    """Write the simulated dialogs into the comparison's folder and say what to compare.

    Sentences are bags of words, so that it takes the same time where a pretrained encoder is installed.

    Args:
        out: the comparison folder.
        seed: of the simulation.
        seeds: runs of each method.
    """
    folder = out / f"desks-{seed}"
    new, old = folder / "new", folder / "old"
    if not (old / "cancellations.jsonl").exists():  # written last
        numbers = {"train": TRAIN_DIALOGS, "valid": VALID_DIALOGS, "test": TEST_DIALOGS}
        archive = simulate_support(desk="old", dialogs=OLD_DIALOGS, seed=seed)
        write_support(simulate_support(desk="new", dialogs=numbers, seed=seed), archive, folder)
    data = {"primary": str(new), "valid": str(new), "related": [str(old)], "predict": "actions"}
    config = config_from({"data": data, "model": {"sentences": "bag-of-words"}, **SETTINGS})
    return Plan(config, str(new), METHODS, (), seeds, out)


def fresh_dialog(seed: int = SEED) -> Dialog:
    """A dialog of the newer desk that is in no file of the demo, short enough to be read: the first such one.

    Args:
        seed: of the simulation.
    """
    dialogs = simulate_support(desk="new", dialogs={"test": TEST_DIALOGS + _FRESH}, seed=seed)["test"]
    fresh = dialogs[TEST_DIALOGS:]
    return next((one for one in fresh if len(one.turns) <= _TURNS), min(fresh, key=lambda one: len(one.turns)))
