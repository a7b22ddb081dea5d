"""Commands whose help is wrapped by the terminal, and not where the lines of their docstrings end."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand


def paragraphs(text: str) -> str:
    """A docstring with every paragraph in one line. Paragraphs stand apart by an empty line.

    Args:
        text: the docstring.
    """
    return "\n\n".join(" ".join(one.split()) for one in text.split("\n\n"))


class Wrapped(TyperCommand):
    """A command whose help has the width of the terminal."""

    def __init__(self, *arguments: Any, help: str | None = None, **options: Any) -> None:
        super().__init__(*arguments, help=None if help is None else paragraphs(help), **options)
