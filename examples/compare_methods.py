"""Borrow from a related task, from files to a verdict: the main job in ten lines.

python examples/compare_methods.py
"""

from pathlib import Path

import tasksieve


def main(folder: Path = Path("runs/example")) -> None:
    """Simulate two tasks, compare three methods, and print who borrowed what."""
    for kind, task in (("personalized-restaurant", 3), ("restaurant", 5)):
        tasksieve.write_simulation(tasksieve.simulate(kind, dialogs=30, seed=0, task=task), folder / kind)
    primary = str(folder / "personalized-restaurant")
    config = tasksieve.config_from(
        {
            "data": {"primary": primary, "valid": primary, "related": [str(folder / "restaurant")]},
            "training": {"iterations": 400, "evaluate_every": 50},
            "screening": {"trials": 8, "iterations": 100, "groups": 4},
        }
    )
    plan = tasksieve.Plan(config, primary, ("primary", "multitask", "learned"), (), 1, folder / "comparison")
    for row in tasksieve.compare(plan).rows:
        print(f"{row.method:10} {row.mean:.1f} %")


if __name__ == "__main__":
    main()
