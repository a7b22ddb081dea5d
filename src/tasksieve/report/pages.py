"""The page of a run and the page of a comparison: which sections, in which order, with which words."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tasksieve.records.comparison import Comparison
from tasksieve.records.counts import plural
from tasksieve.records.left_out import LeftOut, left_out_sentences
from tasksieve.records.measures import RANKING, fewer_ranked, key_of
from tasksieve.report import formatting as show
from tasksieve.report.blocks import Page, Tone
from tasksieve.report.confusion_sections import confusion_sections
from tasksieve.report.confusions import best_borrower
from tasksieve.report.kind_sections import kinds_section, run_kinds_section
from tasksieve.report.measure_sections import measures_sections, run_measures_sections
from tasksieve.report.method_sections import bars_section, methods_section
from tasksieve.report.reading import Run, left_out_in, read_comparison, read_run, read_runs, run_to_show
from tasksieve.report.screening_section import screening_sections
from tasksieve.report.sections import coverage_section, curves_section, describe, settings_section, weight_sections
from tasksieve.report.size_sections import size_sections
from tasksieve.report.skipped import skipped_in
from tasksieve.report.suspicious_section import suspicious_sections
from tasksieve.report.wording import Wording, wording

_TONES: dict[str, Tone] = {"Borrow": "yes", "Undecided": "unsure", "Equal": "unsure", "Do not borrow": "no"}


def run_page(folder: Path) -> Page:
    """The report of one run."""
    run = read_run(folder)
    test, words = run.test, wording((run.result or {}).get("measure"))
    word, sentence = _reached(run, words)
    coverage = (test or {}).get("coverage") or (run.result or {}).get("coverage") or {}
    return Page(
        kicker=f"Run: {describe(run)}",
        description=f"{describe(run)}: {word} {sentence}",
        word=word,
        tone="plain",
        sentence=sentence,
        facts=_run_facts(run),
        sections=(
            *run_measures_sections(test, words.measure),
            run_kinds_section(test, words),
            *confusion_sections([run], [run.method], words),
            curves_section([run], words),
            *screening_sections(run),
            *weight_sections(run),
            *suspicious_sections(run),
            coverage_section([("", coverage)], words),
            settings_section([("config.toml", run.config_text)]),
        ),
        notes=(
            *(() if run.result is not None else ("This run has not finished (there is no result.json).",)),
            *(f"{fewer}." for fewer in [fewer_ranked(run.among)] if fewer),
            *left_out_notes((*run.left_out, *left_out_in(run.test))),
        ),
    )


def _reached(run: Run, words: Wording) -> tuple[str, str]:
    """How much of the test is right, or of the validation dialogs, in a word and the rest of a sentence."""
    test = run.test or {}
    reached = (test.get("measures") or {}).get(key_of(words.measure), test.get("accuracy"))
    if words.measure == RANKING and "measures" not in test:
        reached = None
    if reached is not None:
        return f"{show.percent(reached)} %", f"of the test {words.got}."
    if run.valid_accuracy is not None:
        sentence = f"of the validation {words.got}; the test set has not been read."
        return f"{show.percent(run.valid_accuracy)} %", sentence
    return "Just begun", "No validation has been recorded yet."


def _run_facts(run: Run) -> tuple[tuple[str, str], ...]:
    result = run.result or {}
    facts = [
        ("validation", f"{show.percent(run.valid_accuracy)} %" if run.valid_accuracy is not None else None),
        (
            f"{run.keep} iteration",
            show.whole(result["best_step"]) if result.get("best_step") is not None else None,
        ),
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
        problems.append(f"{plural(unfinished, 'run')} not finished; what is recorded so far is shown.")
    shown = run_to_show(runs)
    words = wording(comparison.measure)
    beside = [method for method in ("primary", best_borrower(comparison)) if method is not None]
    first, *others = [answer.sentence for answer in comparison.answers] or [comparison.verdict]
    word, _, rest = first.partition(":")
    sections = (
        methods_section(comparison),
        bars_section(comparison),
        *measures_sections(comparison, runs),
        *size_sections(comparison),
        curves_section(runs, words),
        kinds_section(runs, methods, words),
        *confusion_sections(runs, beside, words),
        *screening_sections(shown),
        *weight_sections(shown),
        coverage_section(_coverages(comparison, runs), words),
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
        besides=tuple(_sentence(sentence) for sentence in others),
        notes=(
            *(f"runs/{failed.name} failed: {failed.message}" for failed in comparison.failed),
            *problems,
            *(f"Not mended before training: {found}" for found in comparison.to_mend),
            *left_out_notes(comparison.left_out),
            *skipped_in(comparison),
        ),
    )


def left_out_notes(found: Sequence[LeftOut]) -> list[str]:
    """What was left out of the dialogs, a sentence for each part of them."""
    return [f"{sentence}." for sentence in left_out_sentences(found)]


def _sentence(rest: str) -> str:
    text = rest.replace("95 % interval", "95\N{NO-BREAK SPACE}% interval")
    text = re.sub(r"(?<![\w.])-(?=\d)", "\N{MINUS SIGN}", text.strip())
    return text[:1].upper() + text[1:] if text.startswith("compare ") else text


def _comparison_facts(comparison: Comparison, methods: Sequence[str]) -> tuple[tuple[str, str], ...]:
    sizes = sorted({row.size for row in comparison.rows})
    seeds = {result.seed for row in comparison.rows for result in row.seeds}
    seconds = sum(result.seconds for row in comparison.rows for result in row.seeds)
    return (
        ("measure", wording(comparison.measure).name),
        ("methods", str(len(methods))),
        ("primary dialogs", ", ".join(show.whole(size) for size in sizes)),
        ("seeds", str(len(seeds))),
        ("training time", show.duration(seconds)),
    )


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
    return [("all dialogs" if size is None else plural(size, "dialog"), found[size]) for size in sizes]


def _settings(comparison: Comparison, run: Run | None) -> list[tuple[str, str]]:
    texts = []
    if comparison.settings:
        texts.append(("Of the comparison", json.dumps(comparison.settings, indent=2, ensure_ascii=False)))
    if run is not None:
        texts.append((f"config.toml of {describe(run)}", run.config_text))
    return texts
