"""Commands of the program, called in this process."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any
from unittest import mock

from tasksieve.cli import run
from tests.small import OPTIONS


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


Cli = Callable[..., Ended]


def call(*arguments: object, stdin: str = "") -> Ended:
    """Call the program as from a terminal without colours, 80 columns wide."""
    code: Any = 0
    with _terminal(["tasksieve", *map(str, arguments)], stdin) as (out, err):
        try:
            run()
        except SystemExit as ended:
            code = ended.code
    return Ended(int(code or 0), out.getvalue(), err.getvalue())


@contextmanager
def _terminal(words: list[str], stdin: str) -> Iterator[tuple[io.StringIO, io.StringIO]]:
    out, err = io.StringIO(), io.StringIO()
    environment = mock.patch.dict("os.environ", COLUMNS="80", NO_COLOR="1")
    given = mock.patch.multiple(sys, argv=words, stdin=io.StringIO(stdin))
    with environment, given, redirect_stdout(out), redirect_stderr(err):
        yield out, err


def small_options(**training: object) -> list[str]:
    """Of a training in a second; keyword arguments override those of the section ``training``."""
    sections = {**OPTIONS, "training": {**OPTIONS["training"], **training}}
    return [f"--set={s}.{k}={v}" for s, values in sections.items() for k, v in values.items()]
