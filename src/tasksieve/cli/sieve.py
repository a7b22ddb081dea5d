"""`tasksieve sieve`: from dialogs to weighted files for fine-tuning, with a report and a verdict."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tasksieve.cli.auditing import audit_first
from tasksieve.cli.compare import BUDGET_IN_SLICES, DEFAULT, check_failed, names_in, print_comparison, run_plan
from tasksieve.cli.costing import cost_first
from tasksieve.cli.messages import output, say
from tasksieve.cli.options import (
    BudgetOption,
    ConfigFile,
    Json,
    MaxSeeds,
    NoAudit,
    Predict,
    Primary,
    Ray,
    Related,
    Seeds,
    Settings,
    Slice,
    Split,
    SplitSeed,
    Strict,
    Workers,
    configure,
    folder_option,
    print_json,
)
from tasksieve.errors import UserError

if TYPE_CHECKING:
    from tasksieve.dialogs.finetuning import Cut, Tool
    from tasksieve.experiments.compare import Plan
    from tasksieve.experiments.workers import RunJobs
    from tasksieve.records.config import RunConfig

For = Annotated[
    list[str],
    typer.Option(
        "--for",
        help="The tool that fine-tunes: azure, axolotl, csv, demonstrations, fireworks, huggingface, llama-factory, "
        "mistral, ms-swift, openai, together or trl. May be repeated.",
    ),
]
Keep = Annotated[
    str | None, typer.Option(help="Keep this share of the related responses, e.g. 50%: the highest-weighted ones.")
]
Threshold = Annotated[
    float | None, typer.Option(help="Leave out related responses with a weight below this; 0 to 1.")
]
Without = Annotated[
    list[str],
    typer.Option(
        help="Leave related responses out that hold these words, whatever their weight: of a policy that is no more, "
        "e.g. 'phone number'. May be repeated."
    ),
]


def sieve(
    *,
    primary: Primary,
    valid: Annotated[
        str | None, typer.Option(help="Validation dialogs of your new task; without --test, half of them judge.")
    ] = None,
    test: Annotated[str | None, typer.Option(help="Test dialogs of your new task; they judge.")] = None,
    related: Related,
    out: Annotated[Path, folder_option("Where everything goes: a new folder, or one to go on with.")],
    tools: For = [],  # noqa: B006
    keep: Keep = None,
    threshold: Threshold = None,
    without: Without = [],  # noqa: B006
    seeds: Seeds = 3,
    max_seeds: MaxSeeds = None,
    predict: Predict = None,
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
    as_json: Json = False,
) -> None:
    """Sieve an archive for fine-tuning a language model: a verdict, a report, and weighted files for your tool.

    A small model learns the weights. As a fine-tuned language model would, it predicts what is said, and it chooses
    among the responses of all tasks. The verdict says whether to borrow at all.

    What is finished is kept: the same command goes on where it was stopped, and more tools may be added.
    """
    from tasksieve.dialogs.finetuning import Cut, tool_named
    from tasksieve.experiments.compare import Plan
    from tasksieve.experiments.own_parts import others_than, own_parts
    from tasksieve.experiments.runner import runner
    from tasksieve.experiments.sieve_record import SieveRecord
    from tasksieve.training.runs.cost import Budget

    if not tools:
        raise UserError("nothing to write: give at least one tool with --for, e.g. --for openai")
    run = runner(ray, part)
    if budget is not None and part is not None:
        raise UserError(BUDGET_IN_SLICES)
    named = [tool_named(name) for name in dict.fromkeys(name for text in tools for name in names_in(text))]
    cut = Cut.of(keep, threshold, without)
    if budget is not None:
        Budget.of(budget)
    record, begun = SieveRecord(out), (out / "runs").exists()
    record.check(tool.name for tool in named)
    parts = own_parts(primary, valid, test, split, split_seed or 0, record, strict=bool(strict), begun=begun)
    if parts.sentence:
        say(parts.sentence)
    others = others_than(related, (primary, valid, test))
    data = {"primary": parts.primary, "valid": parts.valid, "related": others, "strict": strict, "predict": predict}
    resolved = configure(data, {"heads": "shared"}, config, settings)
    if predict is None and resolved.data.predict == "auto":
        resolved = _of_what_is_said(resolved)
    refuse_own_heads(resolved, named)
    methods = tuple(names_in(DEFAULT))
    plan = Plan(resolved, parts.test, methods, (), seeds, out, methods_given=False, max_seeds=max_seeds)
    _sieve(plan, named, cut, Work(workers, run, budget), no_audit, as_json)


def _of_what_is_said(config: RunConfig) -> RunConfig:
    """The same where responses are predicted, whatever suits the dialogs: they are what a language model learns."""
    from tasksieve.records.config import changed

    say("responses are predicted, as a language model learns what is said; --predict actions judges by what is done")
    return changed(config, {"data.predict": "responses"})


def refuse_own_heads(config: RunConfig, tools: list[Tool]) -> None:
    """Raise UserError if weights would be learned with heads of their own, for tools that know none."""
    from tasksieve.records.weight_meaning import refusal

    if config.training.heads != "shared":
        raise UserError(f"training.heads: {refusal(tools[0].title)}")


@dataclass(frozen=True, slots=True)
class Work:
    """How the runs are done.

    Attributes:
        workers: processes on this machine.
        run: does them.
        budget: of learned runs, as it was given.
    """

    workers: int
    run: RunJobs
    budget: str | None


_ALL_THE_SAME = "The files borrow by the learned weights all the same: {}."


def _sieve(plan: Plan, tools: list[Tool], cut: Cut, work: Work, no_audit: bool, as_json: bool) -> None:
    from tasksieve.experiments.sieve import write_sieved
    from tasksieve.records.comparison import LEARNED
    from tasksieve.report.sieve import lines, sieve_table

    runs = plan.out / "runs"
    mend = audit_first(plan.config, plan.test, runs, no_audit)
    changes = cost_first(plan.config, plan.methods, runs.glob(f"{LEARNED}-*"), runs.exists(), work.budget)
    plan = replace(plan, overrides={LEARNED: changes} if changes else {}, to_mend=mend)
    comparison, reports = run_plan(plan, work.workers, work.run)
    weights, services, files = write_sieved(comparison, plan.out, tools, cut)
    if as_json:
        from tasksieve.experiments.sieve_record import RECORD
        from tasksieve.records.files import read_json

        print_json({"comparison": comparison.model_dump(mode="json"), "sieve": read_json(plan.out / RECORD)})
    else:
        print_comparison(comparison, reports)
        console = output()
        if not comparison.answers or comparison.answers[0].says != "better":
            harms = bool(comparison.answers) and comparison.answers[0].says == "worse"
            console.print(
                _ALL_THE_SAME.format("use them against that advice alone" if harms else "that it helps is not shown")
            )
        console.print(sieve_table(weights, services))
        for line in (line for one in files for line in lines(one.facts(plan.out))):
            console.print(line, soft_wrap=True)
    check_failed(comparison)
