"""Folders of runs and comparisons as training leaves them, and a reader of the pages made of them."""

from __future__ import annotations

import math
import random
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console, RenderableType

from tasksieve.records.comparison import Comparison, SeedResult, comparison_row
from tasksieve.records.config import config_from
from tasksieve.records.files import write_json
from tasksieve.records.run_folder import RunFolder
from tasksieve.records.verdict import answers, verdict

HOSTILE = "<script>alert('hi')</script> & \"so\" [red]on[/red] $x^{$ {{ 7*7 }}"
KINDS = ("greeting", "cuisine", "<b>price</b> $1$", "options")
STEPS = tuple(range(0, 900, 100))


def examples_frame(dialogs: int = 8, labels: bool = False) -> pl.DataFrame:
    rows = [
        (dialog * 4 + turn, "older", dialog, turn, KINDS[turn], HOSTILE if dialog == 0 else f"u {turn}", f"s {turn}")
        for dialog in range(dialogs)
        for turn in range(4)
    ]
    frame = pl.DataFrame(rows, ["example", "task", "dialog", "turn", "kind", "user", "system"], orient="row")
    return frame.with_columns(label=pl.col("turn") < 2) if labels else frame


def weights_frame(examples: pl.DataFrame, step: int) -> pl.DataFrame:
    """Dialog 0 ends highest, the last one lowest; kind 0 above the others."""
    rank = 1 - pl.col("dialog") / examples["dialog"].max() - 0.1 * pl.col("turn")
    weight = 1 / (1 + (-(step / 200) * rank).exp())
    return examples.select("example", "dialog", "turn", step=pl.lit(step), weight=weight)


def coverage() -> dict[str, Any]:
    return {"candidate_ceiling": 74.3, "unknown_words": 5.25, "unseen_responses": 1234}


def evaluation(accuracy: float) -> dict[str, Any]:
    hits = {"1": accuracy, "5": accuracy + 10, "10": accuracy + 12}
    kinds = {
        kind: {"turns": 100 * place, "hits": {**hits, "1": accuracy + place}} for place, kind in enumerate(KINDS)
    }
    return {
        "data": "test.txt",
        "sha256": "ab" * 32,
        "turns": 11850,
        "dialogs": 1000,
        "accuracy": accuracy,
        "per_dialog_accuracy": 0.25,
        "hits": hits,
        "by_kind": kinds,
        "coverage": coverage(),
    }


def write_run(
    path: Path, method: str, size: int, seed: int, accuracy: float, *, weights: bool = False, finished: bool = True
) -> SeedResult:
    folder = RunFolder(path)
    data = {"primary": "p.txt", "valid": "v.txt", "size": size}
    folder.write_config(config_from({"data": data, "training": {"method": method, "seed": seed}}))
    for step in range(100, 1100 + 100 * seed, 100):
        value = accuracy * (1 - math.exp(-step / 300))
        folder.append_metrics({"step": step, "valid_accuracy": value, "mean_weight": None, "seconds": step / 100})
    if finished:
        result = {"best_step": 900, "iterations": 1000, "stopped": "patience", "valid_accuracy": accuracy + 1}
        identity = {"method": method, "seed": seed, "size": size}
        folder.write_record("result", {**identity, **result, "seconds": 83.0, "coverage": coverage()})
        folder.write_record("test", evaluation(accuracy))
    if weights:
        examples = examples_frame()
        folder.write_examples(examples)
        for step in STEPS:
            folder.write_weights(step, weights_frame(examples, step))
    return SeedResult(
        seed=seed,
        test_accuracy=accuracy,
        valid_accuracy=accuracy + 1,
        per_dialog_accuracy=0.25,
        iterations=1000,
        seconds=83.0,
    )


def write_comparison(
    path: Path, gains: dict[str, float], sizes: tuple[int, ...] = (50,), seeds: int = 3
) -> Comparison:
    generator = random.Random(7)
    rows = []
    for size in sizes:
        primary: list[SeedResult] = []
        for method, gain in gains.items():
            results = [
                write_run(
                    path / "runs" / f"{method}-{size}-{seed}",
                    method,
                    size,
                    seed,
                    55 + size / 50 + gain + generator.uniform(-0.3, 0.3),
                    weights=method == "learned",
                )
                for seed in range(seeds)
            ]
            primary = primary or results
            rows.append(comparison_row(method, size, results, primary))
    comparison = Comparison(
        rows=tuple(rows),
        verdict=verdict(rows),
        answers=answers(rows),
        coverage=coverage(),
        settings={"seeds": seeds, "note": HOSTILE},
    )
    write_json(path / "comparison.json", comparison.model_dump(mode="json"))
    return comparison


class Outline(HTMLParser):
    """Collects tags, attributes and the text of a page, and checks that tags nest."""

    VOID = ("meta", "link", "br", "img", "hr", "input")
    EMPTY_SVG = ("path", "use", "rect")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def lines_of(table: RenderableType, width: int = 80) -> list[str]:
    console = Console(width=width, file=StringIO(), force_terminal=False)
    console.print(table)
    output = console.file
    assert isinstance(output, StringIO)
    return output.getvalue().splitlines()
