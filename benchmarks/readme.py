"""Write the tables of results, in the README and in docs/results.md, from the committed records.

    python -m benchmarks.readme [--check]

``results/restaurant-table2.json`` is the ``table2.json`` of ``tasksieve reproduce restaurant --data DIR --out OUT``,
``results/restaurant-table2-names.json`` that with ``--set model.entities=names``, and ``results/mnist-table1.json``
the ``table1.json`` of ``tasksieve reproduce mnist --data DIR --out table1``; ``results/restaurant-as-published.json``
and ``results/mnist-as-published.json``, if there, are the same with ``--as-published``; ``results/archive.json`` and
``results/archive-weights-*.json`` and ``results/archive-rivals.json``, if there, are each the ``archive.json`` of
``tasksieve reproduce archive``, ``results/verdict.json`` is the ``verdict.json`` of ``tasksieve reproduce verdict``,
``results/suspicious.json`` is of ``python -m benchmarks.suspicious``, and ``results/language-model.json`` is the
``language-model.json`` of ``tasksieve reproduce language-model``.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

from benchmarks.as_published import as_published_rows, digits_as_published, restaurant_as_published
from benchmarks.board import boards_of
from benchmarks.calibration import calibration_section
from benchmarks.language_model_study import study_section
from benchmarks.rivals_table import rivals_section
from benchmarks.suspicious import suspicious_table
from tasksieve.experiments.published.restaurant import METHODS as OF_THE_PAPER
from tasksieve.experiments.published.table2_rows import PAPER
from tasksieve.records.counts import plural
from tasksieve.report import formatting as show
from tasksieve.report.conditions import METHODS, describe

OUR_MODEL = "as-in-the-paper"
"""The name in records of the row of ``--paper-seeds``, and of its folder."""
RIVALS = ("reweight", "gradient-cosine", "meta-weight-net")
TABLE2 = (*OF_THE_PAPER, *RIVALS)
ROOT = Path(__file__).resolve().parents[1]
README, RESULTS = ROOT / "README.md", ROOT / "docs" / "results.md"
TABLE2_RECORD = ROOT / "results" / "restaurant-table2.json"
NAMES_RECORD = ROOT / "results" / "restaurant-table2-names.json"
ARCHIVE_RECORD = ROOT / "results" / "archive.json"
WEIGHTS_RECORDS = tuple(ROOT / "results" / f"archive-weights-{predict}.json" for predict in ("responses", "actions"))
SUSPICIOUS, SUSPICIOUS_RECORD = ROOT / "docs" / "suspicious.md", ROOT / "results" / "suspicious.json"
OF_RIVALS, RIVALS_RECORD = ROOT / "docs" / "rivals.md", ROOT / "results" / "archive-rivals.json"
STUDY, STUDY_RECORD = ROOT / "docs" / "language-model-runs.md", ROOT / "results" / "language-model.json"
VERDICT_RECORD = ROOT / "results" / "verdict.json"
TABLE1_RECORD = ROOT / "results" / "mnist-table1.json"
AS_PUBLISHED_RECORDS = tuple(ROOT / "results" / f"{name}-as-published.json" for name in ("restaurant", "mnist"))


def restaurant(record: dict[str, Any], names: dict[str, Any]) -> str:
    """The dialog experiment: with whole responses, as the paper has it, then with responses as templates."""
    lines = [
        "## Table 2: restaurant reservation",
        "",
        _setting(record),
        f"Per-turn accuracy in per cent, mean ± sd of {_seeds(record)} seeds, the paper's numbers beside ours.",
        "",
        "### Whole responses as candidates, as in the paper",
        "",
        "`tasksieve reproduce restaurant --set model.entities=names`. A test response that no training or validation",
        f"dialog has cannot be chosen: no model can exceed {_ceilings(names)} %. Nearly all of these propose a",
        "restaurant by its name.",
        "",
        table2(names),
        "",
        "### Responses as templates, the product's default",
        "",
        "`tasksieve reproduce restaurant`. A response that names a restaurant is a template, and the restaurant is",
        "[chosen by its facts](method.md#entities). All test responses can be given (ceiling",
        f"{_ceilings(record)} %), so these numbers cannot be compared with the paper's.",
        "",
        table2(record, beside_paper=False),
        "",
    ]
    return "\n".join(lines)


def _setting(record: dict[str, Any]) -> str:
    sizes = sorted({row["size"] for row in record["rows"]})
    return (
        f"Primary: personalized restaurant Task 3 with {_and(sizes)} training and as many validation dialogs, and\n"
        "1,000 test dialogs. Related: the 1,000 training dialogs of bAbI Task 5."
    )


def short(record: dict[str, Any], names: dict[str, Any], images: dict[str, Any]) -> str:
    """What the README shows of it: the rows that matter most, the comparable numbers first."""
    rows = {name: _of_method(names, name) for name in _SHOWN}
    templates = {name: _of_method(record, name) for name in _SHOWN}
    sizes = sorted(rows["learned"])
    lines = [
        f"| per-turn accuracy, % | {' | '.join(f'{size} dialogs' for size in sizes)} |",
        f"|---|{'---|' * len(sizes)}",
        *(f"| {_SHOWN[name]} | {_shown_cells(rows[name], sizes)} |" for name in _SHOWN),
        *as_published_rows(_as_published()[0], {name: _SHOWN[name] for name in ("primary", "learned")}, sizes),
        *(f"| {_SHOWN[name]}: the paper | {_paper_cells(rows[name], sizes)} |" for name in ("primary", "learned")),
        "",
        _setting(names),
        f"Mean ± sd of {_seeds(names)} seeds. No model can exceed {_ceilings(names)} %: the other test responses",
        "are in no training or validation dialog.",
        "",
        f"With responses as templates, which is the default, the ceiling is {_ceilings(record)} % and the rows are",
        f"{'; '.join(f'{_means(templates[name], sizes)} ({name})' for name in _SHOWN)}.",
        _digits(images),
        "",
    ]
    return "\n".join(lines)


_SHOWN = {
    "primary": "your task alone (`primary`)",
    "multitask": "everything borrowed (`multitask`)",
    "learned": "what helps borrowed (`learned`)",
}


def _of_method(record: dict[str, Any], method: str) -> dict[int, dict[str, Any]]:
    rows = (row for row in record["rows"] if row["method"] == method and not row["settings"])
    return {row["size"]: row for row in rows}


def _shown_cells(rows: dict[int, dict[str, Any]], sizes: list[int]) -> str:
    return " | ".join(show.mean_sd(rows[size]["mean"], rows[size]["sd"]) for size in sizes)


def _paper_cells(rows: dict[int, dict[str, Any]], sizes: list[int]) -> str:
    return " | ".join(show.mean_sd(rows[size]["paper_mean"], rows[size]["paper_sd"]) for size in sizes)


def _means(rows: dict[int, dict[str, Any]], sizes: list[int]) -> str:
    return ", ".join(f"{rows[size]['mean']:.1f}" for size in sizes)


def _digits(record: dict[str, Any]) -> str:
    rows = {row["method"]: row for row in record["rows"]}
    learned, ones = rows["learned"], rows["ones"]
    share = round(100 * record["settings"]["config"]["data"]["share"])
    return (
        f"On digits (MNIST) of which {share} % have a wrong label, learned weights give "
        f"{show.mean_sd(learned['mean'], learned['sd'])} % (the paper:\n"
        f"{show.mean_sd(learned['paper_mean'], learned['paper_sd'])}){_digits_as_published()}, all weights 1 give "
        f"{show.mean_sd(ones['mean'], ones['sd'])}.\n[All rows, rivals and intervals](docs/results.md)."
    )


def _digits_as_published() -> str:
    record = _as_published()[1]
    rows = {} if record is None else {row["method"]: row for row in record["rows"]}
    learned = rows.get("learned")
    return (
        "" if learned is None else f", with the paper's own settings {show.mean_sd(learned['mean'], learned['sd'])}"
    )


def _seeds(record: dict[str, Any]) -> str:
    counts = {len(row["seeds"]) for row in record["rows"] if not row["settings"]}
    return _and(sorted(counts))


def _ceilings(record: dict[str, Any]) -> str:
    sizes = sorted({row["size"] for row in record["rows"]})
    found = [f"{record['coverage'][f'candidate_ceiling_{size}']:.1f}" for size in sizes]
    return found[0] if len(set(found)) == 1 else ", ".join(found)


def table2(record: dict[str, Any], *, beside_paper: bool = True) -> str:
    """All rows of a record, beside the paper's where they can be compared, and what the learned weights gain."""
    rows = record["rows"]
    sizes = sorted({row["size"] for row in rows})

    def published(size: int) -> bool:
        return beside_paper and size in PAPER["learned"]

    lines = [
        f"| method | {' | '.join(f'{size} dialogs' + ' | paper' * published(size) for size in sizes)} |",
        f"|---|{''.join('---|' * (1 + published(size)) for size in sizes)}",
    ]
    found = {(row["method"], row["settings"]) for row in rows}
    for method, settings in sorted(found, key=lambda name: (TABLE2.index(name[0]), name[1])):
        here = {row["size"]: row for row in rows if (row["method"], row["settings"]) == (method, settings)}
        fewest = min(len(row["seeds"]) for row in here.values())
        name = f"`{method}`" + (f"{named(settings)} ({plural(fewest, 'seed')})" if settings else "")
        lines.append(f"| {name} | {' | '.join(_cells(here.get(size), published(size)) for size in sizes)} |")
    if any(method in RIVALS for method, _ in found):
        rivals = f"The last {plural(len(RIVALS), 'row')} are [rivals](method.md#rivals)"
        lines += ["", f"{rivals}, with the settings of all rows; nothing in them was tuned."]
    if any(settings == OUR_MODEL for _, settings in found):
        lines += ["", *_of_our_model(record)]
    return "\n".join([*lines, "", *_gains(rows, sizes, beside_paper)])


