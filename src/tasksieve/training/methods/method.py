"""What a method is: which updates it makes, with which heads and weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tasksieve.errors import UserError

Update = Literal["primary", "related", "pooled", "weights"]
"""Updates of an iteration: steps 1, 2 and 3 of the algorithm, or one on a batch of all tasks' examples together."""

Weighting = Literal[
    "ones", "random-fixed", "random-changing", "labels", "learned", "learned-from-loss", "look-ahead", "cosine"
]


@dataclass(frozen=True, slots=True)
class Method:
    """A way of using related data.

    Attributes:
        name: as given on the command line.
        summary: one line for help pages.
        updates: what an iteration does, in this order.
        weighting: where the related examples' weights come from: ``ones``, ``random-fixed``, ``random-changing``,
            ``labels``; a weight module: ``learned`` from the examples, or ``learned-from-loss``; or the gradients of
            the moment: ``look-ahead`` or ``cosine``.
        heads: ``per-task`` for one head a task on a shared body, ``one`` for a single head over all candidates.
        pretrain: updates of the iterations that come before, if any.
        paper: the row's name in the paper's tables, if it is one of them.
        reference: for a rival's method, where it is from.
    """

    name: str
    summary: str
    updates: tuple[Update, ...]
    weighting: Weighting = "ones"
    heads: Literal["per-task", "one"] = "per-task"
    pretrain: tuple[Update, ...] = ()
    paper: str = ""
    reference: str = ""

    @property
    def learns_weights(self) -> bool:
        """Whether there is a weight module."""
        return self.weighting in ("learned", "learned-from-loss")

    @property
    def borrows(self) -> bool:
        """Whether the method learns from related data at all."""
        return self.updates != ("primary",) or bool(self.pretrain)

    def require(self, *, related: bool, labels: bool) -> None:
        """Check that there is what the method needs.

        Args:
            related: whether there is a related task.
            labels: whether it is known which related examples are right.
        Raises: UserError: saying what is missing.
        """
        if self.borrows and not related:
            raise UserError(f"method '{self.name}' borrows; give at least one --related file")
        if self.weighting == "labels" and not labels:
            raise UserError(f"method '{self.name}' needs labels of the related examples; give --labels")


METHODS: dict[str, Method] = {}
"""All methods by name."""


def register(method: Method) -> Method:
    """Make a method known by its name."""
    METHODS[method.name] = method
    return method


def method_named(name: str) -> Method:
    """Find a method.

    Raises: UserError: if there is none of this name; the message lists all.
    """
    if name not in METHODS:
        raise UserError(f"unknown method '{name}'; known: {', '.join(METHODS)}")
    return METHODS[name]
