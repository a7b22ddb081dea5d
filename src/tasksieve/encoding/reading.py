"""What is read of a dialog, once: what is said with placeholders for names, what is remembered, who is known.

A record is remembered once anything that identifies it was mentioned, and for the turn at which it has just come, as
a tool's answer to that turn, led by a line that counts what came. Triples before the first turn are a knowledge base
and no answer: they wait until they are mentioned. What identifies a record is a name
(:mod:`tasksieve.encoding.names`); where its kind has none, any value that no other record of its kind in the dialog
has. A note is remembered from when it comes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tasksieve.dialogs import Dialog, Note, Record, Turn
from tasksieve.dialogs.record import KNOWLEDGE_BASE, NAME
from tasksieve.encoding.entities import KnownEntities
from tasksieve.encoding.held import Held
from tasksieve.encoding.kinds import action_of
from tasksieve.encoding.names import Names, fields_of
from tasksieve.encoding.slot_evidence import digest
from tasksieve.encoding.slots import Slots
from tasksieve.encoding.sources import Gapped
from tasksieve.encoding.state import DialogState
from tasksieve.encoding.waiting import Identity, Waiting
from tasksieve.records.model_config import SLOT_ACTS, Facts, Predicted

USER, SYSTEM, FACT, PROFILE = "<user>", "<system>", "<fact>", "<profile>"
STATE, ACTION, RESULT = "<state>", "<action>", "<result>"
"""Words that tell who speaks, or what is told; one is put before every memory."""


@dataclass(frozen=True, slots=True)
class Line:
    """A memory: as the model sees it, with placeholders, and as it was."""

    seen: str
    original: str


@dataclass(frozen=True, slots=True)
class ReadTurn:
    """One turn, as it stands when its response is due.

    Attributes:
        said: the turn.
        user: the utterance with placeholders for names.
        response: what is predicted: the action; or the response with gaps for the entity it names and for values that
            come from the dialog, as far as filling them gives it back.
        entity: the number of that entity among those known, -1 for none.
        descriptions: the words that describe each entity known now.
        remembered: how many of the dialog's lines are remembered now.
        fresh: lines of what has just come and is remembered for this turn alone.
        action: the action, if that is predicted; else empty.
        learned: how much it counts where it is learned from; 0 if the data keep from it, or do not say what is
            predicted.
        gapped: the response with its gaps, whatever is predicted; None if it was read without slots.
    """

    said: Turn
    user: str
    response: str
    entity: int
    descriptions: tuple[tuple[str, ...], ...]
    remembered: int
    fresh: tuple[Line, ...] = ()
    learned: float = 1.0
    action: str = ""
    gapped: Gapped | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A dialog as it was read.

    Attributes:
        lines: what is remembered at its end, oldest first.
        turns: its turns.
        entities: those that it knows at its end.
        held: what it holds at its end.
        given: how many facts its records and notes hold: fields that say something, and notes.
        seen: how many of them were remembered at any turn, or describe an entity that responses may name.
    """

    lines: tuple[Line, ...]
    turns: tuple[ReadTurn, ...]
    entities: KnownEntities
    held: Held
    given: int
    seen: int

    @property
    def learned(self) -> tuple[ReadTurn, ...]:
        """The turns whose responses are to be learned from."""
        return tuple(turn for turn in self.turns if turn.learned)

    def memory(self, turn: ReadTurn) -> tuple[Line, ...]:
        """All that is remembered when the response of a turn is due, oldest first; what is fresh counts as oldest.

        A memory that is too long loses its oldest lines, and what was said is worth more than a long answer.
        """
        return (*turn.fresh, *self.lines[: turn.remembered])


@dataclass(frozen=True, slots=True)
class Reader:
    """How dialogs are read.

    Attributes:
        facts: which facts are memories.
        names: which fields of records give names; None takes responses and memories as they are.
        predict: what is predicted. If it is actions, the system's own earlier ones are remembered, and at each turn
            the state of the dialog (:mod:`tasksieve.encoding.state`).
        slot_acts: the acts whose slot is part of an action.
        slots: the gaps for values that come from the dialog; None takes these as they are.
        written: whether memories and utterances are as they were written; else names in them are placeholders.
    """

    facts: Facts = "needed"
    names: Names | None = None
    predict: Predicted = "responses"
    slot_acts: tuple[str, ...] = SLOT_ACTS
    slots: Slots | None = None
    written: bool = False

    def read(self, dialogs: Iterable[Dialog]) -> list[Reading]:
        """Read dialogs one by one."""
        return [self.read_one(dialog) for dialog in dialogs]

    def read_one(self, dialog: Dialog) -> Reading:
        """Go through a dialog once."""
        return _Pass(self, dialog).reading()


