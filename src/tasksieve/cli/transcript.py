"""A replayed dialog for the terminal: who said what, what the system did, and what tools answered."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from rich.text import Text

from tasksieve.dialogs import SILENCE, Note, Record
from tasksieve.training.runs.replay import Replayed

_WIDTH, _MARGIN = 80, 8
_TOLD_LINES = 2


def transcript(turns: Iterable[Replayed]) -> Iterator[Text]:
    """Lines of at most 80 columns; where the dialog's own system did something else, that is said.

    Args:
        turns: of the dialog.
    """
    for turn in turns:
        for event in turn.told:
            yield from _lines("tool", _told(event), "dim", most=_TOLD_LINES)
        if turn.user != SILENCE:
            yield from _lines("user", turn.user, "")
        if turn.answer is None:
            yield from _lines("", f"(nothing that may be said; the desk's agent: {turn.turn.system})", "dim")
            continue
        yield from _lines("bot", f"{turn.answer.text}  [{turn.answer.action}]", "bold")
        if turn.action and turn.action != turn.answer.action:
            yield from _lines("", f"(the desk's agent did: {turn.action})", "yellow")


def _told(event: Record | Note) -> str:
    if isinstance(event, Note):
        return event.text
    return f"{event.kind}: " + ", ".join(f"{path} {value}" for path, value in event.flat())


def _lines(who: str, text: str, style: str, most: int | None = None) -> Iterator[Text]:
    wrapped = textwrap.wrap(text, _WIDTH - _MARGIN, max_lines=most, placeholder=" …") or [""]
    for number, line in enumerate(wrapped):
        speaker = who if number == 0 else ""
        yield Text.assemble((f"{speaker:>{_MARGIN - 2}}  ", "dim"), (line, style))
