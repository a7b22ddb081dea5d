"""A dialog put together from single utterances and facts, in whatever order a format has them."""

from __future__ import annotations

from collections.abc import Iterator

from tasksieve.dialogs.dialog import SILENCE, Dialog, Fact, Turn
from tasksieve.dialogs.formats.journal import Journal, shown

PROFILE_LINE = "profile: "
"""A fact that starts with this, before anything else in a dialog, is the profile."""


class Assembly:
    """Collects what is said in one dialog.

    The user's utterance waits for the system's response and becomes a turn with it; a response without one is a
    turn of :data:`~tasksieve.dialogs.SILENCE`. Facts stand before the turn that they come up in.

    Args:
        journal: told of what is not text, of an empty response, and of what has no place.
        line: where the dialog starts.
    """

    def __init__(self, journal: Journal, line: int) -> None:
        self._journal = journal
        self._line = line
        self._events: list[Turn | Fact] = []
        self._profile: tuple[str, ...] = ()
        self._waiting: str | None = None
        self._refused = False

    def user(self, value: object, place: str, line: int | None = None) -> None:
        """What the user says; ``place`` names it in an error, e.g. ``message 3``."""
        text = self.text(value, place, line)
        if text is None:
            return
        if self._waiting is not None:
            self._journal.lose("break between utterances of the user in a row")
            text = f"{self._waiting}\n{text}".strip()
        self._waiting = text

    def system(self, value: object, place: str, line: int | None = None) -> None:
        """What the system responds; it must not be empty."""
        text = self.text(value, place, line)
        if text is None:
            return
        if not text:
            self.refuse(f"{place} of the system is empty; expected its response", line)
            return
        self._events.append(Turn(SILENCE if self._waiting is None else self._waiting, text))
        self._waiting = None

    def facts(self, value: object, place: str, line: int | None = None) -> None:
        """Facts, one a line; the first may be the profile."""
        for text in (self.text(value, place, line) or "").split("\n"):
            if text.startswith(PROFILE_LINE) and not (self._events or self._profile):
                self._profile = tuple(text.removeprefix(PROFILE_LINE).split())
            elif text.strip():
                self._events.append(Fact(text.strip()))

    def text(self, value: object, place: str, line: int | None = None) -> str | None:
        """A value as text without white space around it, line ends as ``\\n``; None if it is refused."""
        if not isinstance(value, str):
            self.refuse(f"{place}: found {shown(value)}; expected text", line)
            return None
        if "\0" in value or not _is_unicode(value):
            self.refuse(f"{place}: found a NUL or half a surrogate pair; expected text", line)
            return None
        return value.replace("\r\n", "\n").replace("\r", "\n").strip()

    def refuse(self, message: str, line: int | None = None) -> None:
        """Pass a problem on to the journal."""
        self._refused = True
        self._journal.refuse(message, line or self._line)

    def dialog(self) -> Iterator[Dialog]:
        """The dialog, if there is one: nothing comes after something was refused."""
        if self._waiting is not None:
            self._journal.lose("utterance of the user without a response at the end")
        if self._refused:
            return
        if not any(isinstance(event, Turn) for event in self._events):
            self.refuse("this dialog has no turn; expected at least one response of the system")
            return
        yield Dialog(tuple(self._events), self._profile, self._line)


def fact_lines(dialog: Dialog, facts: list[Fact], *, first: bool) -> list[str]:
    """Facts as lines, led by the profile if they are the first in their dialog: what :meth:`Assembly.facts` reads."""
    profile = [PROFILE_LINE + " ".join(dialog.profile)] if first and dialog.profile else []
    return profile + [fact.text for fact in facts]


def turns_with_facts(dialog: Dialog) -> Iterator[tuple[list[str], Turn | None]]:
    """Each turn with the lines of facts before it; at the end None with facts that no turn follows, if any."""
    facts: list[Fact] = []
    first = True
    for event in dialog.events:
        if isinstance(event, Fact):
            facts.append(event)
            continue
        yield fact_lines(dialog, facts, first=first), event
        facts, first = [], False
    if facts:
        yield fact_lines(dialog, facts, first=first), None


def one_line(text: str) -> str:
    """A text with single spaces for all white space."""
    return " ".join(text.split())


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
