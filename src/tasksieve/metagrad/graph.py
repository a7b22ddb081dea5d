"""Reading a graph of automatic differentiation: which operation is to blame, and which line called it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction

Node = Any
"""A node of the graph; torch has several classes of them, without a common public name."""

_NO_DERIVATIVE = ("NotImplemented", "Error", "CompiledFunctionBackwardBackward")
_QUOTED = re.compile(
    r"derivative for '?(?:aten::)?(\w+)'? is not implemented|"
    r"Could not run '([\w:.]+)'|"
    r"marked with (@once_differentiable)|"
    r"(torch\.compile)"
)
_FRAME = re.compile(r'File "([^"]+)", line (\d+)')
_TORCH = str(Path(torch.__file__).parent)
_OWN = str(Path(__file__).parent)


@contextmanager
def recorded() -> Iterator[None]:
    """Operations within remember which line made them, and nodes of a gradient's graph whose gradient they are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with torch.autograd.set_detect_anomaly(True, check_nan=False):
            yield


def nodes_of(tensors: Sequence[Tensor | None]) -> list[Node]:
    """All nodes of the graphs that end in these tensors, each once."""
    found: dict[Node, None] = {}
    waiting = [tensor.grad_fn for tensor in tensors if tensor is not None and tensor.grad_fn is not None]
    while waiting:
        node: Node = waiting.pop()
        if node not in found:
            found[node] = None
            waiting += [following for following, _ in node.next_functions if following is not None]
    return list(found)


def without_derivative(gradients: Sequence[Tensor | None]) -> Node | None:
    """The first operation whose gradient cannot be differentiated again, or None.

    Args:
        gradients: with their graphs, taken within :func:`recorded`.
    """
    for node in nodes_of(gradients):
        if node.name().rsplit("::", 1)[-1] in _NO_DERIVATIVE:
            parent: Node | None = node.metadata.get("parent_")
            return node if parent is None else parent
    return None


def custom_nodes(losses: Tensor, gradients: Sequence[Tensor | None]) -> tuple[list[Node], list[Node]]:
    """The custom functions, any of which may cut the graph of its gradient without a word.

    Args:
        losses, gradients: with their graphs, taken within :func:`recorded`.
    Returns: those whose backward pass left no trace in the gradients' graph, and the others.
    """
    custom = [node for node in nodes_of([losses]) if is_custom(node)]
    traced = {node.metadata.get("parent_") for node in nodes_of(gradients)}
    return [node for node in custom if node not in traced], [node for node in custom if node in traced]


def node_called(losses: Tensor, operation: str) -> Node | None:
    """The first node of the losses' graph that belongs to an operation an error message named, or None."""
    wanted = _plain(operation)
    return next((node for node in nodes_of([losses]) if _plain(name_of(node)) in wanted), None)


def is_custom(node: Node) -> bool:
    """Whether an operation is a ``torch.autograd.Function`` of someone's own."""
    return isinstance(node, BackwardCFunction)


def operation_in(message: str) -> str | None:
    """The operation that an error message of torch names, or None."""
    found = _QUOTED.search(message)
    return None if found is None else next(group for group in found.groups() if group)


def name_of(node: Node) -> str:
    """The operation of a node, as it is called in code as nearly as torch knows."""
    return re.sub(r"Backward\d*$", "", str(node.name()).rsplit("::", 1)[-1])


def place_of(node: Node) -> str | None:
    """``file:line`` of the innermost call that is neither torch's nor the engine's, or None if not recorded."""
    frames = [found for line in node.metadata.get("traceback_") or () if (found := _FRAME.search(line))]
    for frame in reversed(frames):
        path = frame[1]
        if not path.startswith((_TORCH, _OWN, "<")):
            return f"{Path(path).name}:{frame[2]}"
    return None


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
