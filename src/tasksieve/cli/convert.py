"""`tasksieve convert` and `tasksieve validate`: dialog files in other formats, and what is wrong with one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from tasksieve.cli.for_tools import PEFT, task_meant, write_adapters_of, write_for
from tasksieve.cli.messages import output, say
from tasksieve.cli.options import Json, SplitName, Strict, print_json
from tasksieve.errors import UserError
from tasksieve.records.counts import plural
from tasksieve.records.parted_paths import with_part
from tasksieve.records.weight_meaning import warning

if TYPE_CHECKING:
    from tasksieve.dialogs.formats.validate import Validation

From = Annotated[
    str | None,
    typer.Option("--from", help="The format to read; else told from the content."),
]


def convert(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="IN", help="Dialogs in any format: a file, a folder, FILE#train. With --for peft a run."
        ),
    ],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write.")],
    from_format: From = None,
    split_name: SplitName = None,
    to_format: Annotated[
        str | None, typer.Option("--to", help="The format to write; else told from the name of OUT.")
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(help="For chat, parquet, arrow: a table as `tasksieve weights RUN --export` writes it."),
    ] = None,
    task: Annotated[
        int | None,
        typer.Option(
            min=1, help="The number of IN among the related tasks of the table, from 1; else told by its responses."
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(help="Write weights from here on as 1 and others as 0, for services that take only these."),
    ] = None,
    tool: Annotated[
        str | None,
        typer.Option(
            "--for",
            help="Write for a fine-tuning tool into the folder OUT; see sieve --help. peft: a run's adapters.",
        ),
    ] = None,
    strict: Strict = None,
    as_json: Json = False,
) -> None:
    """Write dialogs in another format, and say what it has no place for.

    Formats: [bold]babi[/bold] (.txt), [bold]chat[/bold] messages (.jsonl), [bold]parlai[/bold],
    [bold]parlai-jsonl[/bold], [bold]fbdialog[/bold], [bold]sgd[/bold] or MultiWOZ 2.2 (.json), [bold]convlab[/bold],
    [bold]rasa[/bold] stories (.yml), [bold]csv[/bold], [bold]parquet[/bold], [bold]arrow[/bold]. With one more ending
    (.gz, .zst, .xz, .bz2) OUT is compressed. Read only: MultiWOZ 2.1, Taskmaster, KVRET, CamRest676, DSTC 2,
    Microsoft's dialog challenge. See docs/formats.md.
    """
    from tasksieve.dialogs.formats import format_named
    from tasksieve.dialogs.formats.convert import convert as convert_file
    from tasksieve.dialogs.response_weights import read_weights

    if tool == PEFT:
        write_adapters_of(source, target, weighted=weights is not None)
        return
    learned = None
    if weights is not None:
        number = task_meant(weights, with_part(source, split_name), from_format, task)
        learned = read_weights(weights, task=number, threshold=None if tool else threshold)
    if tool is not None:
        write_for(tool, with_part(source, split_name), target, learned, threshold)
        return
    if learned is not None and learned.heads == "own":
        say(f"warning: {weights}: {warning()}")
    done = convert_file(
        with_part(source, split_name),
        target,
        from_format=None if from_format is None else format_named(from_format),
        to_format=None if to_format is None else format_named(to_format),
        weights=learned,
        strict=bool(strict),
    )
    if as_json:
        names = ("source", "target", "dialogs", "turns", "lost", "as_one", "replaced", "unweighted")
        print_json({name: getattr(done, name) for name in names})
        return
    console = output(wrap=False)
    held = f"{plural(done.dialogs, 'dialog')}, {plural(done.turns, 'turn')}"
    console.print(f"Wrote {target}: {held}, from {done.source} to {done.target}")
    _print_lost(console, done.lost, f"Not in {target}")
    if done.unweighted:
        console.print(
            f"{source}: {plural(done.unweighted, 'response')} without an action keep their own weight; "
            f"{weights} is of those with one"
        )
    if done.replaced:
        console.print(f"{source}: {plural(done.replaced, 'weight')} there, replaced by those of {weights}")
    if done.as_one is not None:
        console.print(f"{source}: {done.as_one}")


def validate(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Dialogs in any format, or a folder of splits.")
    ],
    from_format: From = None,
    split_name: SplitName = None,
    as_json: Json = False,
) -> None:
    """Name every problem of dialog files, each with its line. Exit code 0 if there is none, else 2.

    Of a folder, the splits train, valid and test are looked at, by these names or those of the public releases. A
    folder without splits has all its files looked at. Files that cannot be read at all come last.
    """
    from tasksieve.dialogs.formats import format_named
    from tasksieve.dialogs.formats.validate import dialog_files
    from tasksieve.dialogs.formats.validate import validate as validate_file

    known = None if from_format is None else format_named(from_format)
    found: list[Validation] = []
    unreadable: dict[Path, UserError] = {}
    for given in [with_part(path, split_name) for path in files]:
        try:
            for path in dialog_files(given):
                found.append(validate_file(path, known))
                if not as_json:
                    _print(found[-1])
        except UserError as error:
            unreadable[given] = error
    if as_json:
        print_json([*map(_plain, found), *(_plain_unreadable(path, error) for path, error in unreadable.items())])
    for problem in unreadable.values():
        say(f"error: {problem}")
    if unreadable or any(validation.problems for validation in found):
        raise typer.Exit(2)


def _print(validation: Validation) -> None:
    console = output(wrap=False)
    for problem in validation.problems:
        console.print(str(problem))
    count = len(validation.problems)
    said = plural(count, "problem") if count else "no problem"
    more = ", and maybe more" if validation.cut else ""
    whole = f"{plural(validation.dialogs, 'whole dialog')}, {plural(validation.turns, 'turn')}"
    console.print(f"{validation.path}: {validation.format.title}, {whole}, {said}{more}")
    _print_lost(console, validation.lost, "Not read")
    if validation.as_one is not None:
        console.print(f"{validation.path}: {validation.as_one}")


def _print_lost(console: Console, lost: dict[str, int], heading: str) -> None:
    if lost:
        console.print(f"{heading}: " + "; ".join(f"{what} ({count:,})" for what, count in sorted(lost.items())))


def _plain(validation: Validation) -> dict[str, object]:
    return {
        "path": str(validation.path),
        "format": validation.format.name,
        "dialogs": validation.dialogs,
        "turns": validation.turns,
        "problems": [_plain_problem(problem) for problem in validation.problems],
        "lost": validation.lost,
        "splits": validation.splits,
    }


def _plain_unreadable(path: Path, error: UserError) -> dict[str, object]:
    nothing: dict[str, object] = {"format": None, "dialogs": 0, "turns": 0, "lost": {}, "splits": {}}
    return {"path": str(path), **nothing, "problems": [_plain_problem(error)]}


def _plain_problem(problem: UserError) -> dict[str, object]:
    return {"line": problem.line, "message": problem.message}
