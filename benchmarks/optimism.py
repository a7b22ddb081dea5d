"""Whether validation flatters `learned`, whose weights were judged on the same validation dialogs.

    python -m benchmarks.optimism results/archive-weights-responses.json

For every primary task, size, archive and seed of a board: how much more `learned` gains over `multitask` on the
validation dialogs than on the test dialogs. 0 in the mean says that choosing between the two by validation is fair.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tasksieve.records.comparison import EVERYTHING, LEARNED, paired_interval


def flattered(record: Mapping[str, Any]) -> Iterator[float]:
    """For each pair of runs of `learned` and `multitask` the gain on validation less that on test, in points.

    Args:
        record: of a board, ``archive.json``.
    """
    cells: dict[tuple[Any, ...], dict[str, Mapping[str, Any]]] = {}
    for row in record["rows"]:
        for run in row["seeds"]:
            cell = *(row[name] for name in ("primary", "size", "archive", "predict")), run["seed"]
            cells.setdefault(cell, {})[row["method"]] = {**run, "test": run["test"][row["measure"]]}
    for runs in cells.values():
        if LEARNED in runs and EVERYTHING in runs:
            mine, its = runs[LEARNED], runs[EVERYTHING]
            yield (mine["valid"] - its["valid"]) - (mine["test"] - its["test"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("records", type=Path, nargs="+")
    for path in parser.parse_args().records:
        found = list(flattered(json.loads(path.read_text())))
        low, high = paired_interval(found) or (float("nan"), float("nan"))
        print(f"{path.name}: {statistics.fmean(found):+.2f} points ({low:+.2f} to {high:+.2f}), {len(found)} pairs")


if __name__ == "__main__":
    main()
