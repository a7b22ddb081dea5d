"""Write the table of docs/performance.md from ``results/meta-update.json``.

python -m benchmarks.performance [--check]
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "results" / "meta-update.json"
PAGE = ROOT / "docs" / "performance.md"
MARKERS = re.compile(r"(<!-- measured -->\n).*?(<!-- /measured -->)", re.DOTALL)


def table(record: dict[str, Any]) -> str:
    """All rows of the record, model by model."""
    lines = [
        "| model | K | | ms | times as fast as the fastest peer | plain passes | peak MB | cosine |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in record["rows"]:
        lines.append(
            f"| {row['model']} | {row['k']} | `{row['name']}` | {row['ms']:.1f} | {row['ratio']:.2f} "
            f"| {row['plain_passes']:.1f} | {row['peak_mb']:.0f} | {row['cosine']:.7f} |"
        )
    absent = "; ".join(f"{name}: {reason}" for name, reason in record["missing"].items())
    return "\n".join([*lines, "", f"torch {record['torch']}. Not measured: {absent}.", ""])


def written(page: str, record: dict[str, Any]) -> str:
    """The page with its table made anew."""
    return MARKERS.sub(lambda found: found[1] + table(record) + found[2], page)


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
