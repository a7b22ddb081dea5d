"""The commands together, and how they end."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from tasksieve.cli.audit import audit
from tasksieve.cli.chat import chat
from tasksieve.cli.compare import compare, report
from tasksieve.cli.convert import convert, validate
from tasksieve.cli.data import data
from tasksieve.cli.demo import demo
from tasksieve.cli.ending import Interrupted, guarded, obeying_signals
from tasksieve.cli.help_text import Wrapped, paragraphs
from tasksieve.cli.messages import say, show_messages
from tasksieve.cli.method_list import ListsMethods
from tasksieve.cli.reproduce import reproduce
from tasksieve.cli.serve import serve
from tasksieve.cli.sieve import sieve
from tasksieve.cli.simulate import simulate
from tasksieve.cli.together import check_command, rank, silenced, tell_error
from tasksieve.cli.train import evaluate, train
from tasksieve.cli.weights import weights
from tasksieve.errors import Unfinished, UserError
from tasksieve.plugins import add_plugins
from tasksieve.variables import check_variables

app = typer.Typer(
    name="tasksieve",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help=paragraphs(
        """Train a dialog system on few dialogs of a new task, and borrow from a related task only what helps.

    The [bold]primary[/bold] task is yours: few dialogs. A [bold]related[/bold] task is an older one: many dialogs.
    Every related example gets a weight between 0 and 1, learned along with the model; on dialogs that people wrote,
    examples of a service and kind share one.

    Start with [bold]tasksieve demo[/bold], then [bold]tasksieve compare --help[/bold]."""
    ),
)

for _command in (
    demo,
    compare,
    sieve,
    train,
    evaluate,
    weights,
    chat,
    serve,
    report,
    simulate,
    audit,
    convert,
    validate,
):
    app.command(cls=ListsMethods if _command in (compare, train) else Wrapped)(guarded(_command))
app.add_typer(reproduce, name="reproduce")
app.add_typer(data, name="data")


@app.callback(invoke_without_command=True)
def _main(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version and stop."),
    plugin: list[Path] = typer.Option(
        [],
        help="A Python file that registers a model, a method or a format of yours; it is run. May be repeated.",
    ),
) -> None:
    check_variables()
    add_plugins(plugin)
    check_command(context.invoked_subcommand)
    if version:
        from importlib.metadata import version as installed

        print(f"tasksieve {installed('tasksieve')}")
        raise typer.Exit


def run() -> None:
    """Run the command line.

    Exit code 0 when all went well, or what is left is at work elsewhere, 2 when the user can mend it, 130 after
    Ctrl-C, 143 after SIGTERM, 1 otherwise.
    """
    show_messages()
    try:
        if rank() > 0:
            silenced()
        with obeying_signals():
            app(prog_name="tasksieve")
    except UserError as error:
        tell_error(error)
        sys.exit(2)
    except Unfinished as left:
        say(f"{left}.")
        sys.exit(0)
    except Interrupted as interrupted:
        if rank() == 0:
            say("interrupted; what was finished is kept. Run the same command again to go on.")
        sys.exit(interrupted.code)
