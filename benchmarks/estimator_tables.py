"""Write the tables of docs/estimators.md from ``results/estimators.json``.

python -m benchmarks.estimator_tables [--check]
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "results" / "estimators.json"
PAGE = ROOT / "docs" / "estimators.md"
MARKERS = re.compile(r"(<!-- measured -->\n).*?(<!-- /measured -->)", re.DOTALL)
RULES = {"sgd": "SGD", "adam": "Adam"}


def tables(record: dict[str, Any]) -> str:
    """A table for each unroll length and rule, in the order of the record."""
    blocks = list(dict.fromkeys((row["unroll"], row["rule"]) for row in record["rows"]))
    return "\n".join(line for block in blocks for line in _table(record, *block))


def _table(record: dict[str, Any], unroll: int, rule: str) -> Iterator[str]:
    rows = [row for row in record["rows"] if (row["unroll"], row["rule"]) == (unroll, rule)]
    adjoint = next(row["ms"] for row in rows if row["estimator"] == "adjoint")
    yield from (f"### K = {unroll}, {RULES[rule]}", "")
    yield from ("| estimator | η | cosine | length | ms | times `adjoint` |", "|---|---|---:|---:|---:|---:|")
    for row in rows:
        name = f"`{row['estimator']}`" + (f", {row['options']}" if row["options"] else "")
        share = "few" if row["few"] else "all"
        numbers = f"{row['cosine']:.6f} | {row['length']:.3g} | {row['ms']:.1f} | {row['ms'] / adjoint:.1f}"
        yield f"| {name} | {share} | {numbers} |"
    yield ""


def written(page: str, record: dict[str, Any]) -> str:
    """The page with its tables made anew."""
    return MARKERS.sub(lambda match: match[1] + tables(record) + "\n" + match[2], page)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="exit with 1 if the page would change")
    arguments = parser.parse_args()
    page = PAGE.read_text()
    fresh = written(page, json.loads(RECORD.read_text()))
    if arguments.check:
        raise SystemExit(int(fresh != page))
    PAGE.write_text(fresh)


if __name__ == "__main__":
    main()
