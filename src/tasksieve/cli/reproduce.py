"""`tasksieve reproduce`: the paper's tables."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from tasksieve.cli.compare import Seeds, Workers
from tasksieve.cli.ending import guarded
from tasksieve.cli.options import Json, Settings, print_json
from tasksieve.cli.progress import RunBars
from tasksieve.errors import UserError

reproduce = typer.Typer(no_args_is_help=True, help="Reproduce the paper's tables and figures.")


@reproduce.command()
@guarded
def mnist(
    out: Annotated[Path, typer.Option(help="Where runs, table1.json and the figures go.")],
    data: Annotated[Path | None, typer.Option(help="The folder of the four MNIST files, gzipped or not.")] = None,
    embedded: Annotated[
        bool, typer.Option("--embedded", help="Use the digits that scikit-learn brings along.")
    ] = False,
    seeds: Seeds = 5,
    corruption: Annotated[str, typer.Option(help="Wrong labels: next, (y + 1) mod 10, or uniform.")] = "next",
    share: Annotated[float, typer.Option(min=0, max=1, help="Share of wrong labels.")] = 0.75,
    condition_seeds: Annotated[int, typer.Option(min=1, help="Seeds of each condition beyond the paper.")] = 2,
    paper_only: Annotated[
        bool, typer.Option("--paper-only", help="Leave out the conditions beyond the paper.")
    ] = False,
    workers: Workers = os.cpu_count() or 1,
    settings: Settings = [],  # noqa: B006
    as_json: Json = False,
) -> None:
    """Table 1 and Figures 1, 3 and 4: digits whose related labels are wrong for three quarters.

    The weight module is told which labels are wrong; the question is whether meta-gradients make it use that. Beyond
    the paper: other shares of wrong labels, wrong labels drawn otherwise, and a weight module that is told nothing.
    """
    from tasksieve.experiments.mnist import Table1Plan, reproduce_table1, table1_config
    from tasksieve.report.formatting import number
    from tasksieve.report.terminal import conditions_table, table1_table

    if (data is None) != embedded:
        raise UserError("give either --data FOLDER (see `tasksieve data fetch mnist`) or --embedded")
    config = table1_config(data, corruption, share, settings)
    with RunBars() as bars:
        plan = Table1Plan(config, seeds, out, 0 if paper_only else condition_seeds)
        table = reproduce_table1(plan, workers, bars.watch)
    written = _figures(out, table)
    if as_json:
        print_json(table)
        return
    console = Console()
    console.print(table1_table(table))
    weights = {name: number(value["mean"], 4) for name, value in table["weights"].items()}
    console.print(
        f"Mean weight in the last epoch: right {weights['last_epoch_right']}, wrong "
        f"{weights['last_epoch_wrong']} (paper: 0.9747, 0.0074); AUROC {weights['auroc']}",
        highlight=False,
    )
    if table["conditions"]:
        console.print(conditions_table(table))
    for path in (out / "table1.json", *written):
        console.print(f"Wrote {path}", soft_wrap=True, highlight=False)


def _figures(out: Path, table: dict[str, Any]) -> list[Path]:
    from tasksieve.records.run_folder import RunFolder
    from tasksieve.report.paper_figures import write_table1_figures
    from tasksieve.report.shares import write_shares_figure

    shown = RunFolder(out / "runs" / "learned-0")
    figures = write_table1_figures(out, shown.read_weights(), shown.read_examples())
    return [*figures, *write_shares_figure(out, table)]
