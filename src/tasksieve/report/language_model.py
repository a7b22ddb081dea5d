"""The study of language models in the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from tasksieve.report.formatting import number


def language_model_table(record: Mapping[str, Any]) -> Table:
    """A line for every row: the loss a token, what it is beside primary alone and everything, and its cost."""
    done = record["cells"]
    table = Table(title=f"{done['done']} of {done['all']} fine-tunings", title_justify="left")
    for name in ("primary", "dialogs", "archive", "row"):
        table.add_column(name)
    for name in ("nats a token", "− primary", "− everything", "R_20@1", "same action", "tokens read"):
        table.add_column(name, justify="right")
    for row in record["rows"]:
        table.add_row(
            row["primary"],
            str(row["size"]),
            row["archive"],
            row["row"],
            number(row["nll"]["mean"], 3),
            _difference(row, "primary"),
            _difference(row, "everything"),
            number(row["R_20@1"]["mean"], 1),
            number(row["agreement"]["mean"], 1),
            f"{row['tokens']['read']:,}",
        )
    return table


def _difference(row: Mapping[str, Any], other: str) -> str:
    found = row.get(f"minus_{other}")
    return "–" if found is None else f"{found['nll']['mean']:+.3f}"
