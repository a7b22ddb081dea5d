"""If you know which related turns are right, say so: the oracle, by kind of turn.

python examples/oracle_from_labels.py
"""

from pathlib import Path

import tasksieve


def main(folder: Path = Path("runs/oracle-example")) -> float:
    """Borrow only the questions for missing slots; return the validation accuracy."""
    for kind, task in (("personalized-restaurant", 3), ("restaurant", 5)):
        tasksieve.write_simulation(tasksieve.simulate(kind, dialogs=30, seed=0, task=task), folder / kind)
    labels = folder / "labels.csv"
    labels.write_text("kind,label\nask cuisine,1\nask place,1\nask price,1\nask party size,1\n")
    primary = str(folder / "personalized-restaurant")
    config = tasksieve.config_from(
        {
            "data": {
                "primary": primary,
                "valid": primary,
                "related": [str(folder / "restaurant")],
                "labels": str(labels),
            },
            "training": {"method": "oracle", "iterations": 400, "evaluate_every": 50},
        }
    )
    accuracy = float(tasksieve.train(config, folder / "run")["valid_accuracy"])
    print(f"validation accuracy {accuracy:.1f} %")
    return accuracy


if __name__ == "__main__":
    main()
