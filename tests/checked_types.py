"""Types of arguments and results are checked at every call while the tests run, and shapes where signatures name any.

jaxtyping's hook binds the arguments of every call anew, to know the sizes that a name of an axis stands for. Most
functions name no axis: they get beartype's check alone, which is a tenth of the work.
"""

from __future__ import annotations

import ast
import dataclasses
import sys
from collections.abc import Callable
from typing import Any, get_args

import jaxtyping

PACKAGES = [f"tasksieve.{name}" for name in ("encoding", "models", "weighting", "metagrad", "training")]


def check_types() -> None:
    """Check the packages that compute, from their import on; to be called before it."""
    assert not sys.modules.keys() & set(PACKAGES)
    with_shapes = jaxtyping.jaxtyped

    def jaxtyped(*, typechecker: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def decorate(thing: Any) -> Any:
            if isinstance(thing, type):
                if dataclasses.is_dataclass(thing):
                    thing.__init__ = decorate(thing.__init__)
                return thing
            if names_shapes(thing):
                return with_shapes(thing, typechecker=typechecker)
            return typechecker(thing)

        return decorate

    jaxtyping.jaxtyped = jaxtyped  # the name that the hook puts before every function
    jaxtyping.install_import_hook(PACKAGES, "beartype.beartype")


def names_shapes(thing: Any) -> bool:
    """Whether an annotation of a function, or of a class method, static method or property, is an array's shape."""
    if isinstance(thing, property):
        return any(names_shapes(part) for part in (thing.fget, thing.fset, thing.fdel) if part is not None)
    function = getattr(thing, "__func__", thing)
    return any(_is_shape(found) for found in _annotations(function))


def _annotations(function: Any) -> list[Any]:
    """What the annotations are, or, where they are text, what the names in them stand for so far."""
    found: list[Any] = []
    for annotation in getattr(function, "__annotations__", {}).values():
        if isinstance(annotation, str):
            names = [node.id for node in ast.walk(ast.parse(annotation, mode="eval")) if isinstance(node, ast.Name)]
            found += [function.__globals__[name] for name in names if name in function.__globals__]
        else:
            found.append(annotation)
    return found


def _is_shape(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, jaxtyping.AbstractArray | jaxtyping.AbstractDtype):
        return True
    parts = annotation if isinstance(annotation, list) else get_args(annotation)
    return any(_is_shape(part) for part in parts)
