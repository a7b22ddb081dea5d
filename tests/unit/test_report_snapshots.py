"""The histogram that follows a slider: what is stored, that it agrees with the weights, and how large it gets."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tasksieve.records.run_folder import RunFolder
from tasksieve.report.blocks import Picture
from tasksieve.report.html import write_report
from tasksieve.report.snapshots import MOST, snapshots_block
from tasksieve.report.weights import BINS, histogram
from tests.unit.report_folders import STEPS, examples_frame, weights_frame, write_run

STILL = Picture("<svg></svg>", "<svg></svg>", "stages")


def stored(weights: pl.DataFrame, examples: pl.DataFrame) -> Any:
    return json.loads(snapshots_block(weights, examples, STILL).data)


def test_every_snapshot_is_stored_as_counts() -> None:
    examples = examples_frame()
    weights = pl.concat([weights_frame(examples, step) for step in STEPS])
    data = stored(weights, examples)
    assert data["steps"] == list(STEPS)
    (part,) = data["parts"]
    assert part["name"] == "examples"
    for place, step in enumerate(STEPS):
        here = weights.filter(pl.col("step") == step)["weight"]
        assert part["counts"][place] == histogram(here)
        assert data["means"][place] == f"{here.mean():.2f}"


def test_right_and_wrong_are_counted_apart_and_what_is_no_number_nowhere() -> None:
    examples = examples_frame(labels=True)
    weights = weights_frame(examples, 0).with_columns(
        weight=pl.when(pl.col("example") == 0).then(float("nan")).otherwise("weight")
    )
    parts = stored(weights, examples)["parts"]
    assert {part["name"]: sum(part["counts"][0]) for part in parts} == {"right": 15, "wrong": 16}
    assert stored(weights.with_columns(weight=pl.lit(float("nan"))), examples)["means"] == ["–"]


def test_of_very_many_snapshots_some_are_stored() -> None:
    examples = examples_frame(1)
    weights = pl.concat([weights_frame(examples, step) for step in range(MOST * 3)])
    steps = stored(weights, examples)["steps"]
    assert (len(steps), steps[0], steps[-1]) == (MOST, 0, MOST * 3 - 1)


def test_nothing_to_show_is_said() -> None:
    with pytest.raises(ValueError, match="nothing to show"):
        snapshots_block(weights_frame(examples_frame(), 0).clear(), examples_frame(), STILL)


def test_the_page_has_the_slider_hidden_until_its_script_runs_and_no_other_script_may(tmp_path: Path) -> None:
    write_run(tmp_path, "learned", 50, 0, 60, weights=True)
    page = write_report(tmp_path).read_text(encoding="utf-8")
    (data,) = re.findall(r'<figure class="card moving" data-snapshots="([^"]*)" hidden>', page)
    assert json.loads(html.unescape(data))["steps"] == list(STEPS)
    assert re.search(r'<details class="stages" open>.*?<svg', page, re.DOTALL)
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html.unescape(page)
    assert "default-src 'none'" in html.unescape(page)


def test_one_snapshot_needs_no_slider(tmp_path: Path) -> None:
    write_run(tmp_path, "learned", 50, 0, 60, weights=True)
    for file in sorted((tmp_path / "weights").iterdir())[1:]:
        file.unlink()
    page = write_report(tmp_path).read_text(encoding="utf-8")
    assert "data-snapshots=" not in page
    assert "Histograms of weights" in page


def test_a_long_run_on_many_examples_stays_under_5_mb(tmp_path: Path) -> None:
    write_run(tmp_path, "learned", 150, 0, 60)
    folder = RunFolder(tmp_path)
    number = pl.int_range(18_340, eager=True).alias("example")
    words = pl.lit("a rather long utterance about restaurants " * 5)
    examples = pl.DataFrame(number).with_columns(
        task=pl.lit(0),
        dialog=number // 18,
        turn=number % 18,
        kind=("kind " + (number % 14).cast(pl.String)),
        user=words,
        system=words,
    )
    folder.write_examples(examples)
    generator = np.random.default_rng(0)
    for step in range(50):
        weights = pl.Series(generator.beta(2, 1 + step / 10, 18_340))
        folder.write_weights(
            100 * step, examples.select("example", "dialog", "turn", step=100 * step, weight=weights)
        )
    page = write_report(tmp_path)
    assert page.stat().st_size < 5_000_000
    counts = json.loads(html.unescape(re.findall(r'data-snapshots="([^"]*)"', page.read_text(encoding="utf-8"))[0]))
    assert len(counts["steps"]) == 50
    assert all(len(row) == BINS and sum(row) == 18_340 for row in counts["parts"][0]["counts"])
