"""The growth that `benchmarks.archive_size` measured, as a picture and as the table of `docs/scale.md`.

python -m benchmarks.archive_picture [--json results/archive-size.json] [--check]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

PICTURE, PAGE = Path("docs/images/archive-size.png"), Path("docs/scale.md")
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"
LINK = "![Start-up, memory, iterations and pages over the number of related turns](images/archive-size.png)"
NAMES = {"bag-of-words": "bags of words", "both": "and vectors"}
_PANELS = (
    ("start-up, s", "start_up_s"),
    ("memory of its own, MB", "own_mb"),
    ("an iteration, ms", "iteration_ms"),
    ("a page, median ms", "page_ms"),
)


def values(rows: list[dict[str, Any]], name: str) -> list[float]:
    """A number of each row."""
    return [row["pages"]["median_of_all_ms"] if name == "page_ms" else row[name] for row in rows]


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw four panels over the number of related turns, both axes logarithmic."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(_PANELS), figsize=(13, 3.2), layout="constrained")
    for axis, (title, name) in zip(axes, _PANELS, strict=True):
        for (sentences, label), marker in zip(NAMES.items(), "os", strict=True):
            mine = [row for row in rows if row["sentences"] == sentences]
            axis.plot([row["turns"] for row in mine], values(mine, name), marker=marker, label=label)
        axis.set(xscale="log", yscale="log", title=title, xlabel="related turns")
        axis.grid(alpha=0.3)
        axis.set_ylim(bottom=min(1.0, *values(rows, name)) * 0.7)
    axes[0].legend(frameon=False)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as Markdown."""
    head = (
        "| related turns | sentences | first time, s | start-up, s | own memory, MB | with files, MB |"
        " iteration, ms | all weights recorded, s | a page, median ms | slowest page | on the disk, GB |"
    )
    lines = [head, "|" + "---|" * 11]
    for row in sorted(rows, key=lambda row: (row["turns"], row["sentences"])):
        slowest = max(row["pages"]["median_ms"].items(), key=lambda item: item[1])
        first = f"{row['first_s']:.0f}" if "first_s" in row else ""
        lines.append(
            f"| {row['examples']:,} | {NAMES[row['sentences']]} | {first} | {row['start_up_s']:.1f} | "
            f"{row['own_mb']:,.0f} | {row['peak_mb']:,.0f} | {row['iteration_ms']:.1f} | {row['end_s']:.1f} | "
            f"{row['pages']['median_of_all_ms']:.1f} | {slowest[0]}: {slowest[1]:.0f} | {row['disk_mb'] / 1e3:.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Write the picture and the table, or check the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, default=Path("results/archive-size.json"))
    parser.add_argument("--check", action="store_true", help="only say whether the table is that of the record")
    options = parser.parse_args()
    rows = json.loads(options.json.read_text())["rows"]
    text = PAGE.read_text()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    new = f"{before}{BEGIN}\n{table(rows)}\n\n{LINK}\n{END}{after}"
    if options.check:
        raise SystemExit(0 if new == text else f"{PAGE} is not what {options.json} says; leave --check out")
    PAGE.write_text(new)
    draw(rows, PICTURE)


if __name__ == "__main__":
    main()
