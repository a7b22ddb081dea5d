"""Acts, the places of values and weights as files have them beside a response: as text, or as values of JSON."""

from __future__ import annotations

import bisect
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from tasksieve.dialogs.act import Act, Span, acts_of, acts_text, are_acts
from tasksieve.dialogs.dialog import Turn
from tasksieve.dialogs.formats.journal import Journal, shown

UNREAD_ACT = "act that could not be read"
UNREAD_PLACE = "place of a value that could not be read"
UNPLACED_VALUE = "value of an act without a place in the response"
"""Losses."""

ACTION, SLOTS, WEIGHT = "action", "slots", "weight"
"""The keys beside a response in formats that have none of their own."""
MOST_WEIGHT = 1e6

_NAMES = ("act", "intent", "name")
_ONE = re.compile(r"([^()]+)(?:\(([^()]*)\)\s*)?")


def act_in(value: object) -> Act | None:
    """One act: ``request(city)``, or an object with ``act`` (or ``intent``, ``name``) and maybe ``slot``.

    Returns: None if it is neither.
    """
    if isinstance(value, str):
        match = _ONE.fullmatch(value)
        return _act(match[1], match[2]) if match else None
    if not isinstance(value, Mapping):
        return None
    return _act(next((value[key] for key in _NAMES if key in value), None), value.get("slot"))


def acts_in(value: object) -> tuple[Act, ...] | None:
    """Acts in one line or as a list of single ones, which may itself be a text; None if it is no such thing.

    >>> acts_in('request(city), goodbye') == acts_in([{"act": "REQUEST", "slot": "city"}, "goodbye"])
    True
    """
    if isinstance(value, str):
        listed = acts_in(_list(value)) if value.lstrip().startswith("[") else None
        if listed is not None:
            return listed
        return plain_acts(acts_of(value)) if are_acts(value) else None
    found = [act_in(item) for item in value] if isinstance(value, list) else [None]
    acts = [act for act in found if act is not None]
    return plain_acts(acts) if len(acts) == len(found) else None


def acts_written(acts: tuple[Act, ...]) -> str | list[dict[str, str]]:
    """What :func:`acts_in` reads back: a line, or objects where a name has a space or bracket in it."""
    line = acts_text(acts)
    return line if acts_in(line) == acts else _objects(acts)


def acts_line(acts: tuple[Act, ...]) -> str:
    """The same as a text, with JSON for the objects; empty if there are no acts."""
    written = acts_written(acts)
    return written if isinstance(written, str) else acts_json(acts)


def acts_json(acts: Iterable[Act]) -> str:
    """Acts as a list of objects in JSON, in one line."""
    return json.dumps(_objects(acts), ensure_ascii=False)


def span_in(value: object) -> Span | None:
    """A place from an object with ``slot``, ``start`` and ``exclusive_end`` (or ``end``); None if it is none."""
    if not isinstance(value, Mapping):
        return None
    slot, start, end = (value.get(key) for key in ("slot", "start", "exclusive_end"))
    return span_of(slot, start, value.get("end") if end is None else end)


def span_of(slot: object, start: object, end: object) -> Span | None:
    """A place of that slot from whole numbers; None if they are none."""
    if isinstance(slot, str) and type(start) is int and type(end) is int:
        return Span(slot, start, end)
    return None


def spans_in(value: object) -> tuple[Span, ...] | None:
    """Places from a list of objects; None if it is no such list."""
    found = [span_in(item) for item in value] if isinstance(value, list) else [None]
    spans = [span for span in found if span is not None]
    return tuple(spans) if len(spans) == len(found) else None


def spans_written(spans: Iterable[Span]) -> list[dict[str, Any]]:
    """What :func:`spans_in` reads back."""
    return [{"slot": span.slot, "start": span.start, "exclusive_end": span.end} for span in spans]


def annotations_of(
    message: Mapping[str, Any], owner: str, journal: Journal
) -> tuple[tuple[Act, ...], tuple[Span, ...]]:
    """The acts and places beside a response, which the journal is told of if they are no such thing.

    Args:
        message: that the response stands in.
        owner: the name of what it is, e.g. ``a message``.
        journal: of its file.
    """
    acts, spans = acts_in(message.get(ACTION) or ""), spans_in(message.get(SLOTS) or [])
    journal.lose(f"'{ACTION}' of {owner}", int(acts is None))
    journal.lose(f"'{SLOTS}' of {owner}", int(spans is None))
    return acts or (), spans or ()


def annotations_written(turn: Turn) -> dict[str, Any]:
    """What :func:`annotations_of` and :func:`weight_in` read back."""
    written: dict[str, Any] = {ACTION: acts_written(turn.acts)} if turn.acts else {}
    written |= {SLOTS: spans_written(turn.spans)} if turn.spans else {}
    return written | {WEIGHT: plain_weight(turn.learned)} if turn.learned != 1 else written


def weight_in(value: object) -> float:
    """How much a response counts, from a number beside it; 1 if there is none.

    Raises: ValueError: if it is no number from 0 to :data:`MOST_WEIGHT`; the message says what was found.
    """
    if value is None:
        return 1.0
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 <= value <= MOST_WEIGHT:  # type: ignore[operator]
        raise ValueError(f"found weight {shown(value)}; expected a number from 0 to {MOST_WEIGHT:,.0f}")
    return float(value)  # type: ignore[arg-type]


def weight_told(text: str) -> object:
    """What :func:`weight_in` takes, from a text; None for an empty one, and a text that is no number as it is."""
    try:
        return float(text) if text.strip() else None
    except ValueError:
        return text


def weight_line(turn: Turn) -> str:
    """The weight of a response as a text; empty if it is 1."""
    return "" if turn.learned == 1 else str(plain_weight(turn.learned))


def plain_weight(weight: float) -> float:
    """A weight as it is written: whole numbers without a decimal point, as services that know 0 and 1 expect."""
    return int(weight) if weight == int(weight) else weight


def plain_acts(acts: Iterable[Act]) -> tuple[Act, ...]:
    """Acts with names in lower case and single spaces for white space, each once; without a name none."""
    plain = (Act(_one_line(act.name).lower(), _one_line(act.slot)) for act in acts)
    return tuple(dict.fromkeys(act for act in plain if act.name))


def plain_spans(spans: Iterable[Span], said: str) -> tuple[Span, ...]:
    """The places in a response as it is read, in their order; those with nothing in them are left out.

    Args:
        spans: places in what is said.
        said: as it stands in the file, with white space around it and line ends of any kind.
    """
    breaks = [match.start() for match in re.finditer("\r\n", said)]
    whole = said.replace("\r\n", "\n")
    response = whole.strip()
    before = len(whole) - len(whole.lstrip())

    def place(at: int) -> int:
        return min(max(0, at - bisect.bisect_left(breaks, at - 1) - before), len(response))

    inside = (span for span in spans if 0 <= span.start < span.end <= len(said))
    moved = {Span(_one_line(span.slot), place(span.start), place(span.end)) for span in inside}
    filled = (span for span in moved if response[span.start : span.end].strip())
    return tuple(sorted(filled, key=lambda span: (span.start, span.end, span.slot)))


def _objects(acts: Iterable[Act]) -> list[dict[str, str]]:
    return [{"act": act.name, "slot": act.slot} for act in acts]


def _act(name: object, slot: object) -> Act | None:
    if not isinstance(name, str) or not name.strip() or not isinstance(slot, (str, type(None))):
        return None
    return Act(_one_line(name).lower(), _one_line(slot or ""))


def _list(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _one_line(text: str) -> str:
    return " ".join(text.split())
