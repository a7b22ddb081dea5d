"""A value that somebody but a record told in a conversation."""

from __future__ import annotations

from dataclasses import dataclass

from tasksieve.encoding.values import Kind


@dataclass(frozen=True, slots=True)
class Heard:
    """A value that somebody but a record told.

    Attributes:
        kind, text: of the value.
        before: the words before it, those of the question that it answers among them.
        time: larger for what was said later.
        sure: whether a name is one for certain.
        denied: whether it was taken back in the same breath, as by "not 700112": it is not what is meant.
    """

    kind: Kind
    text: str
    before: frozenset[str]
    time: int
    sure: bool = True
    denied: bool = False
