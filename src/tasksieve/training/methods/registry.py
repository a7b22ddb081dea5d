"""The methods by their names: those of this folder and those of plug-ins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from tasksieve.errors import UserError
from tasksieve.plugins import load_plugins, same_source
from tasksieve.training.loop.method import Method

_METHODS: dict[str, Method] = {}
_Class = TypeVar("_Class", bound=type[Method])


def register(method: _Class) -> _Class:
    """Make a class of methods known by its name; a decorator.

    Raises: ValueError: if it has no name, or the name of another one. The same class may be registered again.
    """
    if not method.name:
        raise ValueError(f"{method.__name__}: found no name; expected one as it is to be given on the command line")
    if method.name in _METHODS and not same_source(type(_METHODS[method.name]), method):
        raise ValueError(f"{method.__name__}: there is a method '{method.name}' already")
    _METHODS[method.name] = method()
    return method


def all_methods() -> dict[str, Method]:
    """All methods by name, sorted.

    Raises: UserError: if a plug-in cannot be imported.
    """
    load_plugins()
    return dict(sorted(_METHODS.items()))


def method_named(name: str) -> Method:
    """Find a method.

    Raises: UserError: if there is none of this name; the message lists all.
    """
    known = all_methods()
    if name not in known:
        raise UserError(f"unknown method '{name}'; known: {', '.join(known)}")
    return known[name]


def rivals() -> tuple[str, ...]:
    """The names of the methods of others that the paper does not compare with, sorted."""
    return tuple(name for name, method in all_methods().items() if method.reference)


def names_for(words: Sequence[str], several: Mapping[str, Sequence[str]] | None = None) -> tuple[str, ...]:
    """The methods that a list on the command line means, each once.

    Args:
        words: names of methods, ``rivals`` for all of :func:`rivals`, or words that stand for others.
        several: what those stand for.
    """
    known = {"rivals": rivals(), **(several or {})}
    return tuple(dict.fromkeys(name for word in words for name in known.get(word, (word,))))
