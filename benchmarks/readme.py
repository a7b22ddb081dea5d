"""Write the README's tables of results from the committed records.

    python -m benchmarks.readme [--check]

``results/restaurant-table2.json`` is the ``table2.json`` of ``tasksieve reproduce restaurant --data DIR --out OUT``,
``results/restaurant-table2-names.json`` that with ``--set model.entities=names``, and ``results/mnist-table1.json``
the ``table1.json`` of ``tasksieve reproduce mnist --data DIR --out table1``.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

from tasksieve.experiments.restaurant import METHODS as OF_THE_PAPER
from tasksieve.experiments.table2_rows import PAPER
from tasksieve.report import formatting as show
from tasksieve.report.conditions import METHODS, describe

RIVALS = ("reweight", "gradient-cosine", "meta-weight-net")
TABLE2 = (*OF_THE_PAPER, *RIVALS)
ROOT = Path(__file__).resolve().parents[1]
TABLE2_RECORD = ROOT / "results" / "restaurant-table2.json"
NAMES_RECORD = ROOT / "results" / "restaurant-table2-names.json"
TABLE1_RECORD = ROOT / "results" / "mnist-table1.json"


def restaurant(record: dict[str, Any], names: dict[str, Any]) -> str:
    """The section on the dialog experiment: as the product is, and with whole responses as candidates."""
    sizes = sorted({row["size"] for row in record["rows"]})
    lines = [
        "## Results",
        "",
        f"Personalized restaurant Task 3 with {_and(sizes)} training and as many validation dialogs, bAbI Task 5",
        "related, 1,000 test dialogs: Table 2 of the paper, per-turn accuracy in per cent, mean ± sd of",
        f"{_seeds(record)} seeds; `tasksieve reproduce restaurant`. A response that names a restaurant is a",
        "template, and which one to name is [chosen by its facts](docs/method.md#entities); so the response of",
        f"{_ceilings(record)} % of the test turns can be given.",
        "",
        table2(record),
        "",
        "The same with whole responses as candidates, names and all, as in the paper",
        f"(`--set model.entities=names`; {_seeds(names)} seeds): no model can exceed {_ceilings(names)}, the share",
        "of test turns whose response is a candidate, and no row gets a proposal right, which 29 % of the turns are.",
        "",
        table2(names),
        "",
    ]
    return "\n".join(lines)


def _seeds(record: dict[str, Any]) -> str:
    counts = {len(row["seeds"]) for row in record["rows"] if not row["settings"]}
    return _and(sorted(counts))


def _ceilings(record: dict[str, Any]) -> str:
    sizes = sorted({row["size"] for row in record["rows"]})
    found = [f"{record['coverage'][f'candidate_ceiling_{size}']:.1f}" for size in sizes]
    return found[0] if len(set(found)) == 1 else ", ".join(found)


def table2(record: dict[str, Any]) -> str:
    """All rows of a record beside the paper's, and what the learned weights gain."""
    rows = record["rows"]
    sizes = sorted({row["size"] for row in rows})
    lines = [
        f"| method | {' | '.join(f'{size} dialogs' + ' | paper' * _published(size) for size in sizes)} |",
        f"|---|{''.join('---|' * (1 + _published(size)) for size in sizes)}",
    ]
    found = {(row["method"], row["settings"]) for row in rows}
    for method, settings in sorted(found, key=lambda name: (TABLE2.index(name[0]), name[1])):
        here = {row["size"]: row for row in rows if (row["method"], row["settings"]) == (method, settings)}
        fewest = min(len(row["seeds"]) for row in here.values())
        name = f"`{method}`" + (f", {settings.replace('-', ' ')} ({show.plural(fewest, 'seed')})" if settings else "")
        lines.append(f"| {name} | {' | '.join(_cells(here.get(size), size) for size in sizes)} |")
    if any(method in RIVALS for method, _ in found):
        rivals = f"The last {show.plural(len(RIVALS), 'row')} are rivals' ([which](docs/method.md#rivals))"
        lines += ["", f"{rivals}, with the settings of all rows; nothing in them was tuned."]
    return "\n".join([*lines, "", *_gains(rows, sizes)])


def _published(size: int) -> bool:
    return size in PAPER["learned"]


def _cells(row: dict[str, Any] | None, size: int) -> str:
    ours = "–" if row is None else show.mean_sd(row["mean"], row["sd"])
    if not _published(size):
        return ours
    paper = "–" if row is None or row["paper_mean"] is None else show.mean_sd(row["paper_mean"], row["paper_sd"])
    return f"{ours} | {paper}"


def _gains(rows: list[dict[str, Any]], sizes: list[int]) -> list[str]:
    """What the learned weights gain over the primary task alone, and what the paper's do."""
    found = {row["size"]: row for row in rows if row["method"] == "learned" and not row["settings"]}
    gains, short = [], []
    for size in sizes:
        row = found[size]
        gain = f"{show.gain(row['minus_primary'], row['ci95'])} with {size}"
        if _published(size):
            wanted = PAPER["learned"][size][0] - PAPER["primary"][size][0]
            gain += f", the paper's {show.signed(wanted)}"
            short += [size] if row["minus_primary"] < wanted else []
        gains.append(gain)
    said = f"Points of `learned` over `primary`, with 95 % interval over paired seeds: {'; '.join(gains)}."
    if not short:
        return [said]
    return [said, f"The paper's gain with {_and(short)} dialogs is not reached ([why](docs/experiments.md#table-2))."]


def _and(values: list[int]) -> str:
    return " and ".join(filter(None, [", ".join(map(str, values[:-1])), str(values[-1])]))


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
    lines += ["", "![Accuracy against the share of wrong labels](docs/images/accuracy-by-share.png)"]
    return [*lines, ""]


def sections() -> str:
    """All that stands between the markers."""
    of_restaurants = restaurant(*(json.loads(path.read_text()) for path in (TABLE2_RECORD, NAMES_RECORD)))
    return of_restaurants + "\n" + table1(json.loads(TABLE1_RECORD.read_text()))


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
