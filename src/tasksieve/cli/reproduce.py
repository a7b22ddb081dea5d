"""`tasksieve reproduce`: the paper's tables."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tasksieve.cli.compare import names_in, numbers_in
from tasksieve.cli.ending import guarded
from tasksieve.cli.help_text import Wrapped
from tasksieve.cli.language_model import language_model
from tasksieve.cli.messages import output
from tasksieve.cli.method_list import ListsMethods
from tasksieve.cli.options import (
    Json,
    MaxSeeds,
    Ray,
    Seeds,
    Settings,
    Sizes,
    Slice,
    Workers,
    folder_option,
    print_json,
)
from tasksieve.cli.progress import BoardBars, RunBars
from tasksieve.errors import UserError

if TYPE_CHECKING:
    from rich.console import RenderableType

AsPublished = Annotated[
    bool,
    typer.Option(
        "--as-published",
        help="Take sizes, rates, K, N_meta and inputs from the paper, and its own rows alone. Iterations, means in "
        "place of sums and what the paper leaves open stay ours (docs/deviations.md).",
    ),
]

reproduce = typer.Typer(no_args_is_help=True, help="Reproduce the paper's tables and figures.")
reproduce.command("language-model", cls=Wrapped)(language_model)


@reproduce.command(cls=Wrapped)
@guarded
def mnist(
    out: Annotated[Path, folder_option("Where runs, table1.json and the figures go.")],
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
    as_published: AsPublished = False,
    workers: Workers = os.cpu_count() or 1,
    ray: Ray = None,
    part: Slice = None,
    settings: Settings = [],  # noqa: B006
    as_json: Json = False,
) -> None:
    """Table 1 and Figures 1, 3 and 4: digits whose related labels are wrong for three quarters.

    The weight module is told which labels are wrong; the question is whether meta-gradients make it use that. Beyond
    the paper: other shares of wrong labels, wrong labels drawn otherwise, and a weight module that is told nothing.
    """
    from tasksieve.experiments.published.as_published import table1_as_published
    from tasksieve.experiments.published.mnist import Table1Plan, reproduce_table1, table1_config
    from tasksieve.experiments.runner import runner
    from tasksieve.report.formatting import number
    from tasksieve.report.terminal import conditions_table, table1_table

    if (data is None) != embedded:
        raise UserError("give either --data FOLDER (see `tasksieve data fetch mnist`) or --embedded")
    config = table1_config(data, corruption, share, [*(table1_as_published() if as_published else ()), *settings])
    run = runner(ray, part)
    with RunBars() as bars:
        plan = Table1Plan(config, seeds, out, 0 if paper_only or as_published else condition_seeds)
        table = reproduce_table1(plan, workers, bars.watch, run)
    weights = {name: number(value["mean"], 4) for name, value in table["weights"].items()}
    said = (
        f"Mean weight in the last epoch: right {weights['last_epoch_right']}, wrong "
        f"{weights['last_epoch_wrong']} (paper: 0.9747, 0.0074); AUROC {weights['auroc']}"
    )
    parts: list[RenderableType] = [
        table1_table(table),
        said,
        *([conditions_table(table)] if table["conditions"] else []),
    ]
    _show(table, as_json, parts, [out / "table1.json", *_figures(out, table)])


@reproduce.command(cls=ListsMethods)
@guarded
def restaurant(
    out: Annotated[Path, folder_option("Where runs, table2.json, report.html and the figures go.")],
    data: Annotated[
        Path | None, typer.Option(help="A folder with the bAbI dialog tasks and personalized bAbI Task 3.")
    ] = None,
    embedded: Annotated[bool, typer.Option("--embedded", help="Use simulated dialogs of the same tasks.")] = False,
    sizes: Sizes = "50,100,150",
    methods: Annotated[
        str,
        typer.Option(help="Rows: methods, listed below, with commas between them; or all (of the paper), rivals."),
    ] = "all",
    seeds: Seeds = 5,
    paper_seeds: Annotated[
        int,
        typer.Option(
            min=0,
            help="Add a row of learned with the paper's N_meta and step sizes and without screening, on our model, "
            "with so many seeds; 0 leaves it out.",
        ),
    ] = 0,
    as_published: AsPublished = False,
    workers: Workers = os.cpu_count() or 1,
    ray: Ray = None,
    part: Slice = None,
    settings: Settings = [],  # noqa: B006
    as_json: Json = False,
) -> None:
    """Table 2 and Figures 2, 6 and 7: a personalized restaurant task that borrows from a plain one.

    Finished runs are kept: the same command goes on where it was stopped, and more rows, sizes or seeds may be added.
    With --as-published both readings of the paper's hop are run, each in a folder of its own.
    """
    from rich.text import Text

    from tasksieve.experiments.published import as_published as published
    from tasksieve.experiments.published.restaurant import (
        Table2Plan,
        embedded_data,
        methods_named,
        published_data,
        reproduce_table2,
    )
    from tasksieve.experiments.runner import runner
    from tasksieve.report.html import write_report
    from tasksieve.report.table2 import INTERVALS, table2_table, write_table2_figures

    if (data is None) != embedded:
        raise UserError("give either --data FOLDER or --embedded")
    found = embedded_data(out) if data is None else published_data(data)
    named = methods_named(names_in(methods))
    rows = tuple(name for name in named if name in published.METHODS) if as_published else named
    plan = Table2Plan(found, rows, tuple(numbers_in(sizes)), seeds, out, tuple(settings), paper_seeds)
    run = runner(ray, part)
    with RunBars() as bars:
        table = (published.reproduce_as_published if as_published else reproduce_table2)(
            plan, workers, bars.watch, run
        )
    folders = [out / name for name in published.READINGS] if as_published else [out]
    written = [path for folder in folders for path in (write_report(folder), *write_table2_figures(folder))]
    parts: list[RenderableType] = [table2_table(table), INTERVALS, Text(table["verdict"], style="bold")]
    _show(table, as_json, parts, [out / "table2.json", *written])


@reproduce.command(cls=ListsMethods)
@guarded
def archive(
    data: Annotated[
        Path, typer.Option(help="An archive: a folder with a file a service, such as the Schema-Guided dialogs.")
    ],
    out: Annotated[Path, folder_option("Where runs, drawn dialogs and archive.json go.")],
    primaries: Annotated[
        str, typer.Option(help="Services, each in turn the new task; all others are related to it.")
    ] = "Buses_1, RentalCars_1, Homes_1, Media_1, Music_2, Services_1",
    sizes: Sizes = "5,10,25,50",
    archives: Annotated[
        str,
        typer.Option(help="clean; stale: half of the services have an older policy; noisy: half are shuffled."),
    ] = "clean,stale,noisy",
    predict: Annotated[str, typer.Option(help="What is predicted: actions, responses, or both.")] = "actions",
    methods: Annotated[
        str,
        typer.Option(help="Rows: methods, listed below, with commas between them; or simple, rivals, or all."),
    ] = "simple, primary, multitask, learned, oracle",
    seeds: Seeds = 5,
    workers: Workers = os.cpu_count() or 1,
    ray: Ray = None,
    part: Slice = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep models, examples and weights of measured runs too: much space.")
    ] = False,
    known: Annotated[
        list[Path], typer.Option(help="An earlier archive.json: its runs of the same settings are not done again.")
    ] = [],  # noqa: B006
    settings: Settings = [],  # noqa: B006
    as_json: Json = False,
) -> None:
    """The board: with few dialogs of a new task, what borrowing from an archive gains, sound or half spoiled.

    Every seed draws its own training and validation dialogs; the test dialogs of a task are fixed. Finished runs are
    kept: the same command goes on where it was stopped, and anything may be added. archive.json is written as
    results come.
    """
    from tasksieve.experiments.board.board import BoardPlan, board_methods, reproduce_archive
    from tasksieve.experiments.runner import runner
    from tasksieve.report.archive import archive_table, board_sentences

    plan = BoardPlan(
        source=data,
        primaries=tuple(names_in(primaries)),
        sizes=tuple(numbers_in(sizes)),
        archives=tuple(names_in(archives)),
        predict=tuple(names_in(predict)),  # type: ignore[arg-type]  # the plan is checked
        methods=board_methods(names_in(methods)),
        seeds=seeds,
        out=out,
        settings=tuple(settings),
        keep=keep,
        known=tuple(known),
    )
    run = runner(ray, part)
    with BoardBars() as bars:
        record = reproduce_archive(plan, workers, bars.watch, run, bars.announce)
    _show(record, as_json, [archive_table(record), *board_sentences(record)], [out / "archive.json"])


@reproduce.command(cls=ListsMethods)
@guarded
def verdict(
    out: Annotated[Path, folder_option("Where runs, drawn dialogs and verdict.json go.")],
    archives: Annotated[
        str, typer.Option(help="Simulated archives. Of each is known whether borrowing from it pays.")
    ] = "copy, near, stale, far, cipher, shuffled, noise",
    draws: Annotated[int, typer.Option(min=1, help="Draws of each archive and of the new task's dialogs.")] = 20,
    methods: Annotated[
        str, typer.Option(help="primary, and methods that borrow, with commas between them.")
    ] = "primary,multitask,learned",
    seeds: Seeds = 3,
    max_seeds: MaxSeeds = None,
    workers: Workers = os.cpu_count() or 1,
    ray: Ray = None,
    part: Slice = None,
    settings: Settings = [],  # noqa: B006
    as_json: Json = False,
) -> None:
    """Whether the verdict of `compare` is right: on simulated archives that help, that harm, and that do neither.

    A draw has 10 dialogs to learn from, 10 to validate, 50 test dialogs for the verdict, and 200 more for the truth.
    Finished runs are kept: the same command goes on where it was stopped, and draws, archives or seeds may be
    added.
    """
    from tasksieve.experiments.calibration.calibration import VerdictPlan, reproduce_verdict
    from tasksieve.experiments.runner import runner
    from tasksieve.report.verdict import verdict_sentences, verdict_table

    plan = VerdictPlan(
        archives=tuple(names_in(archives)),
        draws=draws,
        seeds=seeds,
        out=out,
        settings=tuple(settings),
        methods=tuple(names_in(methods)),
        max_seeds=max_seeds,
    )
    run = runner(ray, part)
    with BoardBars() as bars:
        record = reproduce_verdict(plan, workers, bars.watch, run, bars.announce)
    _show(record, as_json, [verdict_table(record), *verdict_sentences(record)], [out / "verdict.json"])


def _show(record: dict[str, Any], as_json: bool, parts: Sequence[RenderableType], written: Sequence[Path]) -> None:
    """Print the record where that is asked for; else its tables and sentences, and which files were written."""
    if as_json:
        print_json(record)
        return
    console = output()
    for part in parts:
        console.print(part)
    for path in written:
        console.print(f"Wrote {path}", soft_wrap=True)


def _figures(out: Path, table: dict[str, Any]) -> list[Path]:
    from tasksieve.records.run_folder import RunFolder
    from tasksieve.report.paper_figures import write_weight_figures
    from tasksieve.report.shares import write_shares_figure

    shown = RunFolder(out / "runs" / "learned-0")
    figures = write_weight_figures(out, shown.read_weights(), shown.read_examples(), (1, 3, 4))
    return [*figures, *write_shares_figure(out, table)]
