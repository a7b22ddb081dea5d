"""Calls of tools among answers: whether the tool is the right one, and whether it is called with the right values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tasksieve.encoding.calls import arguments_of, is_call, tool_of
from tasksieve.encoding.written import Written


@dataclass(frozen=True, slots=True)
class Called:
    """How many calls are as they should be.

    Attributes:
        due: turns at which a tool is to be called.
        right_tool: at how many of them the answer calls that tool.
        right: how many of these calls have every value as it should be, however it is written; but dates as all calls
            of the training dialogs have them, if these have them in one way.
        wrong: the others' arguments that are wrong, missing or too many, and how often; by number where they have no
            name.
    """

    due: int = 0
    right_tool: int = 0
    right: int = 0
    wrong: dict[str, int] = field(default_factory=dict)


def called(answers: Iterable[tuple[str, str | None]], written: Written | None = None) -> Called:
    """Hold answers against what was right.

    Args:
        answers: for each turn the right response, and the answer; None for none.
        written: how values are written in calls.
    """
    written = written or Written()
    due = right_tool = right = 0
    wrong: Counter[str] = Counter()
    for said, answer in answers:
        if not is_call(said):
            continue
        due += 1
        if answer is None or not is_call(answer) or tool_of(answer) != tool_of(said):
            continue
        right_tool += 1
        missed = _missed(said, answer, written)
        wrong.update(missed)
        right += not missed
    return Called(due, right_tool, right, dict(wrong.most_common()))


def _missed(said: str, answer: str, written: Written) -> list[str]:
    """The arguments that are not the same in two calls."""
    one, other = _values(said), _values(answer)
    return [name for name in {**one, **other} if not written.is_as(name, one.get(name, ""), other.get(name, ""))]


def _values(call: str) -> dict[str, str]:
    """The values of a call by name: several of one name are numbered, as are all of those without one."""
    found: dict[str, str] = {}
    times: Counter[str] = Counter()
    for given in arguments_of(call):
        times[given.key] += 1
        name = given.key if given.key and times[given.key] == 1 else f"{given.key} {times[given.key]}".strip()
        found[name] = given.text
    return found
