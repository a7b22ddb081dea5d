"""`tasksieve demo`: the verdict on simulated dialogs, the bot at work, and where to look next."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Annotated

import typer

from tasksieve.cli.compare import check_failed, run_plan
from tasksieve.cli.messages import output
from tasksieve.cli.options import Json, Seeds, Workers, folder_option, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from tasksieve.records.comparison import Comparison, ComparisonRow


def demo(
    out: Annotated[Path, folder_option("Where everything goes.")] = Path("tasksieve-demo"),
    seed: Annotated[int, typer.Option(min=0, help="Seed of the simulated dialogs.")] = 7,
    seeds: Seeds = 2,
    workers: Workers = os.cpu_count() or 1,
    as_json: Json = False,
) -> None:
    """See it work in three minutes, on two simulated support desks.

    The model learns what a new desk does next, from 10 of its dialogs. It may borrow from the archive of an older
    desk, which has other policies.
    """
    from tasksieve.experiments.demo import demo_plan

    plan = demo_plan(out, seed, seeds)
    comparison, report = run_plan(plan, workers)
    if as_json:
        print_json(comparison.model_dump(mode="json"))
    else:
        _show(output(), comparison, plan.config.data.primary, plan.config.data.related[0], out, report[0], seed)
    check_failed(comparison)


def _show(console: Console, comparison: Comparison, new: str, old: str, out: Path, report: Path, seed: int) -> None:
    from tasksieve.records.comparison import run_name
    from tasksieve.report.terminal import comparison_table, verdict_lines

    for line in verdict_lines(comparison):
        console.print(line)
    best = _best(comparison)
    run = out / "runs" / run_name(best.method, best.size, best.seeds[0].seed)
    console.print()
    _replay(console, run, best.method, seed)
    console.print()
    console.print(comparison_table(comparison))
    console.print()
    at = shlex.quote(str(run))
    for what, where in (
        ("Report", str(report)),
        ("Talk to it", f"tasksieve chat {at}"),
        ("Browse", f"tasksieve serve {at}"),
        ("These dialogs", f"{new}/*.jsonl, {old}/*.jsonl"),
        ("Your own", "tasksieve compare --primary train.jsonl --valid valid.jsonl \\"),
        ("", "    --test test.jsonl --related ARCHIVE_FOLDER --out comparison"),
    ):
        console.print(f"{what:<14}{where}", soft_wrap=True)


def _best(comparison: Comparison) -> ComparisonRow:
    """The row of the model that is best on the validation dialogs."""
    rows = [row for row in comparison.rows if not row.simple]
    return max(rows, key=lambda row: fmean(result.valid_accuracy for result in row.seeds))


def _replay(console: Console, run: Path, method: str, seed: int) -> None:
    from tasksieve.cli.transcript import transcript
    from tasksieve.experiments.demo import fresh_dialog
    from tasksieve.records.run_folder import RunFolder
    from tasksieve.training.runs.replay import replay
    from tasksieve.training.runs.trained_model import TrainedModel

    slot_acts = RunFolder(run).read_config().data.slot_acts
    console.print(f"The bot ({method}) with a customer it has never seen; its action stands in brackets:")
    for line in transcript(replay(TrainedModel.load(run), fresh_dialog(seed), slot_acts)):
        console.print(line)