def named(settings: str) -> str:
    """What a row with other settings is called behind its method."""
    return " without screening, the paper's rates, our model" if settings == OUR_MODEL else f", {settings}"


def _of_our_model(record: dict[str, Any]) -> list[str]:
    """What is the paper's in the row of ``--paper-seeds``, and what is not."""
    model = record["settings"]["config"]["model"]
    return [
        "The row without screening has the paper's K = 5, ten meta-updates an iteration and Adam with 1e-3",
        "throughout, and η learns from the start. Its model is ours: "
        f"d = {model['dim']}, facts in the memory once they are {model['facts']}.",
        "All that the paper says is in `--as-published` ([what stays different](deviations.md#as-published)).",
    ]


def _cells(row: dict[str, Any] | None, published: bool) -> str:
    ours = "–" if row is None else show.mean_sd(row["mean"], row["sd"])
    if not published:
        return ours
    paper = "–" if row is None or row["paper_mean"] is None else show.mean_sd(row["paper_mean"], row["paper_sd"])
    return f"{ours} | {paper}"


def _gains(rows: list[dict[str, Any]], sizes: list[int], beside_paper: bool) -> list[str]:
    """What the learned weights gain over the primary task alone, and what the paper's do."""
    found = {row["size"]: row for row in rows if row["method"] == "learned" and not row["settings"]}
    gains, short = [], []
    for size in sizes:
        row = found[size]
        gain = f"{show.gain(row['minus_primary'], row['ci95'])} with {size}"
        if beside_paper and size in PAPER["learned"]:
            wanted = PAPER["learned"][size][0] - PAPER["primary"][size][0]
            gain += f", the paper's {show.signed(wanted)}"
            short += [size] if row["minus_primary"] < wanted else []
        gains.append(gain)
    said = f"Points of `learned` over `primary`, with 95 % interval (Student over paired seeds): {'; '.join(gains)}."
    if not short:
        return [said]
    return [said, f"The paper's gain with {_and(short)} dialogs is not reached ([why](experiments.md#table-2))."]


