"""A dialog put together from single utterances, records and notes, in whatever order a format has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tasksieve.dialogs.act import Act, Span
from tasksieve.dialogs.dialog import SILENCE, Dialog, Turn
from tasksieve.dialogs.formats.annotations import plain_acts, plain_spans, weight_in
from tasksieve.dialogs.formats.journal import Journal, shown
from tasksieve.dialogs.record import Note, Pairs, Record, collected, told, triples

WITHOUT_RESPONSE, WITHOUT_TURN = "turn without a response", "dialog without a turn"
"""Losses, unless the journal is strict."""
BETWEEN = "record or note between utterances of the user in a row, which stands after them there"
"""What is reworded."""
WITHOUT_VALUE = "place of a value that is not in the response"
"""A loss."""
PROFILE_LINE = "profile: "
"""A line that starts with this, before anything else in a dialog, is the profile."""


class Assembly:
    """Collects what is said in one dialog.

    The user's utterance waits for the system's response and becomes a turn with it; a response without one is a
    turn of :data:`~tasksieve.dialogs.SILENCE`. Records and notes stand before the turn that they come up in, which
    says how many of them came after the utterance.

    Args:
        journal: told of what is not text, of empty responses, and of what has no place.
        line: where the dialog starts.

    Attributes:
        turns: how many there are so far.
    """

    def __init__(self, journal: Journal, line: int) -> None:
        self.turns = 0
        self._journal = journal
        self._line = line
        self._events: list[Turn | Record | Note] = []
        self._profile: tuple[str, ...] = ()
        self._waiting: str | None = None
        self._said_at = self._spoken_at = 0  # events when the user began to speak, and when last
        self._refused = False

    def user(self, value: object, place: str, line: int | None = None) -> None:
        """What the user says; ``place`` names it in an error, e.g. ``message 3``."""
        text = self.text(value, place, line)
        if text is None:
            return
        if self._waiting is not None:
            self._journal.lose("break between utterances of the user in a row")
            self._journal.reworded[BETWEEN] += len(self._events) - self._spoken_at
            text = f"{self._waiting}\n{text}".strip()
        else:
            self._said_at = len(self._events)
        self._waiting, self._spoken_at = text, len(self._events)

    def system(
        self,
        value: object,
        place: str,
        line: int | None = None,
        *,
        weight: object = None,
        acts: Iterable[Act] = (),
        spans: Iterable[Span] = (),
        candidates: Iterable[str] = (),
        speaker: str = "system",
    ) -> None:
        """What the system responds; if it is empty, the turn is left out.

        Args:
            value: the response.
            place: names it in an error.
            line: where it stands.
            weight: how much it counts where it is learned from, as the data have it; 1 if they say nothing.
            acts: what the system does in it.
            spans: where values stand in ``value`` as it is, with the white space around it.
            candidates: responses that the data give to choose among.
            speaker: what the data call the system.
        """
        text = self.text(value, place, line)
        try:
            learned = weight_in(weight)
        except ValueError as error:
            self.refuse(f"{place}: {error}", line)
            return
        if text is None:
            return
        if not text:
            if self._journal.strict:
                self.refuse(f"{place} of the {speaker} is empty; expected its response", line)
            else:
                self._journal.lose(WITHOUT_RESPONSE)
            self._waiting = None
            return
        user = SILENCE if self._waiting is None else self._waiting
        given = frozenset(spans)
        places = plain_spans(given, str(value))
        self._journal.lose(WITHOUT_VALUE, len(given) - len(places))
        offered = (self.text(one, f"a candidate of {place}", line) for one in candidates)
        after = 0 if user == SILENCE else len(list(collected(self._events[self._said_at :])))
        turn = Turn(user, text, learned, plain_acts(acts), places, tuple(filter(None, offered)), after)
        if not _is_text("".join([*(act.name + act.slot for act in turn.acts), *(span.slot for span in places)])):
            self.refuse(f"{place}: found a NUL or half a surrogate pair in an act or slot; expected text", line)
        self._events.append(turn)
        self.turns += 1
        self._waiting = None

    def told(self, value: object, place: str, line: int | None = None) -> None:
        """Lines of records (triples or JSON) and prose, each run of it a note; the first may be the profile."""
        prose: list[str] = []
        for text in (self.text(value, place, line) or "").split("\n"):
            event = told(text.strip())
            if text.startswith(PROFILE_LINE) and not (self._events or self._profile or prose):
                self._profile = tuple(text.removeprefix(PROFILE_LINE).split())
            elif isinstance(event, Note):
                prose.append(text)
            else:
                self._note(prose)
                self._add(event, place, line)
        self._note(prose)

    def record(self, kind: object, values: object, place: str, line: int | None = None) -> None:
        """A record; ``values`` is an object as JSON or :func:`~tasksieve.dialogs.record.from_json` has it."""
        if not isinstance(kind, str) or not isinstance(values, (Mapping, Pairs)):
            self.refuse(
                f"{place}: found {shown(values)} of {shown(kind)}; expected an object of names and values", line
            )
            return
        try:
            self._add(values.record(kind) if isinstance(values, Pairs) else Record.of(kind, values), place, line)
        except ValueError as error:
            self.refuse(f"{place}: {error}", line)

    def text(self, value: object, place: str, line: int | None = None) -> str | None:
        """A value as text without white space around it, line ends as ``\\n``; None if it is refused."""
        if not isinstance(value, str):
            self.refuse(f"{place}: found {shown(value)}; expected text", line)
            return None
        if not _is_text(value):
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
            if self._journal.strict:
                self.refuse("this dialog has no turn; expected at least one response of the system")
            else:
                self._journal.lose(WITHOUT_TURN)
            return
        yield Dialog(tuple(collected(self._events)), self._profile, self._line)

    def _note(self, prose: list[str]) -> None:
        """End a run of prose."""
        text = "\n".join(prose).strip()
        prose.clear()
        if text:
            self._events.append(Note(text))

    def _add(self, record: Record, place: str, line: int | None) -> None:
        text = record.text
        if _is_text(text) and not ("\\u0000" in text and _has_nul(record)):
            self._events.append(record)
        else:
            self.refuse(f"{place}: found a NUL or half a surrogate pair in a record; expected text", line)


Context = list[Record | Note]
"""What stands before a turn."""


def turns_with_context(dialog: Dialog) -> Iterator[tuple[Context, Turn | None]]:
    """Each turn with what stands before it; at the end None with what no turn follows, if any.

    The profile stands before the first turn, as a note that :meth:`Assembly.told` knows again.
    """
    context: Context = [Note(PROFILE_LINE + " ".join(dialog.profile))] if dialog.profile else []
    for event in dialog.events:
        if isinstance(event, Turn):
            yield context, event
            context = []
        else:
            context.append(event)
    if context:
        yield context, None


def before_and_after(context: Context, turn: Turn | None) -> tuple[Context, Context]:
    """What stands before a turn in two parts: what came before the user's utterance, and what after it."""
    cut = len(context) - min(len(context), 0 if turn is None else turn.told_after)
    return context[:cut], context[cut:]


def told_text(event: Record | Note) -> str:
    """What :meth:`Assembly.told` reads back: triples, a line of JSON, or the lines of a note."""
    return event.text if isinstance(event, Note) else "\n".join(triples(event) or [event.text])


def told_texts(context: Context) -> list[str]:
    """As few texts as :meth:`Assembly.told` needs to read the events back: a note after a note has its own."""
    texts: list[str] = []
    before: Record | Note | None = None
    for event in context:
        if before is None or (isinstance(before, Note) and isinstance(event, Note)):
            texts.append(told_text(event))
        else:
            texts[-1] += f"\n{told_text(event)}"
        before = event
    return texts


def one_line(text: str) -> str:
    """A text with single spaces for all white space."""
    return " ".join(text.split())


def _has_nul(record: Record) -> bool:
    return any("\0" in path or "\0" in text for path, text in record.flat())


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
