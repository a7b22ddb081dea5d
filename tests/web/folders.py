"""Run folders for the tests of the server: a trained one, and hostile texts in its records."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tasksieve.records.run_folder import RunFolder
from tests.small import small_config

HOSTILE = "<img src=x onerror=alert(1)> \"'&</script><script>alert(2)</script>"


def trained_run(tasks: Path, out: Path) -> Path:
    """Train in a second, then put weights far apart and hostile texts into the records."""
    from tasksieve.training.runs.dialogs import train  # not before types are checked

    train(small_config(tasks, "restaurant", "hotel"), out)
    folder = RunFolder(out)
    examples = folder.read_examples()
    hostile = pl.when(pl.col("example") == 3).then(pl.lit(HOSTILE))
    folder.write_examples(examples.with_columns(user=hostile.otherwise("user"), system=hostile.otherwise("system")))
    for place, step in enumerate(folder.weight_steps()):
        weights = folder.read_weights(step)
        share = pl.col("example") / len(examples)
        shifted = 0.5 + (share - 0.5) * place / len(folder.weight_steps())
        folder.write_weights(step, weights.with_columns(weight=shifted))
    return out
