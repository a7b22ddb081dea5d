"""Models, methods and formats of others: modules that register what they have when imported.

A module is a plug-in if an installed package names it as an entry point of the group ``tasksieve``, or if its file
stands in ``TASKSIEVE_PLUGINS`` (several with the system's path separator between them), which ``tasksieve --plugin
FILE`` adds to. Nothing else is imported: no configuration, run folder or data file can name code.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path

from tasksieve.errors import UserError

GROUP = "tasksieve"
"""Of the entry points."""
VARIABLE = "TASKSIEVE_PLUGINS"
"""Of the environment; processes that a command starts have it too."""


def add_plugins(files: list[Path]) -> None:
    """Make files plug-ins of this process and of those it starts.

    Raises: UserError: if one is no Python file.
    """
    for file in files:
        if file.suffix != ".py" or not file.is_file():
            raise UserError("is no Python file; expected one that registers a model, a method or a format", file)
    known = os.environ.get(VARIABLE, "")
    os.environ[VARIABLE] = os.pathsep.join([*filter(None, [known]), *(str(file.resolve()) for file in files)])


def load_plugins() -> None:
    """Import every plug-in that is not imported yet.

    Raises: UserError: if one cannot be imported; the message has its own error.
    """
    _load_installed()
    for name in filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)):
        _load_file(Path(name))


def same_source(one: type, other: type) -> bool:
    """Whether two classes are the same statement of the same file, run twice: a plug-in that another one imports."""
    return one is other or (one.__qualname__ == other.__qualname__ and _file_of(one) == _file_of(other) is not None)


def _file_of(one: type) -> Path | None:
    found = getattr(sys.modules.get(one.__module__), "__file__", None)
    return None if found is None else Path(found).resolve()


@lru_cache(maxsize=1)
def _load_installed() -> None:
    for entry in entry_points(group=GROUP):
        try:
            entry.load()
        except (Exception, SystemExit) as error:
            raise UserError(f"plug-in '{entry.name}' ({entry.value}) cannot be imported: {error!r}") from error


def _load_file(path: Path) -> None:
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]  # two files may have one name
    name = f"tasksieve_plugin_{path.stem}_{digest}"
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UserError("is no Python file; expected a plug-in", path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise UserError(f"cannot be imported as a plug-in: {error!r}", path) from error
