"""A comparison of actions or responses with all its records: measures, predictions, simple rows, related tasks."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tasksieve.records.comparison import Comparison, MeasuredSeed, SeedResult, comparison_row
from tasksieve.records.files import write_json
from tasksieve.records.measures import ACTIONS, RANKING, key_of
from tasksieve.records.run_folder import RunFolder
from tasksieve.records.tables import write_table
from tasksieve.records.verdict import verdict
from tests.unit.report_folders import STEPS, examples_frame, weights_frame, write_run

METHODS = {"primary": 50.0, "learned": 60.0, "tfidf": 55.0}
"""What the methods reach with the smaller size."""
SIZES = (5, 10)
SERVICES = tuple(f"service_{number}" for number in range(19))
ALL_KINDS = tuple(f"request_{number}" for number in range(20))
DIALOGS, TURNS = 20, 10


def measures_of(accuracy: float, measure: str) -> dict[str, float]:
    """All measures of a test; each is told from the others by what stands behind its point."""
    found = {"accuracy": accuracy, "per_dialog_accuracy": 1.05}
    if measure == ACTIONS:
        return found | {"micro-F1": accuracy + 2.125, "macro-F1": accuracy - 20.25}
    if measure == RANKING:
        ranks = {"R_20@1": accuracy + 20.25, "R_100@1": accuracy, "R_100@3": accuracy + 10.125, "MRR_100": 33.375}
        return found | ranks | {"accuracy": 1.5}
    return found


def write_measured(folder: Path, measure: str = ACTIONS) -> Comparison:
    """Write the comparison with all its runs, two seeds each, and return its record."""
    rows, everything = [], {}
    for size in SIZES:
        for method, accuracy in METHODS.items():
            apart = 0.5 if method == "primary" else 1.0
            reached = [accuracy + size - 5 + apart * seed for seed in range(2)]
            seeds = [_run(folder, method, size, seed, value, measure) for seed, value in enumerate(reached)]
            everything[size, method] = seeds
    for (size, method), seeds in everything.items():
        simple = {"tfidf": everything[size, "tfidf"]}
        rows.append(comparison_row(method, size, seeds, everything[size, "primary"], measure, simple))
    comparison = Comparison(measure=measure, rows=tuple(rows), verdict=verdict(rows, measure))
    write_json(folder / "comparison.json", comparison.model_dump(mode="json"))
    return comparison


def _run(folder: Path, method: str, size: int, seed: int, accuracy: float, measure: str) -> SeedResult:
    path = folder / "runs" / f"{method}-{size}-{seed}"
    plain = write_run(path, method, size, seed, accuracy)
    run, measures = RunFolder(path), measures_of(accuracy, measure)
    result = run.read_record("result")
    run.write_record("result", {**result, "measure": measure, "services": list(SERVICES)})
    kinds = {kind: {"turns": 40 - n, "hits": {"1": float(n), "5": 2.0 * n}} for n, kind in enumerate(ALL_KINDS)}
    run.write_record("test", {**run.read_record("test"), "measures": measures, "by_kind": kinds})
    write_table(path / "predictions.parquet", predictions(method, seed))
    if method == "learned":
        examples = related_examples()
        run.write_examples(examples)
        for step in STEPS:
            run.write_weights(step, weights_frame(examples, step))
    right = [int(TURNS * accuracy / 100) + number % (3 if method == "primary" else 4) for number in range(DIALOGS)]
    return MeasuredSeed(
        **plain.model_dump(exclude={"measures"}),
        measures=measures,
        by_dialog={"turns": [TURNS] * DIALOGS, key_of(measure): right},
    )


def related_examples() -> pl.DataFrame:
    """A dialog of each related task; the tasks by number."""
    return examples_frame(len(SERVICES)).with_columns(task=pl.col("dialog").cast(pl.Int16))


def predictions(method: str, seed: int) -> pl.DataFrame:
    """`primary` takes offers for requests in 6 turns and then 4; others in 1. A request is once left unanswered."""
    often = {"primary": 6 - 2 * seed}.get(method, 1)
    rows = [("offer", "what have you got?", "offer", "request_town")] * often
    rows += [("offer", "show me", "offer", "offer")] * (10 - often)
    rows += [("request_town", "<SILENCE>", "request_town", ""), ("request_town", "a table", "request_town", "offer")]
    frame = pl.DataFrame(rows, ["kind", "user", "right", "predicted"], orient="row")
    return frame.with_columns(hit=pl.col("right") == pl.col("predicted"))
