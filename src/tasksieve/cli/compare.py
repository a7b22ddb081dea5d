"""`tasksieve compare` and `report`: methods against each other, and what came out."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tasksieve.cli.auditing import audit_first, test_or_split
from tasksieve.cli.costing import cost_first
from tasksieve.cli.messages import output
from tasksieve.cli.options import (
    BudgetOption,
    ConfigFile,
    Json,
    Labels,
    MaxSeeds,
    NoAudit,
    Predict,
    PrimaryOrConfig,
    Ray,
    Related,
    Seeds,
    Settings,
    Slice,
    Split,
    SplitSeed,
    Strict,
    Track,
    ValidOrConfig,
    Workers,
    configure,
    folder_option,
    print_json,
)
from tasksieve.cli.progress import RunBars
from tasksieve.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from tasksieve.experiments.compare import Plan
    from tasksieve.experiments.workers import RunJobs
    from tasksieve.records.comparison import Comparison

BUDGET_IN_SLICES = "--budget goes by the clock of one machine, and all slices need the same runs; leave it out"
DEFAULT = "primary,multitask,learned"


def compare(
    *,
    primary: PrimaryOrConfig = None,
    valid: ValidOrConfig = None,
    test: Annotated[
        str | None, typer.Option(help="Test dialogs of your new task; they judge, after training.")
    ] = None,
    out: Annotated[Path, folder_option("The comparison folder: new, or one to go on with.")],
    related: Related = [],  # noqa: B006
    methods: Annotated[
        str | None,
        typer.Option(
            help="Methods, with commas between them; all are listed below. rivals stands for other people's "
            "(docs/rivals.md). By default primary, multitask, learned and the simple baselines that suit."
        ),
    ] = None,
    seeds: Seeds = 3,
    max_seeds: MaxSeeds = None,
    sizes: Annotated[
        str,
        typer.Option(
            help="Numbers of primary dialogs to try, e.g. 50,100,150 (validation: at most as many); by default all."
        ),
    ] = "",
    predict: Predict = None,
    labels: Labels = None,
    workers: Workers = os.cpu_count() or 1,
    ray: Ray = None,
    part: Slice = None,
    budget: BudgetOption = None,
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
    strict: Strict = None,
    split: Split = None,
    split_seed: SplitSeed = None,
    no_audit: NoAudit = False,
    track: Track = [],  # noqa: B006
    as_json: Json = False,
) -> None:
    """Find out whether borrowing helps: train with several methods and answer three questions.

    Does borrowing help at all? Do weights help more than borrowing everything? Is the result better than the best
    simple baseline? Each answer is a sentence with its 95 % interval and what to do next.

    Finished runs are kept: the same command goes on where it was stopped, and more seeds or methods may be added.
    """
    from tasksieve.experiments.compare import Plan
    from tasksieve.experiments.runner import runner
    from tasksieve.records.comparison import LEARNED
    from tasksieve.training.methods import names_for

    data = {
        "primary": primary,
        "valid": valid,
        "related": related or None,
        "labels": labels,
        "strict": strict,
        "predict": predict,
        "split": split,
        "split_seed": split_seed,
    }
    resolved, run = configure(data, {}, config, settings), runner(ray, part)
    if budget is not None and part is not None:
        raise UserError(BUDGET_IN_SLICES)
    plan = Plan(
        resolved,
        test,
        names_for(names_in(DEFAULT if methods is None else methods)),
        tuple(numbers_in(sizes)),
        seeds,
        out,
        track=tuple(track),
        methods_given=methods is not None,
        max_seeds=max_seeds,
    )
    runs = out / "runs"
    mend = audit_first(resolved, test_or_split(test, resolved), runs, no_audit)
    changes = cost_first(resolved, plan.methods, runs.glob(f"{LEARNED}-*"), runs.exists(), budget)
    plan = replace(plan, overrides={LEARNED: changes} if changes else {}, to_mend=mend)
    _compare(plan, workers, run, as_json)


def report(
    folder: Annotated[Path, typer.Argument(help="A run or comparison folder.")],
    out: Annotated[Path | None, typer.Option(help="The file to write; else report.html in the folder.")] = None,
) -> None:
    """Write report.html: what was borrowed, when, and whether it paid; one file, nothing to fetch."""
    from tasksieve.report.html import write_report

    output().print(f"Wrote {write_report(folder, out)}", soft_wrap=True)


def run_plan(plan: Plan, workers: int, run: RunJobs | None = None) -> tuple[Comparison, list[Path]]:
    """Compare with progress bars, and write report and pictures; returns their files, the report first.

    Args:
        plan: what to compare.
        workers: runs at the same time.
        run: does them; by default processes of this machine.
    """
    from tasksieve.experiments.compare import compare as compare_methods
    from tasksieve.experiments.workers import run_jobs
    from tasksieve.report.html import write_report
    from tasksieve.report.pictures import write_pictures

    with RunBars() as bars:
        comparison = compare_methods(plan, workers, bars.watch, run or run_jobs)
    return comparison, [write_report(plan.out), *write_pictures(plan.out)]


def check_failed(comparison: Comparison) -> None:
    """Raise UserError if runs of a comparison failed, saying which."""
    if comparison.failed:
        raise UserError(_failure(comparison))


def _compare(plan: Plan, workers: int, run: RunJobs, as_json: bool) -> None:
    comparison, written = run_plan(plan, workers, run)
    if as_json:
        print_json(comparison.model_dump(mode="json"))
    else:
        print_comparison(comparison, written)
    check_failed(comparison)


def print_comparison(comparison: Comparison, written: list[Path], console: Console | None = None) -> None:
    """Print a comparison's rows and answers, what would help, and the files that were written."""
    from tasksieve.report.needs import needs, sentence
    from tasksieve.report.terminal import comparison_table, told_below, verdict_lines

    console = console or output()
    console.print(comparison_table(comparison))
    for line in told_below(comparison):
        console.print(line)
    for line in verdict_lines(comparison):
        console.print(line)
    for found in comparison.to_mend:
        console.print(f"Not mended before training: {found}")
    for need in needs(comparison):
        console.print(sentence(need))
    for path in written:
        console.print(f"Wrote {path}", soft_wrap=True)


def _failure(comparison: Comparison) -> str:
    names = ", ".join(failed.name for failed in comparison.failed)
    return f"left out, as training diverged: {names}; {comparison.failed[0].message}"


def names_in(text: str) -> list[str]:
    """Names with commas between them."""
    return [name.strip() for name in text.split(",") if name.strip()]


def numbers_in(text: str) -> list[int]:
    """Numbers of dialogs with commas between them. Raises: UserError: if one is not a positive number."""
    return [_positive(name) for name in names_in(text)]


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise UserError(f"--sizes: found '{text}'; expected numbers of dialogs, e.g. 50,100,150")
    return int(text)