def _and(values: list[int]) -> str:
    return " and ".join(filter(None, [", ".join(map(str, values[:-1])), str(values[-1])]))


def table1(record: dict[str, Any]) -> str:
    """The section on the image experiment."""
    weights = {name: value["mean"] for name, value in record["weights"].items()}
    share = round(100 * record["settings"]["config"]["data"]["share"])
    seeds = len(record["rows"][0]["seeds"])
    lines = [
        "## Table 1: digits",
        "",
        f"Digits (MNIST). In the related task {share} % have a wrong label: does the weight module find out which?",
        f"Test accuracy in per cent, mean ± sd of {seeds} seeds; `tasksieve reproduce mnist`.",
        "",
        "| weighting | test | paper |",
        "|---|---|---|",
    ]
    for row in record["rows"]:
        ours, paper = show.mean_sd(row["mean"], row["sd"]), show.mean_sd(row["paper_mean"], row["paper_sd"])
        lines.append(f"| `{row['method']}` | {ours} | {paper} |")
    lines += [
        "",
        f"Mean weight at the end: {weights['last_epoch_right']:.4f} for right labels and"
        f" {weights['last_epoch_wrong']:.4f} for wrong ones (paper: 0.9747 and 0.0074); AUROC"
        f" {weights['auroc']:.4f}.",
        "",
        *conditions(record),
    ]
    return "\n".join(lines)


