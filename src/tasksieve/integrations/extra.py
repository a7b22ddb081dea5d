"""What is needed of the extra `lm`, asked for where it is used."""

from __future__ import annotations

import importlib
from types import ModuleType

from tasksieve.errors import UserError

EXTRA = "pip install 'tasksieve[lm]'"


def needed(package: str) -> ModuleType:
    """A package of the extra.

    Raises: UserError: if it is not installed; it names the extra.
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package.partition(".")[0]:
            raise
        raise UserError(f"{package} is not installed; install the extra: {EXTRA}") from None
