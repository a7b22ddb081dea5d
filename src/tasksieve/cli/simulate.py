"""`tasksieve simulate`: dialogs to try things with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tasksieve.cli.messages import output
from tasksieve.cli.options import folder_option
from tasksieve.errors import UserError

_SUPPORT = "support"
_DIALOGS, _TASK = 1000, 5
_OLD, _TRAIN, _VALID, _TEST = 100, 10, 10, 200


def simulate(
    kind: Annotated[str, typer.Argument(help="support, restaurant, personalized-restaurant or hotel.")],
    out: Annotated[Path, folder_option("The folder to write into.")],
    dialogs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help=f"Dialogs in each split ({_DIALOGS}); for support, of each service of the older desk ({_OLD}).",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Everything drawn at random follows from it.")] = 0,
    task: Annotated[
        int | None,
        typer.Option(min=1, max=5, help="Not for support: 1 ask, 2 update, 3 propose, 4 inform, 5 all (default)."),
    ] = None,
    train: Annotated[
        int | None, typer.Option(min=1, help=f"For support: dialogs of the newer desk to learn from ({_TRAIN}).")
    ] = None,
    valid: Annotated[
        int | None, typer.Option(min=1, help=f"For support: its dialogs to validate ({_VALID}).")
    ] = None,
    test: Annotated[int | None, typer.Option(min=1, help=f"For support: its dialogs to test ({_TEST}).")] = None,
) -> None:
    """Write dialogs of a simulated user and system.

    [bold]support[/bold] is a pair of support desks with customers, tools and several services. Dialogs of the newer
    desk are chat messages in new/train.jsonl, new/valid.jsonl and new/test.jsonl. The archive of the older
    desk, which has other policies, has one file for each service, in old/.

    The other kinds are made of templates and give train.txt, valid.txt, test.txt and test-oov.txt. The last has
    places, cuisines and restaurants that are nowhere in the other files.
    """
    from tasksieve.dialogs.simulate import KINDS, simulate_support, write_simulation, write_support
    from tasksieve.dialogs.simulate import simulate as draw

    of_new = {"train": train, "valid": valid, "test": test}
    if kind not in (_SUPPORT, *KINDS):
        raise UserError(f"found kind {kind!r}; expected one of {', '.join((_SUPPORT, *KINDS))}")
    if kind == _SUPPORT:
        if task is not None:
            raise UserError("found --task, which support has not; leave it out")
        numbers = {"train": train or _TRAIN, "valid": valid or _VALID, "test": test or _TEST}
        new = simulate_support(desk="new", dialogs=numbers, seed=seed)
        paths = write_support(new, simulate_support(desk="old", dialogs=dialogs or _OLD, seed=seed), out)
    else:
        for name, number in of_new.items():
            if number is not None:
                raise UserError(f"found --{name}, which {kind} has not; --dialogs is the number in each split")
        paths = write_simulation(draw(kind, dialogs=dialogs or _DIALOGS, seed=seed, task=task or _TASK), out)
    for path in paths:
        output().print(f"Wrote {path}", soft_wrap=True)
