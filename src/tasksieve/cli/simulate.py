"""`tasksieve simulate`: dialogs to try things with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tasksieve.cli.messages import output


def simulate(
    kind: Annotated[str, typer.Argument(help="restaurant, personalized-restaurant or hotel.")],
    out: Annotated[Path, typer.Option(help="The folder to write into.")],
    dialogs: Annotated[int, typer.Option(min=1, help="Dialogs in each split.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Everything drawn at random follows from it.")] = 0,
    task: Annotated[
        int, typer.Option(min=1, max=5, help="1 ask, 2 update, 3 propose, 4 give information, 5 all of it.")
    ] = 5,
) -> None:
    """Write dialogs of a simulated user and system: train.txt, valid.txt, test.txt, test-oov.txt.

    test-oov.txt has places, cuisines and restaurants that are nowhere in the other files.
    """
    from tasksieve.dialogs.simulate import simulate as draw
    from tasksieve.dialogs.simulate import write_simulation

    for path in write_simulation(draw(kind, dialogs=dialogs, seed=seed, task=task), out):
        output().print(f"Wrote {path}", soft_wrap=True)
