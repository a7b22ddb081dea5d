"""`tasksieve weights`: what was borrowed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tasksieve.cli.messages import output
from tasksieve.cli.options import Json, print_json
from tasksieve.errors import UserError

if TYPE_CHECKING:
    import polars as pl

    from tasksieve.report.weights import WeightedDialog


def weights(
    run: Annotated[Path, typer.Argument(help="A run folder of a weighting method.")],
    top: Annotated[int | None, typer.Option(min=1, help="Show so many examples with the highest weight.")] = None,
    bottom: Annotated[int | None, typer.Option(min=1, help="Show so many with the lowest weight.")] = None,
    dialogs: Annotated[
        int | None, typer.Option(min=1, help="Show so many whole dialogs that were borrowed most, and least.")
    ] = None,
    step: Annotated[int | None, typer.Option(min=0, help="At this recorded iteration; else the last.")] = None,
    export: Annotated[
        Path | None, typer.Option("--export", "--out", help="Write a table: .parquet, .csv or .jsonl.")
    ] = None,
    suspicious: Annotated[
        bool, typer.Option("--suspicious", help="Show the turns that look wrongly answered instead, and why.")
    ] = False,
    every: Annotated[
        bool, typer.Option("--every", help="With --suspicious: look at kinds of turns that are hardly borrowed too.")
    ] = False,
    all_steps: Annotated[bool, typer.Option("--all-steps", help="Export every recorded iteration, not one.")] = False,
    as_json: Json = False,
) -> None:
    """Show the weights of the related examples, or export them with their texts.

    Without an option: the mean weight by kind of turn, the five highest and lowest examples, and the dialogs that
    were borrowed most and least, each turn shaded by its weight.

    With --suspicious: related turns that look wrongly answered though their kind is borrowed, and primary ones that
    other dialogs contradict, for runs of every method; the table is kept in the run folder, where `report` shows it.
    """
    if suspicious:
        if bottom or dialogs or step is not None or all_steps:
            raise UserError(
                "--suspicious goes with --every, --top, --export and --json alone; leave the other options out"
            )
        _show_suspicious(run, 10 if top is None else top, export, every, as_json)
        return
    if every:
        raise UserError("--every goes with --suspicious; add that, or leave it out")
    from tasksieve.experiments.weights import examples_at, export_weights

    if export is not None:
        rows = export_weights(run, export, step, all_steps=all_steps)
        output().print(f"Wrote {rows:,} rows to {export}", soft_wrap=True)
        return
    _show(run, examples_at(run, step), _Counts(top, bottom, dialogs), as_json)


@dataclass(frozen=True, slots=True)
class _Counts:
    """How many examples and dialogs are asked for; None where the option was not given."""

    top: int | None
    bottom: int | None
    dialogs: int | None

    @property
    def given(self) -> bool:
        return any((self.top, self.bottom, self.dialogs))


def _show(run: Path, frame: pl.DataFrame, counts: _Counts, as_json: bool) -> None:
    from tasksieve.experiments.weights import ranked, weights_by_kind
    from tasksieve.report.reading import read_run
    from tasksieve.report.terminal import kinds_table, weights_table
    from tasksieve.report.terminal_dialogs import dialogs_page

    asked = counts if counts.given else _Counts(5, 5, None if as_json else 1)
    shown = {"highest": asked.top, "lowest": asked.bottom}
    tables = {name: ranked(frame, count, highest=name == "highest") for name, count in shown.items() if count}
    dialogs = _dialogs(run, frame, asked.dialogs) if asked.dialogs else None
    if as_json:
        names = ("highest_dialogs", "lowest_dialogs")
        whole = {name: [asdict(one) for one in found] for name, found in zip(names, dialogs or (), strict=False)}
        print_json({name: table.to_dicts() for name, table in tables.items()} | whole)
        return
    console = output()
    if not counts.given:
        console.print(kinds_table(weights_by_kind(frame)))
    for name, table in tables.items():
        console.print(weights_table(table, f"{name.capitalize()} weights at iteration {frame['step'][0]}"))
    if dialogs is not None:
        for part in dialogs_page(*dialogs, frame["step"][0], read_run(run).drawn):
            console.print(part)


def _show_suspicious(run: Path, top: int, out: Path | None, every: bool, as_json: bool) -> None:
    from tasksieve.experiments.suspicious import find_suspicious
    from tasksieve.report.terminal_suspicious import left_out, suspicious_page

    found = find_suspicious(run, out, every=every)
    if as_json:
        counts = {"not_borrowed": found.not_borrowed, "too_few": found.too_few, "related": found.related}
        print_json({"turns": found.table.head(top).to_dicts(), **counts})
        return
    console = output()
    for part in suspicious_page(found.table.head(top)):
        console.print(part)
    for sentence in left_out(found.not_borrowed, found.too_few, found.related):
        console.print(sentence)
    if out is not None:
        console.print(f"Wrote {len(found.table):,} rows to {out}", soft_wrap=True)


def _dialogs(run: Path, frame: pl.DataFrame, each: int) -> tuple[list[WeightedDialog], list[WeightedDialog]]:
    from tasksieve.report.reading import read_run, services_of
    from tasksieve.report.weights import extreme_dialogs, named_tasks

    return extreme_dialogs(frame, named_tasks(frame, services_of(read_run(run))), each)
