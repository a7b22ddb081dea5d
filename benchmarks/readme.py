"""Write the README's tables of results from the committed records.

    python -m benchmarks.readme [--check]

``results/restaurant-150.json`` is the ``comparison.json`` of::

    tasksieve compare --primary …task3…-trn.txt --valid …task3…-dev.txt --test …task3…-tst.txt \\
                      --related …task5…-trn.txt --sizes 150 --seeds 2 --out comparison

and ``results/mnist-table1.json`` the ``table1.json`` of ``tasksieve reproduce mnist --data DIR --out table1``.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

from tasksieve.records.comparison import Comparison, ComparisonRow
from tasksieve.report import formatting as show
from tasksieve.report.conditions import METHODS, describe

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "results" / "restaurant-150.json"
TABLE1_RECORD = ROOT / "results" / "mnist-table1.json"
PAPER = {"primary": "61.1 ± 0.5", "multitask": "60.6 ± 0.7", "learned": "67.1 ± 0.6"}


def table(comparison: Comparison) -> str:
    """The results section, between the markers."""
    size, seeds = comparison.rows[0].size, len(comparison.rows[0].seeds)
    ceiling = comparison.coverage[f"candidate_ceiling_{size}"]
    lines = [
        "## Results so far",
        "",
        f"Personalized restaurant Task 3 with {size} training and validation dialogs, bAbI Task 5 related, 1,000",
        f"test dialogs; per-turn accuracy in per cent, mean ± sd of {seeds} seeds (paper: 5). No model can exceed"
        f" {ceiling:.1f}.",
        "",
        "| method | test | against primary (95 % interval) | paper |",
        "|---|---|---|---|",
        *map(line, comparison.rows),
        "",
        f"{comparison.verdict} {remark(comparison)}",
        "",
    ]
    return "\n".join(lines)


def table1(record: dict[str, Any]) -> str:
    """The section on the image experiment."""
    weights = {name: value["mean"] for name, value in record["weights"].items()}
    share = round(100 * record["settings"]["config"]["data"]["share"])
    seeds = len(record["rows"][0]["seeds"])
    lines = [
        f"Digits (MNIST) whose related labels are wrong for {share} %: does the weight module find out? Table 1 of",
        f"the paper, test accuracy in per cent, mean ± sd of {seeds} seeds; `tasksieve reproduce mnist`.",
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
        f"Beyond the paper (test accuracy, mean ± sd of at least {show.plural(seeds, 'seed')}; mean weights at the",
        "end, and how well they tell right labels from wrong ones):",
        "",
        "| wrong labels | `ones` | `learned` | `oracle` | weight right | weight wrong | AUROC |",
        "|---|---|---|---|---|---|---|",
    ]
    for condition in found:
        rows = {row["method"]: show.mean_sd(row["mean"], row["sd"]) for row in condition["rows"]}
        means = [show.number(condition["weights"][name]["mean"], 4) for name in ("right", "wrong", "auroc")]
        cells = [describe(condition), *(rows[method] for method in METHODS), *means]
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def sections() -> str:
    """All that stands between the markers."""
    comparison = Comparison.model_validate_json(RECORD.read_text())
    return table(comparison) + "\n" + table1(json.loads(TABLE1_RECORD.read_text()))


def line(row: ComparisonRow) -> str:
    """One row of the table."""
    difference = "–"
    if row.method != "primary" and row.ci95 is not None:
        difference = f"{show.signed(row.minus_primary)} ({show.interval(row.ci95)})"
    return f"| `{row.method}` | {show.mean_sd(row.mean, row.sd)} | {difference} | {PAPER.get(row.method, '–')} |"


def remark(comparison: Comparison) -> str:
    """What the reader must know beside the verdict."""
    means = {row.method: row.mean for row in comparison.rows}
    if means["learned"] - means["primary"] < 6.0:
        return "The paper's gain of the learned weights is not reached; [what was tried](docs/experiments.md)."
    return "The paper's gain of the learned weights is reached."


def filled(readme: str, section: str) -> str:
    """The README with the section between its markers replaced."""
    return re.sub(
        r"(<!-- results -->\n).*(<!-- /results -->)", lambda m: m[1] + section + m[2], readme, flags=re.DOTALL
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing, fail if the README differs")
    check = parser.parse_args().check
    readme = (ROOT / "README.md").read_text()
    wanted = filled(readme, sections())
    if check and wanted != readme:
        raise SystemExit("README.md differs from the record; run python -m benchmarks.readme")
    if not check:
        (ROOT / "README.md").write_text(wanted)


if __name__ == "__main__":
    main()
