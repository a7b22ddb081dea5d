"""`tasksieve weights`: what was borrowed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tasksieve.cli.options import Json, print_json


def weights(
    run: Annotated[Path, typer.Argument(help="A run folder of a weighting method.")],
    top: Annotated[int | None, typer.Option(min=1, help="Show so many examples with the highest weight.")] = None,
    bottom: Annotated[int | None, typer.Option(min=1, help="Show so many with the lowest weight.")] = None,
    step: Annotated[int | None, typer.Option(min=0, help="At this recorded iteration; else the last.")] = None,
    export: Annotated[Path | None, typer.Option(help="Write a table: .parquet, .csv or .jsonl.")] = None,
    all_steps: Annotated[bool, typer.Option(help="Export every recorded iteration, not one.")] = False,
    as_json: Json = False,
) -> None:
    """Show the weights of the related examples, or export them with their texts.

    Without an option: the mean weight by kind of turn, and the five highest and lowest examples.
    """
    from tasksieve.experiments.weights import examples_at, export_weights, ranked, weights_by_kind
    from tasksieve.report.terminal import kinds_table, weights_table

    if export is not None:
        rows = export_weights(run, export, step, all_steps=all_steps)
        Console().print(f"Wrote {rows:,} rows to {export}", soft_wrap=True, highlight=False)
        return
    frame = examples_at(run, step)
    shown = {"highest": top, "lowest": bottom} if top or bottom else {"highest": 5, "lowest": 5}
    tables = {name: ranked(frame, count, highest=name == "highest") for name, count in shown.items() if count}
    if as_json:
        print_json({name: table.to_dicts() for name, table in tables.items()})
        return
    console = Console()
    if not (top or bottom):
        console.print(kinds_table(weights_by_kind(frame)))
    for name, table in tables.items():
        console.print(weights_table(table, f"{name.capitalize()} weights at iteration {frame['step'][0]}"))
