"""The page of a run and the page of a comparison: which sections, in which order, with which words."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tasksieve.records.comparison import Comparison, ComparisonRow
from tasksieve.report import formatting as show
from tasksieve.report.blocks import Block, Cell, Note, Page, Picture, Section, TableBlock, Tone
from tasksieve.report.figures import comparison_bars
from tasksieve.report.reading import Run, read_comparison, read_run, read_runs, run_to_show
from tasksieve.report.screening_section import screening_sections
from tasksieve.report.sections import (
    NO_TEST,
    coverage_section,
    curves_section,
    describe,
    run_kinds_section,
    settings_section,
    weight_sections,
)
from tasksieve.report.size_sections import size_sections
from tasksieve.report.style import svg_text

_TONES: dict[str, Tone] = {"Borrow": "yes", "Undecided": "unsure", "Equal": "unsure", "Do not borrow": "no"}
_FULL_TINT = 15.0  # points of difference at which a cell's colour is deepest


def run_page(folder: Path) -> Page:
    """The report of one run."""
    run = read_run(folder)
    test = run.test
    if test is not None and test.get("accuracy") is not None:
        word, sentence = f"{show.percent(test['accuracy'])} %", "of the test turns got the right response."
    elif run.valid_accuracy is not None:
        word = f"{show.percent(run.valid_accuracy)} %"
        sentence = "of the validation turns got the right response; the test set has not been read."
    else:
        word, sentence = "Just begun", "No validation has been recorded yet."
    coverage = (test or {}).get("coverage") or (run.result or {}).get("coverage") or {}
    return Page(
        kicker=f"Run: {describe(run)}",
        description=f"{describe(run)}: {word} {sentence}",
        word=word,
        tone="plain",
        sentence=sentence,
        facts=_run_facts(run),
        sections=(
            run_kinds_section(test),
            curves_section([run]),
            *screening_sections(run),
            *weight_sections(run),
            coverage_section([("", coverage)]),
            settings_section([("config.toml", run.config_text)]),
        ),
        notes=() if run.result is not None else ("This run has not finished (there is no result.json).",),
    )


def _run_facts(run: Run) -> tuple[tuple[str, str], ...]:
    result = run.result or {}
    facts = [
        ("validation", f"{show.percent(run.valid_accuracy)} %" if run.valid_accuracy is not None else None),
        ("best iteration", show.whole(result["best_step"]) if result.get("best_step") is not None else None),
        ("iterations", show.whole(result["iterations"]) if result.get("iterations") is not None else None),
        ("stopped", str(result["stopped"]) if result.get("stopped") is not None else None),
        ("time", show.duration(result["seconds"]) if result.get("seconds") is not None else None),
    ]
    return tuple((name, value) for name, value in facts if value is not None)


def comparison_page(folder: Path) -> Page:
    """The report of a comparison and its runs."""
    comparison = read_comparison(folder)
    methods = list(dict.fromkeys(row.method for row in comparison.rows))
    runs, problems = read_runs(folder, methods)
    unfinished = sum(run.result is None for run in runs)
    if unfinished:
        problems.append(f"{show.plural(unfinished, 'run')} not finished; what is recorded so far is shown.")
    shown = run_to_show(runs)
    word, _, rest = comparison.verdict.partition(":")
    sections = (
        _methods_section(comparison),
        _bars_section(comparison),
        *size_sections(comparison),
        curves_section(runs),
        _kinds_section(runs, methods),
        *screening_sections(shown),
        *weight_sections(shown),
        coverage_section(_coverages(comparison, runs)),
        settings_section(_settings(comparison, shown or next(iter(runs), None))),
    )
    return Page(
        kicker="Comparison of methods",
        description=comparison.verdict,
        word=word.strip(),
        tone=_TONES.get(word, "plain"),
        sentence=_sentence(rest),
        facts=_comparison_facts(comparison, methods),
        sections=sections,
        notes=(*(f"runs/{failed.name} failed: {failed.message}" for failed in comparison.failed), *problems),
    )


def _sentence(rest: str) -> str:
    text = rest.replace("95 % interval", "95\N{NO-BREAK SPACE}% interval")
    text = re.sub(r"(?<![\w.])-(?=\d)", "\N{MINUS SIGN}", text.strip())
    return text[:1].upper() + text[1:] if text.startswith("compare ") else text


def _comparison_facts(comparison: Comparison, methods: Sequence[str]) -> tuple[tuple[str, str], ...]:
    sizes = sorted({row.size for row in comparison.rows})
    seeds = {result.seed for row in comparison.rows for result in row.seeds}
    seconds = sum(result.seconds for row in comparison.rows for result in row.seeds)
    return (
        ("methods", str(len(methods))),
        ("primary dialogs", ", ".join(show.whole(size) for size in sizes)),
        ("seeds", str(len(seeds))),
        ("training time", show.duration(seconds)),
    )


def _methods_section(comparison: Comparison) -> Section:
    reading = (
        "Accuracy is the share of test turns that got the right response, mean ± standard deviation over "
        "seeds; a difference whose interval leaves out 0 is unlikely to be chance."
    )
    if not comparison.rows:
        return Section("methods", "Methods", reading, (Note("The comparison has no rows."),))
    several = len({row.size for row in comparison.rows}) > 1
    size = ("dialogs",) if several else ()
    head = (
        "method",
        *size,
        "test, %",
        "difference to primary",
        "95 % interval",
        "validation, %",
        "time per run",
    )
    best = {row.size: max(r.mean for r in comparison.rows if r.size == row.size) for row in comparison.rows}
    rows, groups = [], set()
    for place, row in enumerate(comparison.rows):
        if place and row.size != comparison.rows[place - 1].size:
            groups.add(place)
        sizes = (Cell(show.whole(row.size)),) if several else ()
        rows.append((Cell(row.method, row.method == "learned"), *sizes, *_method_cells(row, best[row.size])))
    block = TableBlock(head, tuple(rows), groups=frozenset(groups))
    return Section("methods", "Methods", reading, (block,))


def _method_cells(row: ComparisonRow, best: float) -> tuple[Cell, ...]:
    against = None if row.method == "primary" else row.minus_primary
    return (
        Cell(show.mean_sd(row.mean, row.sd), strong=row.mean == best),
        Cell(show.signed(against), tint=0.6 * show.direction(row) if against is not None else 0.0),
        Cell(show.interval(row.ci95 if against is not None else None)),
        Cell(show.percent(show.mean_valid(row.seeds))),
        Cell(show.duration(show.mean_seconds(row.seeds))),
    )


def _bars_section(comparison: Comparison) -> Section:
    reading = (
        "A bar spans mean ± standard deviation, its tick is the mean, each dot is a seed; right of the "
        "dashed line is better than primary. The scale does not start at 0."
    )
    try:
        blocks: tuple[Block, ...] = (
            Picture(svg_text(comparison_bars(comparison), "bars"), "Test accuracy by method"),
        )
    except ValueError:
        blocks = (Note("The comparison has no rows."),)
    return Section("bars", "Accuracy at a glance", reading, blocks)


def _kinds_section(runs: Sequence[Run], methods: Sequence[str]) -> Section:
    reading = "The share of test turns of each kind that got the right response, in per cent, mean over seeds."
    tested = [run for run in runs if run.test is not None and run.test.get("by_kind")]
    if not tested:
        return Section("accuracy", "Accuracy by kind of turn", reading, (Note(NO_TEST),))
    size = max((run.size or 0) for run in tested)
    here = [run for run in tested if (run.size or 0) == size]
    columns = list(dict.fromkeys([*methods, *(run.method for run in here)]))
    columns = [method for method in columns if any(run.method == method for run in here)]
    if "primary" in columns and len(columns) > 1:
        reading += " Blue is better than primary, orange is worse; the deeper, the further."
    turns = {kind: _turns(here, kind) for run in here for kind in run.test["by_kind"]}  # type: ignore[index]
    kinds = sorted(turns, key=lambda kind: (-turns[kind], kind))
    rows = tuple((Cell(kind), Cell(show.whole(turns[kind])), *_kind_cells(here, columns, kind)) for kind in kinds)
    blocks: list[Block] = [TableBlock(("kind of turn", "turns", *columns), rows)]
    if len({run.size for run in runs}) > 1:
        blocks.append(Note(f"With {show.whole(size)} primary dialogs, the most compared."))
    return Section("accuracy", "Accuracy by kind of turn", reading, tuple(blocks))


def _turns(runs: Sequence[Run], kind: str) -> int:
    return max(((run.test or {})["by_kind"].get(kind, {}).get("turns") or 0) for run in runs)


def _kind_cells(runs: Sequence[Run], methods: Sequence[str], kind: str) -> list[Cell]:
    means = {method: show.mean(_kind_hits([r for r in runs if r.method == method], kind)) for method in methods}
    baseline = means.get("primary")
    cells = []
    for value in means.values():
        away = 0.0 if value is None or baseline is None else (value - baseline) / _FULL_TINT
        cells.append(Cell(show.percent(value), tint=max(-1.0, min(1.0, away)) if abs(away) > 0.03 else 0.0))
    return cells


def _kind_hits(runs: Sequence[Run], kind: str) -> list[float | None]:
    entries = [(run.test or {})["by_kind"].get(kind) or {} for run in runs]
    return [(entry.get("hits") or {}).get("1") for entry in entries]


def _coverages(comparison: Comparison, runs: Sequence[Run]) -> list[tuple[str, dict[str, Any]]]:
    """Per number of primary dialogs what the first run's test says; else what the comparison says."""
    found: dict[int | None, dict[str, Any]] = {}
    for run in runs:
        coverage = (run.test or {}).get("coverage")
        if coverage:
            found.setdefault(run.size, coverage)
    if not found:
        return [("", comparison.coverage)]
    sizes = sorted(found, key=lambda size: size or 0)
    return [("all dialogs" if size is None else show.plural(size, "dialog"), found[size]) for size in sizes]


def _settings(comparison: Comparison, run: Run | None) -> list[tuple[str, str]]:
    texts = []
    if comparison.settings:
        texts.append(("Of the comparison", json.dumps(comparison.settings, indent=2, ensure_ascii=False)))
    if run is not None:
        texts.append((f"config.toml of {describe(run)}", run.config_text))
    return texts
