"""Calls of tools among answers: whether the right tools are called, and whether with the right values.

The calls of one turn are a set: their order counts for nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tasksieve.encoding.calls import arguments_of, tool_of
from tasksieve.encoding.written import Written
from tasksieve.training.runs.tool_calls import calls_in


@dataclass(frozen=True, slots=True)
class Called:
    """How many turns call tools as they should.

    Attributes:
        due: turns at which tools are to be called.
        right_tool: at how many of them the answer calls those tools, each as often, and no others.
        right: at how many of these every value is as it should be, however it is written; but dates as all calls of
            the training dialogs have them, if these have them in one way.
        wrong: the others' arguments that are wrong, missing or too many, and how often; by number where they have no
            name.
        missing, extra: at the turns whose answer calls one of the tools due, how often another one that is due is not
            called, and one is called that is not due or too often.
    """

    due: int = 0
    right_tool: int = 0
    right: int = 0
    wrong: dict[str, int] = field(default_factory=dict)
    missing: int = 0
    extra: int = 0


def called(answers: Iterable[tuple[str, str | None]], written: Written | None = None) -> Called:
    """Hold answers against what was right.

    Args:
        answers: for each turn the right response, and the answer; None for none.
        written: how values are written in calls.
    """
    written = written or Written()
    due = right_tool = right = missing = extra = 0
    wrong: Counter[str] = Counter()
    for said, answer in answers:
        meant, made = calls_in(said), calls_in(answer or "")
        if not meant:
            continue
        due += 1
        tools, others = _tools(meant), _tools(made)
        if tools != others:
            if tools & others:
                missing, extra = missing + (tools - others).total(), extra + (others - tools).total()
            continue
        right_tool += 1
        missed = [name for tool in tools for name in _missed(_of(meant, tool), _of(made, tool), written)]
        wrong.update(missed)
        right += not missed
    return Called(due, right_tool, right, dict(wrong.most_common()), missing, extra)


def rightly_called(said: str, answer: str | None, written: Written | None = None) -> bool:
    """Whether an answer calls what the right response calls, with every value as it should be."""
    return called([(said, answer)], written).right == 1


def _tools(calls: Iterable[str]) -> Counter[str]:
    return Counter(map(tool_of, calls))


def _of(calls: Iterable[str], tool: str) -> list[dict[str, str]]:
    return [_values(call) for call in calls if tool_of(call) == tool]


def _missed(meant: Sequence[dict[str, str]], made: Sequence[dict[str, str]], written: Written) -> list[str]:
    """The arguments that are not the same in calls of one tool, each held against the nearest that is left."""
    left, missed = list(made), list[str]()
    for one in sorted(meant, key=lambda one: min(len(_apart(one, other, written)) for other in made)):
        nearest = min(left, key=lambda other: len(_apart(one, other, written)))
        left.remove(nearest)
        missed += _apart(one, nearest, written)
    return missed


def _apart(one: dict[str, str], other: dict[str, str], written: Written) -> list[str]:
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
