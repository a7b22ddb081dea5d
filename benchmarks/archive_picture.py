"""What grows with turns, workers and services, as a picture, and the tables of turns in `docs/scale.md`.

The records are those of `benchmarks.archive_size`, `many_runs`, `shared_run` and `many_groups`, in one folder.

    python -m benchmarks.archive_picture [--json results/archive-size.json] [--check]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

PICTURE, PAGE = Path("docs/images/growth.png"), Path("docs/scale.md")
RANKED = "archive-size-responses.json"
"""The record of archives whose responses are ranked, beside that of actions."""
LINK = (
    "![Start-up, memory, iterations and pages over the number of related turns; runs an hour over workers; "
    "iterations over processes and over related services](images/growth.png)"
)
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


def draw(rows: list[dict[str, Any]], folder: Path, path: Path) -> None:
    """Draw what grows: by related turns, by workers and by services.

    Args:
        rows: of archives.
        folder: of the records of workers and services.
        path: of the picture.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (above, below) = plt.subplots(2, 4, figsize=(13, 6), layout="constrained")
    for axis, (title, name) in zip(above, _PANELS, strict=True):
        for (sentences, label), marker in zip(NAMES.items(), "os", strict=True):
            mine = [row for row in rows if row["sentences"] == sentences]
            axis.plot([row["turns"] for row in mine], values(mine, name), marker=marker, label=label)
        axis.set(xscale="log", yscale="log", title=title, xlabel="related turns")
        axis.set_ylim(bottom=0.7 * min(values(rows, name)))
    above[0].legend(frameon=False)
    _workers(below[0], json.loads((folder / "many-runs.json").read_text())["rows"])
    _shared(below[1], json.loads((folder / "shared-run.json").read_text())["rows"])
    _services(below[2], below[3], json.loads((folder / "many-groups.json").read_text())["rows"])
    for axis in (*above, *below):
        axis.grid(alpha=0.3)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)


def _workers(axis: Any, rows: list[dict[str, Any]]) -> None:
    for way, marker in zip(dict.fromkeys(row["way"] for row in rows), "os^", strict=True):
        mine = [row for row in rows if row["way"] == way]
        axis.plot([row["workers"] for row in mine], [row["rows_per_hour"] for row in mine], marker=marker, label=way)
    axis.set(title="runs an hour", xlabel="workers", xticks=[1, 2], ylim=(0, None))
    axis.legend(frameon=False)


def _shared(axis: Any, rows: list[dict[str, Any]]) -> None:
    for model, marker in zip(dict.fromkeys(row["model"] for row in rows), "os", strict=True):
        mine = [row for row in rows if row["model"] == model and row["batch"] == max(r["batch"] for r in rows)]
        for method, line in (("learned", "-"), ("multitask", "--")):
            times = [row[f"ms_{method}"] for row in mine]
            axis.plot([row["processes"] for row in mine], times, line, marker=marker, label=f"{model}, {method}")
    axis.set(title="one run shared: iteration, ms", xlabel="processes", xticks=[1, 2], ylim=(0, None))
    axis.legend(frameon=False, fontsize=7)


def _services(times: Any, memory: Any, rows: list[dict[str, Any]]) -> None:
    services = [row["services"] for row in rows]
    for method, line in (("learned", "-"), ("multitask", "--")):
        times.plot(services, [row[f"ms_{method}"] for row in rows], line, marker="o", label=method)
    times.set(xscale="log", title="an iteration, ms", xlabel="related services", ylim=(0, None))
    times.legend(frameon=False)
    memory.plot(services, [row["peak_mb"] for row in rows], marker="o")
    memory.set(xscale="log", title="memory, MB", xlabel="related services", ylim=(0, None))


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


def filled(page: str, name: str, content: str) -> str:
    """A page with what stands between two marks made anew."""
    before, rest = page.split(f"<!-- {name} -->")
    after = rest.split(f"<!-- /{name} -->")[1]
    return f"{before}<!-- {name} -->\n{content}\n<!-- /{name} -->{after}"


def main() -> None:
    """Write the picture and the tables, or check the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, default=Path("results/archive-size.json"))
    parser.add_argument("--check", action="store_true", help="only say whether the tables are those of the records")
    options = parser.parse_args()
    rows = json.loads(options.json.read_text())["rows"]
    text = PAGE.read_text()
    new = filled(text, "measured", f"{table(rows)}\n\n{LINK}")
    if (ranked := options.json.with_name(RANKED)).exists():
        new = filled(new, "measured, ranked", table(json.loads(ranked.read_text())["rows"]))
    if options.check:
        raise SystemExit(0 if new == text else f"{PAGE} is not what {options.json} says; leave --check out")
    PAGE.write_text(new)
    draw(rows, options.json.parent, PICTURE)


if __name__ == "__main__":
    main()
