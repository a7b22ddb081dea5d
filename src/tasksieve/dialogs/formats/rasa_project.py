"""Folders as ``rasa init`` lays them out: which file has the stories to learn from, and which those to test with."""

from __future__ import annotations

import contextlib
import itertools
import logging
from collections import Counter
from functools import lru_cache
from pathlib import Path

from tasksieve.dialogs.formats.journal import Journal, JournalFull
from tasksieve.dialogs.formats.lines import numbered_lines
from tasksieve.dialogs.formats.rasa_responses import domain_files
from tasksieve.dialogs.formats.yaml_nodes import sections, yaml_entries
from tasksieve.errors import UserError

_log = logging.getLogger("tasksieve")
_ENDINGS = (".yml", ".yaml")
_LISTS = frozenset(("stories", "rules", "nlu"))
_MOST = 1000
"""Files and folders that are looked at."""


def rasa_splits(folder: Path) -> dict[str, Path]:
    """The files of a Rasa project by split; empty if it is none.

    The training dialogs are the stories in ``data``, or else the rules; test dialogs are the stories in ``tests``. A
    folder ``data`` by itself will do. What else is in these folders is named once by the logger ``tasksieve``.

    Raises: UserError: if several files hold stories.
    """
    data = _data(folder)
    if data is None:
        return {}
    held = {file: _has(file) for file in _files(data)}
    files = [file for file, keys in held.items() if "stories" in keys]
    files = files or [file for file, keys in held.items() if "rules" in keys]
    if not files:
        return {}
    train = _only(files, folder)
    _tell(folder, "; ".join(_named(file, folder) for file, keys in held.items() if file != train and keys))
    tests = [file for file in _files(folder / "tests") if "stories" in _has(file)]
    return {"train": train} | ({"test": _only(tests, folder)} if tests else {})


def project_of(file: Path) -> Path | None:
    """The folder of the project that a file of stories is in; None if it is in none."""
    if file.suffix not in _ENDINGS:
        return None
    domains, inner = domain_files(file), file.absolute().parent
    if not domains:
        return inner.parent if inner.name == "data" and file.stem in _LISTS else None
    folder = domains[0].absolute().parent
    return folder.parent if folder.name == "domain" else folder


def _data(folder: Path) -> Path | None:
    """Where the stories are: in the folder's own ``data``, or in it if that is its name, or a domain is beside."""
    if (folder / "data").is_dir():
        return folder / "data"
    domains = (folder / name for name in (*(f"domain{ending}" for ending in _ENDINGS), "domain"))
    return folder if folder.absolute().name == "data" or any(path.exists() for path in domains) else None


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    paths = itertools.islice(folder.rglob("*"), _MOST)
    return sorted(path for path in paths if path.suffix in _ENDINGS and path.is_file())


def _has(file: Path) -> frozenset[str]:
    """Which of stories, rules and ``nlu`` there are in a file, told from its lines if that will do."""
    found = file.stat()
    return _told(file, found.st_mtime_ns, found.st_size) or frozenset(+_held(file))


@lru_cache(maxsize=_MOST)
def _told(file: Path, changed: int, size: int) -> frozenset[str]:
    """The keys under which there is a list, as far as it can be told without parsing the file."""
    with contextlib.suppress(UserError, JournalFull):
        lines = (line for _, line in numbered_lines(file, Journal(file, collect=True)))
        return frozenset(key for key, line in sections(lines) if key in _LISTS and line.lstrip().startswith("- "))
    return frozenset()


def _held(file: Path) -> Counter[str]:
    """How many stories, rules and entries of ``nlu`` there are in a file, as far as it can be read."""
    found = file.stat()
    return _counted(file, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=_MOST)
def _counted(file: Path, changed: int, size: int) -> Counter[str]:
    """The same, parsed once as long as the file stays what it is."""
    held = Counter[str]()
    with contextlib.suppress(UserError, JournalFull):
        for key, _ in yaml_entries(file, Journal(file, collect=True), _LISTS):
            held[key] += key in _LISTS
    return held


def _only(files: list[Path], folder: Path) -> Path:
    if len(files) > 1:
        names = ", ".join(str(file.relative_to(folder)) for file in files[:5])
        raise UserError(f"holds stories in {len(files)} files ({names}); name one of them, or join them", folder)
    return files[0]


def _named(file: Path, folder: Path) -> str:
    counted = ", ".join(f"{key}: {count:,}" for key, count in (+_held(file)).items())
    return f"{file.relative_to(folder)} ({counted or 'not read'})"


@lru_cache(maxsize=64)
def _tell(folder: Path, others: str) -> None:
    if others:
        _log.info("%s: Not read: %s", folder, others)
