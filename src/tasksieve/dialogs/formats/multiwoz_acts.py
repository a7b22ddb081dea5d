"""The acts of MultiWOZ, which in version 2.2 stand in a file of their own, ``dialog_acts.json``.

It lies beside the files of dialogs or one folder up, and holds for each dialog and turn ``{"PMUL0001.json": {"1":
{"dialog_act": {"Restaurant-Request": [["area", "?"]]}, "span_info": [[act, slot, value, start, exclusive end]]}}}``.
The domain before the act's name is dropped, and a slot ``none`` is none. In version 2.1 the same stands beside the
words of each turn, with places counted in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasksieve.dialogs.act import Act, Span
from tasksieve.dialogs.formats.annotations import UNPLACED_VALUE, UNREAD_ACT, UNREAD_PLACE, span_of
from tasksieve.dialogs.formats.journal import Journal, JournalFull
from tasksieve.dialogs.formats.json_text import json_pairs
from tasksieve.errors import UserError

NAME = "dialog_acts.json"
_NONE = "none"
_WITHOUT_VALUE = ("", "?", _NONE)
_ENDING = ".json"
_WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class ActsOfTurn:
    """What the file says of one turn.

    Attributes:
        acts, spans: with their places in the utterance.
        lost: what of it they do not hold, a word each.
    """

    acts: tuple[Act, ...] = ()
    spans: tuple[Span, ...] = ()
    lost: tuple[str, ...] = ()


class ActsBeside:
    """The acts in the file beside one of dialogs, if there is one; it is read when it is first asked.

    Args:
        path: the file of dialogs.
        journal: of that file; told of problems of this one too.
    """

    def __init__(self, path: Path, journal: Journal) -> None:
        folder = path.absolute().parent
        places = (folder / NAME, folder.parent / NAME)
        self._path = next((place for place in places if _is_file(place) and place != path.absolute()), None)
        self._journal = journal
        self._turns: dict[tuple[str, str], ActsOfTurn] | None = None

    def of(self, dialog: object, turn: str) -> ActsOfTurn:
        """What is said of a turn of a dialog of that name; nothing if it is not there."""
        if self._path is None or not isinstance(dialog, str):
            return ActsOfTurn()
        if self._turns is None:
            self._turns = self._read(self._path)
        return self._turns.get((dialog.removesuffix(_ENDING), turn), ActsOfTurn())

    def _read(self, path: Path) -> dict[tuple[str, str], ActsOfTurn]:
        journal = Journal(path, collect=True)
        turns = {}
        try:
            for name, value in json_pairs(path, journal):
                for turn, said in value.items() if isinstance(value, dict) else ():
                    turns[name.removesuffix(_ENDING), turn] = acts_of_turn(said)
        except (UserError, JournalFull, RecursionError) as error:
            journal.problems.append(error if isinstance(error, UserError) else UserError("cannot be read", path))
        for problem in journal.problems[:1]:
            self._journal.refuse(f"the acts beside it cannot be read: {problem}; mend that file, or take it away")
        return turns


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def acts_of_turn(said: Any, words: object = None) -> ActsOfTurn:
    """What ``dialog_act`` and ``span_info`` say of a turn.

    Args:
        said: an object with the two.
        words: of the turn, if places may be counted in them; values are then looked for where they are said to be.
    """
    if not isinstance(said, dict):
        return ActsOfTurn(lost=(UNREAD_ACT,))
    listed, placed = said.get("dialog_act"), said.get("span_info")
    found = [_span(item, words) for item in placed] if isinstance(placed, list) else []
    spans = tuple(span for span in found if span is not None)
    in_place = {span.slot for span in spans}
    acts: list[Act] = []
    lost = [UNREAD_PLACE] * (len(found) - len(spans))
    for name, pairs in listed.items() if isinstance(listed, dict) else ():
        domain, dash, act = name.partition("-")
        lost += ["'domain' of an act"] if dash else []
        for slot, value in _pairs(pairs):
            if slot is None:
                lost.append(UNREAD_ACT)
                continue
            acts.append(Act(act if dash else domain, slot))
            if slot not in in_place and value not in _WITHOUT_VALUE:
                lost.append(UNPLACED_VALUE)
    return ActsOfTurn(tuple(dict.fromkeys(acts)), spans, tuple(lost))


def _pairs(pairs: Any) -> Iterator[tuple[str | None, object]]:
    """Slots with values; without a slot where it is none, None where it is no pair."""
    for pair in pairs if isinstance(pairs, list) else [None]:
        if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str):
            yield "" if pair[0] == _NONE else pair[0], pair[1]
        else:
            yield None, None
    if pairs == []:
        yield "", ""


def _span(item: Any, words: object) -> Span | None:
    if not isinstance(item, list) or len(item) != 5:
        return None
    _, slot, value, start, end = item
    span = span_of(slot, start, end)
    if span is None or not isinstance(words, str) or not isinstance(value, str):
        return span
    return span if words[span.start : span.end].lower() == value.lower() else _nearest(span, value, words)


def _nearest(span: Span, value: str, words: str) -> Span | None:
    """A value where it stands in the words nearest to the one with the number that its place starts with."""
    found = [match.span() for match in re.finditer(rf"(?<!\w){re.escape(value)}(?!\w)", words, re.IGNORECASE)]
    if not value.strip() or not found:
        return None
    start, end = min(found, key=lambda place: abs(len(_WORD.findall(words, 0, place[0])) - span.start))
    return Span(span.slot, start, end)
