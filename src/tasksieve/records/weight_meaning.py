"""What a weight means, which depends on whether related tasks had a head of their own when it was learned."""

from __future__ import annotations

from tasksieve.records.config import Heads

HEADS = "heads"
"""The column of a table of weights that says it."""

_MEANINGS: dict[Heads, str] = {
    "own": "learning the response helps what both tasks share, while the related task has a head of its own",
    "shared": "learning the response helps a model that has one head for all tasks, as a language model has",
}


def meaning(heads: Heads) -> str:
    """A sentence, without its full stop, on a weight learned with heads of their own, or a shared one."""
    return _MEANINGS[heads]


def scale(drawn: bool) -> str:
    """How large a weight has to be, as a sentence without its full stop.

    Args:
        drawn: whether examples are drawn by their weights, and not multiplied by them.
    """
    if drawn:
        return "what counts is how weights compare: examples of a higher one are drawn more often, however far from 1"
    return "near 1 an example is borrowed in full, near 0 it is left out"


def refusal(tool: str) -> str:
    """Why weights that were learned with heads of their own are not for a tool that has one head."""
    return (
        f"these weights say that {meaning('own')}, and {tool} has one head, which would learn old policies too; "
        "learn weights with --set training.heads=shared, or by tasksieve sieve"
    )


def warning() -> str:
    """What to know of weights that were learned with heads of their own, where one head may learn by them."""
    return (
        f"these weights say that {meaning('own')}; a language model has one head and would learn old policies too: "
        "for fine-tuning, learn weights with --set training.heads=shared"
    )