def conditions(record: dict[str, Any]) -> list[str]:
    """The table of what goes beyond the paper; nothing if the record has none."""
    found = record.get("conditions", [])
    if not found:
        return []
    seeds = min(len(row["seeds"]) for condition in found for row in condition["rows"])
    lines = [
        f"Beyond the paper (test accuracy, mean ± sd of at least {plural(seeds, 'seed')}; mean weights at the",
        "end, and how well they tell right labels from wrong ones). A wrong label is the next digit, as in the",
        "paper, or any other one (uniform). The weight module is told which labels are wrong, except without",
        "indicator.",
        "",
        "| wrong labels | `ones` | `learned` | `oracle` | weight right | weight wrong | AUROC |",
        "|---|---|---|---|---|---|---|",
    ]
    for condition in found:
        rows = {row["method"]: show.mean_sd(row["mean"], row["sd"]) for row in condition["rows"]}
        means = [show.number(condition["weights"][name]["mean"], 4) for name in ("right", "wrong", "auroc")]
        cells = [describe(condition), *(rows[method] for method in METHODS), *means]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "![Accuracy against the share of wrong labels](images/accuracy-by-share.png)"]
    return [*lines, ""]


def _as_published() -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """The records of Table 2 and of Table 1 as published, where they are there."""
    table2, table1 = (json.loads(path.read_text()) if path.exists() else None for path in AS_PUBLISHED_RECORDS)
    return table2, table1


def records() -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Those of Table 2, of Table 2 with whole responses, and of Table 1."""
    table2, names, table1 = (json.loads(path.read_text()) for path in (TABLE2_RECORD, NAMES_RECORD, TABLE1_RECORD))
    return table2, names, table1


def pages() -> dict[Path, str]:
    """The files with results, filled from the records."""
    of_table2, of_names, of_table1 = records()
    published2, published1 = _as_published()
    parts = (
        restaurant(of_table2, of_names),
        restaurant_as_published(published2),
        table1(of_table1),
        digits_as_published(published1),
    )
    whole = "\n".join(part for part in parts if part)
    sections = {README: short(of_table2, of_names, of_table1), RESULTS: whole}
    found = {path: filled(path.read_text(), section) for path, section in sections.items()}

    boards = {"board": ([ARCHIVE_RECORD], "The board"), "weights": (WEIGHTS_RECORDS, "What weights are worth there")}
    for part, (files, title) in boards.items():
        of_part = [json.loads(file.read_text()) for file in files if file.exists()]
        if of_part:
            found = {
                path: filled(page, boards_of(of_part, whole=path is RESULTS, title=title), part)
                for path, page in found.items()
            }
    if VERDICT_RECORD.exists():
        section = calibration_section(json.loads(VERDICT_RECORD.read_text()))
        found[RESULTS] = filled(found[RESULTS], section, "verdict")
    if SUSPICIOUS_RECORD.exists():
        section = suspicious_table(json.loads(SUSPICIOUS_RECORD.read_text()))
        found[SUSPICIOUS] = filled(SUSPICIOUS.read_text(), section, "suspicious")
    if RIVALS_RECORD.exists():
        section = rivals_section(json.loads(RIVALS_RECORD.read_text()))
        found[OF_RIVALS] = filled(OF_RIVALS.read_text(), section, "rivals")
    if STUDY_RECORD.exists():
        found[STUDY] = filled(STUDY.read_text(), study_section(json.loads(STUDY_RECORD.read_text())), "study")
    return found


def filled(page: str, section: str, name: str = "results") -> str:
    """A page with the section between its markers replaced."""
    return re.sub(rf"(<!-- {name} -->\n).*(<!-- /{name} -->)", lambda m: m[1] + section + m[2], page, flags=re.DOTALL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing, fail if a page differs")
    check = parser.parse_args().check
    for path, wanted in pages().items():
        if check and wanted != path.read_text():
            raise SystemExit(f"{path.name} differs from the records; run python -m benchmarks.readme")
        if not check:
            path.write_text(wanted)


if __name__ == "__main__":
    main()