class _Pass:
    """One walk through one dialog."""

    def __init__(self, reader: Reader, dialog: Dialog) -> None:
        self._reader = reader
        self._facts, self._named = reader.facts, reader.names is not None
        self._names = reader.names or Names()
        self._dialog = dialog
        self._entities = KnownEntities(self._names, dialog.profile)
        self._held = Held()
        self._held.profile(dialog.profile)
        self._lines: list[Line] = []
        self._turns: list[ReadTurn] = []
        self._records: dict[Record, int] = {}
        self._sentences: list[list[str]] = []
        self._waiting, self._fresh = Waiting(), dict[int, None]()
        self._kept: set[int] = set()
        self._seen: set[int] = set()
        self._came, self._told, self._state = Counter[str](), dict[str, None](), DialogState()
        self._notes = 0

    def reading(self) -> Reading:
        if self._dialog.profile:
            self._remember(PROFILE, " ".join(self._dialog.profile))
        for event in self._dialog.events:
            if isinstance(event, Turn):
                self._turn(event)
            elif isinstance(event, Note):
                self._note(event)
            else:
                self._record(event)
        given = self._notes + sum(map(len, self._sentences))
        seen = sum(len(self._sentences[number]) for number in self._seen)
        seen += self._notes if self._facts != "none" else 0
        return Reading(tuple(self._lines), tuple(self._turns), self._entities, self._held, given, seen)

    def _turn(self, turn: Turn) -> None:
        self._recall(turn.user)
        self._entities.hear(turn.user)
        if self._reader.slots is not None:
            self._held.hear(turn.user)
        action = action_of(turn.acts, self._reader.slot_acts) if self._reader.predict == "actions" else ""
        gapped = self._gapped(turn)
        response, entity = (action, -1) if action else self._template(turn, gapped)
        learned = float(turn.learned) if action or self._reader.predict == "responses" else 0.0
        user = self._seen_as(turn.user)
        fresh = tuple(self._at_hand(turn))
        known = () if action else self._entities.descriptions()
        self._turns.append(
            ReadTurn(turn, user, response, entity, known, len(self._lines), fresh, learned, action, gapped)
        )
        self._remember(USER, turn.user)
        self._remember(SYSTEM, turn.system)
        if action:
            self._state.act(action)
            self._lines.append(Line(f"{ACTION} {action}", f"{ACTION} {action}"))
        self._entities.name(turn.system)
        if self._reader.slots is not None:
            self._held.answer(turn.system)
        self._recall(turn.system)

    def _gapped(self, turn: Turn) -> Gapped | None:
        slots = self._reader.slots
        return None if slots is None else slots.template(turn.system, turn.spans, self._held, self._entities)

    def _template(self, turn: Turn, gapped: Gapped | None) -> tuple[str, int]:
        if gapped is None or not self._named:
            return self._entities.template(turn.system)
        return gapped.text, gapped.entity

    def _note(self, note: Note) -> None:
        self._notes += 1
        slots = self._reader.slots
        if slots is not None:
            self._held.note(note.text, fills=digest(note) not in slots.shared)
        if self._facts != "none":
            self._remember(FACT, note.text)

    def _record(self, record: Record) -> None:
        if record.kind != KNOWLEDGE_BASE:
            self._came[record.kind] += bool(record.fields)
            self._told |= dict.fromkeys(path for path, _ in record.flat())
        if not record.fields:  # a tool that found nothing
            return
        number = self._records.setdefault(record, len(self._records))
        entity = self._entities.learn(record) if self._named else None
        if entity is not None:
            self._seen.add(number)
        if self._reader.slots is not None:
            self._held.tell(record, -1 if entity is None else entity)
        known = number < len(self._sentences)
        if not known:
            self._sentences.append(list(self._facts_of(record)))
        if self._facts == "all":
            self._keep(number)
        elif self._facts in ("mentioned", "needed"):
            if not known:
                self._waiting.add(number, self._identity(record))
            if self._waiting.mentioned(number):
                self._keep(number)
            elif self._facts == "needed" and (self._turns or record.kind != KNOWLEDGE_BASE):
                self._fresh[number] = None

    def _identity(self, record: Record) -> Identity:
        fields = fields_of(record)
        names = [value for path, value in fields if self._is_name(record.kind, path)]
        return Identity(record.kind, bool(names), names or [value for _, value in fields])

    def _is_name(self, kind: str, path: str) -> bool:
        return self._names.gap_of(kind, path) is not None or (kind, path) == (KNOWLEDGE_BASE, NAME)

    def _facts_of(self, record: Record) -> Iterable[str]:
        """A sentence for each field, led by what names the record, or by its kind."""
        fields = list(record.flat())
        paths = self._names.fields.get(record.kind) or ((NAME,) if record.kind == KNOWLEDGE_BASE else ())
        first = next((n for n, (path, _) in enumerate(fields) if path.lower() in paths[:1]), None)
        subject = record.kind if first is None else fields[first][1]
        others = [f"{path} {value}" for number, (path, value) in enumerate(fields) if number != first]
        return (f"{subject} {other}".strip() for other in others or [""])

    def _at_hand(self, turn: Turn) -> Iterable[Line]:
        """What is remembered for this turn alone: the state if actions are predicted, and what has just come."""
        if self._reader.predict == "actions":
            self._state.hear(turn.user)
            state = f"{STATE} {self._state.words(self._came, self._told)}"
            yield Line(state, state)
        yield from self._just_come()

    def _just_come(self) -> Iterable[Line]:
        """How many records of each kind came since the last turn, and lines of those that are not remembered."""
        if self._facts in ("needed", "all"):
            yield from (self._line(RESULT, f"{kind} {count}".strip()) for kind, count in self._came.items())
        self._came.clear()
        self._told.clear()
        for number in self._fresh:
            if not self._waiting.mentioned(number):
                self._seen.add(number)
                yield from (self._line(FACT, fact) for fact in self._sentences[number])
        self._fresh.clear()

    def _recall(self, sentence: str) -> None:
        for number in self._waiting.hear(sentence):
            self._keep(number)

    def _keep(self, number: int) -> None:
        """Remember a record from now on, once."""
        if number in self._kept:
            return
        self._kept.add(number)
        self._seen.add(number)
        for fact in self._sentences[number]:
            self._remember(FACT, fact)

    def _remember(self, speaker: str, text: str) -> None:
        self._lines.append(self._line(speaker, text))

    def _line(self, speaker: str, text: str) -> Line:
        return Line(f"{speaker} {self._seen_as(text)}", f"{speaker} {text}")

    def _seen_as(self, text: str) -> str:
        return text if self._reader.written else self._entities.replaced(text)
