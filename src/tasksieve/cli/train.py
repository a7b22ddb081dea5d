"""`tasksieve train` and `tasksieve evaluate`: one run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from tasksieve.cli.auditing import audit_first
from tasksieve.cli.costing import cost_first
from tasksieve.cli.messages import output
from tasksieve.cli.options import (
    BudgetOption,
    ConfigFile,
    Json,
    Labels,
    MetricsPort,
    NoAudit,
    Predict,
    PrimaryOrConfig,
    Related,
    Settings,
    Size,
    Split,
    SplitSeed,
    Strict,
    Track,
    Trained,
    ValidOrConfig,
    configure,
    folder_option,
    print_json,
)
from tasksieve.cli.progress import RunBars
from tasksieve.cli.watching import followed
from tasksieve.errors import UserError

if TYPE_CHECKING:
    from tasksieve.records.progress import RunProgress


def train(
    *,
    primary: PrimaryOrConfig = None,
    valid: ValidOrConfig = None,
    out: Annotated[Path, folder_option("The run folder: new, or of the same run to go on with.")],
    related: Related = [],  # noqa: B006
    method: Annotated[
        str | None, typer.Option(help="How related data is used; all methods are listed below. By default learned.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="All randomness follows from it; by default 0.")] = None,
    size: Size = None,
    predict: Predict = None,
    labels: Labels = None,
    budget: BudgetOption = None,
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
    strict: Strict = None,
    split: Split = None,
    split_seed: SplitSeed = None,
    no_audit: NoAudit = False,
    resume: Annotated[
        bool, typer.Option(help="Go on with a run that was begun in --out; with --no-resume refuse it.")
    ] = True,
    track: Track = [],  # noqa: B006
    metrics_port: MetricsPort = None,
    as_json: Json = False,
) -> None:
    """Train one model and keep all records of it in a run folder.

    A run that was stopped or killed goes on where it was when the same command is given again, and ends with the
    very same model and records. Started by torchrun, several processes share each batch.

    The folder holds words of the dialogs, names and numbers of customers with them: treat it as these.

    [dim]tasksieve train --primary mine/train.txt --valid mine/valid.txt --related older/train.txt --out run[/dim]

    [dim]tasksieve train --config run/config.toml --set training.iterations=2000 --out other[/dim]
    """
    from tasksieve.records.config import changed
    from tasksieve.records.measures import RANKED, RANKING, VALID_AMONG
    from tasksieve.records.run_folder import RunFolder
    from tasksieve.report.skipped import skipped_sentence
    from tasksieve.training.loop.ranks import started_ranks
    from tasksieve.training.runs.dialogs import train as train_run
    from tasksieve.training.runs.memo import remembered
    from tasksieve.training.runs.settled import settled
    from tasksieve.training.tracking import Tracking

    data = {
        "primary": primary,
        "valid": valid,
        "related": related or None,
        "labels": labels,
        "predict": predict,
        "size": size,
        "strict": strict,
        "split": split,
        "split_seed": split_seed,
    }
    resolved = configure(data, {"method": method, "seed": seed}, config, settings)
    name, tracking = resolved.training.method, Tracking(tuple(track), out / "tracking", out.resolve().name)
    tracking.check()
    with started_ranks(resolved.training.device) as ranks, remembered(files=0):
        if ranks.first:
            audit_first(resolved, None, out / "config.toml", no_audit)
        if not ranks.several:
            begun = (out / "config.toml").exists()
            changes = cost_first(resolved, (name,), (out,), begun, budget)
            resolved = changed(settled(resolved), changes) if changes else resolved
        elif budget is not None:
            raise UserError("--budget goes by the clock of one process; leave it out with torchrun")
        if ranks.first:
            with followed(tracking, metrics_port) as (tracking, watched), RunBars() as bars:

                def watch(report: RunProgress) -> None:
                    watched(report)
                    bars.watch(name, report)

                result = train_run(resolved, out, watch, resume=resume, tracking=tracking, ranks=ranks)
        else:
            train_run(resolved, out, None, resume=resume, tracking=tracking, ranks=ranks)
            return
    if as_json:
        print_json(result)
        return
    console = output(wrap=False)
    iterations = f"at iteration {result['best_step']} of {result['iterations']}, " if result["iterations"] else ""
    reached = f"{iterations}{result['seconds']:.0f} s"
    measure = RANKING if result.get("measure") == RANKING else "accuracy"
    accuracy = (f"{result['valid_accuracy']:.1f} %", "bold")
    few = result.get(VALID_AMONG, RANKED) < RANKED
    among = f" (among {result[VALID_AMONG]})" if few else ""
    console.print(Text.assemble(f"{result['method']}: validation {measure}{among} ", accuracy, f" {reached}"))
    if result.get("meta_updates_skipped"):
        console.print(skipped_sentence(result["meta_updates_skipped"], result["meta_updates"]))
    weighted = f", tasksieve weights {out}" if RunFolder(out).weight_steps() else ""
    more = f"{weighted}, tasksieve chat {out}" if result["iterations"] else ""
    test = " --data TEST" if resolved.data.split is None else ""
    console.print(f"Next: tasksieve evaluate {out}{test}{more}")


def evaluate(
    run: Trained,
    data: Annotated[
        str | None,
        typer.Option(help="Dialogs to measure on: a file, or a folder with a test split; else what --split left."),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option("--split", "--split-name", help="Which split of a file or folder; of a folder by default test."),
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            help="Write what was predicted at every turn there, and with --answers what was said: .parquet, .csv or "
            ".jsonl."
        ),
    ] = None,
    others: Annotated[
        list[str], typer.Option(help="Dialogs of another service, for distractors from all. May be repeated.")
    ] = [],  # noqa: B006
    answers: Annotated[
        bool,
        typer.Option(
            "--answers",
            help="Answer every turn too: count answers with somebody else's values, and calls with the right ones.",
        ),
    ] = False,
    strict: Strict = None,
    as_json: Json = False,
) -> None:
    """Measure a run's best model: per turn, per dialog, by kind of turn, single acts, and among distractors."""
    from tasksieve.records.left_out import left_out_sentences
    from tasksieve.report.reading import left_out_in
    from tasksieve.report.terminal import answers_sentence, calls_sentence, evaluation_table, selection_table
    from tasksieve.training.runs.trained_model import evaluate_run

    measured = evaluate_run(
        run, data, split, predictions=predictions, others=others, answers=answers, strict=bool(strict)
    )
    if as_json:
        print_json(measured)
        return
    console = output()
    console.print(evaluation_table(measured))
    if measured.get("selection"):
        console.print(selection_table(measured))
    if measured.get("answers"):
        console.print(answers_sentence(measured["answers"]))
        if said := calls_sentence(measured["calls"]):
            console.print(said)
    for sentence in left_out_sentences(left_out_in(measured)):
        console.print(f"{sentence}.")
    if predictions is not None:
        console.print(f"Wrote {predictions}", soft_wrap=True)
