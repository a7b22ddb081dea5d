"""What a command does where torchrun has started it several times: one of the processes speaks for all."""

from __future__ import annotations

import logging
import os
import time
import warnings
from contextlib import suppress

from tasksieve.cli.messages import say
from tasksieve.errors import UserError
from tasksieve.variables import whole_number

_FIRST_SPEAKS = 3.0
"""Seconds that others give the first process to say what it most often finds as well; torchrun then ends them."""


def processes() -> int:
    """How many processes torchrun has started; 1 where it has not."""
    return whole_number("WORLD_SIZE", 1, least=1) if "TORCHELASTIC_RUN_ID" in os.environ else 1


def rank() -> int:
    """The number of this process among them, from 0."""
    return whole_number("RANK", 0) if processes() > 1 else 0


def check_command(name: str | None) -> None:
    """Refuse torchrun for commands whose work it cannot share out.

    Raises: UserError: saying how it is shared out instead.
    """
    if processes() > 1 and name not in (None, "train"):
        raise UserError(
            f"torchrun has started {processes()} processes, and they can share the work of `tasksieve train` alone; "
            f"start `tasksieve {name}` by itself: commands with many runs have --workers, --ray and --slice"
        )


def silenced() -> None:
    """Say nothing but errors."""
    logging.getLogger("tasksieve").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")


def tell_error(error: UserError) -> None:
    """Say an error in one sentence; what all processes find, the first says."""
    number = 0
    with suppress(UserError):  # that may be the error itself
        number = rank()
    if number == 0:
        say(f"error: {error}")
        return
    time.sleep(_FIRST_SPEAKS)
    say(f"error: process {number}: {error}")
