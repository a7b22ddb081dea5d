"""`tasksieve convert --for TOOL`: dialogs and weights that are there already, or a run's adapters, for a tool."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tasksieve.cli.messages import output, say
from tasksieve.cli.options import folder_to_write
from tasksieve.errors import UserError
from tasksieve.records.weight_meaning import refusal

if TYPE_CHECKING:
    from tasksieve.dialogs.formats.learned_weights import LearnedWeights

PEFT = "peft"
"""Stands among the tools for the adapters of a run."""


def write_for(name: str, source: Path, folder: Path, weights: LearnedWeights | None, threshold: float | None) -> None:
    """Write a tool's files into a folder and say what they hold and lost.

    Args:
        name: of the tool.
        source: the dialogs.
        folder: made if it is not there.
        weights: of their responses; None for what the dialogs say themselves.
        threshold: the lowest weight that is learned; None for all, or a draw where the tool knows 0 and 1 alone.
    Raises: UserError: if there is no such tool, or the weights are not for a model with one head.
    """
    from tasksieve.dialogs.finetuning import ChatTask, Cut, Dialogs, facts_of, tool_named, weights_for
    from tasksieve.report.sieve import lines

    tool = tool_named(name)
    if weights is not None and weights.heads == "own":
        raise UserError(refusal(tool.title))
    found = weights_for([weights or {}], Cut(threshold=threshold), flags=tool.flags)
    task = ChatTask(source.stem, source, None if weights is None else found.weights[0])
    folder_to_write(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written = tool.write(Dialogs(task), folder)
    for line in lines(facts_of(tool, written, found, written.lost + task.lost, folder)):
        output().print(line, soft_wrap=True)


def task_meant(weights: Path, source: Path, from_format: str | None, task: int | None) -> int:
    """Which related task of a table dialogs are, from 0; said on standard error where it was told from them.

    Args:
        weights: the table.
        source: the dialogs.
        from_format: the format to read them in; None where it is told from them.
        task: the number that was asked for, from 1; None if none was.
    Raises: UserError: if the responses are those of another task than was asked for.
    """
    from tasksieve.dialogs.formats import format_named, iterate_dialogs
    from tasksieve.dialogs.response_weights import task_of

    known = None if from_format is None else format_named(from_format)
    found = task_of(weights, iterate_dialogs(source, known=known))
    if found is not None and task is not None and found != task - 1:
        raise UserError(
            f"is related task {found + 1} of {weights} by its responses, not {task}; give --task {found + 1}", source
        )
    if found is not None and task is None and found:
        say(f"{source}: related task {found + 1} of {weights}, by its responses")
    return (task or 1) - 1 if found is None else found


def write_adapters_of(run: Path, folder: Path, *, weighted: bool) -> None:
    """Write the adapters of a run for peft, and say what they belong to.

    Args:
        run: its folder.
        folder: made if it is not there.
        weighted: whether weights were given, which are for dialogs.
    Raises: UserError: if it is no run of a language model, or weights were given.
    """
    from tasksieve.training.runs.peft_folder import write_adapters

    if weighted:
        raise UserError("--for peft writes the adapters of a run, which have no weights; leave --weights out")
    folder_to_write(folder)
    base = write_adapters(run, folder)
    output().print(f"Wrote {folder}: LoRA adapters of {base}", soft_wrap=True)
