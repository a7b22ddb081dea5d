"""Write the table of docs/language-models.md from ``results/language-models.json``.

python -m benchmarks.language_model_page
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.performance import MARKERS

ROOT = Path(__file__).resolve().parents[1]
PAGE, RECORD = ROOT / "docs" / "language-models.md", ROOT / "results" / "language-models.json"


def main() -> None:
    PAGE.write_text(written(PAGE.read_text(), json.loads(RECORD.read_text())))


def written(page: str, record: dict[str, Any]) -> str:
    """The page with the table of a record."""
    return MARKERS.sub(lambda found: f"{found[1]}{table(record)}\n{found[2]}", page)


def table(record: dict[str, Any]) -> str:
    """How it was measured, and the rows of a record."""
    lines = [
        *(_how(model) for model in record["models"]),
        "",
        "| model | K | what | ms | plain steps | peak MB | memory beyond a plain step | resident MB | error |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for model in record["models"]:
        for measured in model["lengths"]:
            lines += [_line(model["model"], row) for row in measured["rows"]]
            lines += [
                f"| {model['model']} | {measured['k']} | {peer} | | | | | | {reason} |"
                for peer, reason in measured["left_out"].items()
            ]
    return "\n".join(lines)


def _how(model: dict[str, Any]) -> str:
    rounds = " and ".join(f"{one['rounds']} of K = {one['k']}" for one in model["lengths"])
    loads = [value for one in model["lengths"] for value in one["load"]]
    found = (
        f"- `{model['model']}`: on {model['device']}, body in {model['dtype']}, medians of rounds, {rounds}; load of "
        f"the machine {min(loads):.1f} to {max(loads):.1f}."
    )
    if "choice" not in model:
        return f"{found} The radius of the differences was given, {model['radius']:g}."
    (plain,) = [row["ms"] for row in model["lengths"][0]["rows"] if row["name"] == "plain step"]
    taken = 1e3 * model["choice"]["seconds"] / plain
    return f"{found} The first update, which chooses the radius among eight: as long as {taken:.0f} plain steps."


def _line(model: str, row: dict[str, Any]) -> str:
    error = f"{row['error']:.1e}" if row.get("error") else ""
    resident = f"{row['resident_mb']:.0f}" if "resident_mb" in row else ""
    return (
        f"| {model} | {row['k']} | {row['name']} | {row['ms']:.0f} | {row['plain_steps']:.1f} | {row['peak_mb']:.1f} "
        f"| {100 * row['extra_memory']:.0f} % | {resident} | {error} |"
    )


if __name__ == "__main__":
    main()
