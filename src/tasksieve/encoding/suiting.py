"""What the user said that suits a gap: by its form, by the words around it, the latest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from tasksieve.encoding.calls import is_call
from tasksieve.encoding.gap_types import GapType
from tasksieve.encoding.german import ENDINGS
from tasksieve.encoding.heard import Heard
from tasksieve.encoding.held import Held
from tasksieve.encoding.newest import Newest
from tasksieve.encoding.phrases import Phrases
from tasksieve.encoding.sources import echoes
from tasksieve.encoding.taken_back import corrects
from tasksieve.encoding.told import part_of, parted
from tasksieve.encoding.values import KINDS, Kind, alike

_SHORTEST = 3
_FEW = 1
_BEFORE_ANY_DATE = frozenset(["on", "am", "the", "den", "dem", "der"])
"""Words before a date that do not tell which one it is."""


@dataclass(frozen=True, slots=True)
class Suiting:
    """What gaps stand for.

    Attributes:
        kinds: of what forms the values of each gap's name are.
        known: values that are told by no form, to be looked for, by the gap's name.
        newest: what numbers that fill a gap look like.
    """

    kinds: Mapping[str, Sequence[Kind]]
    known: Mapping[str, Phrases[str]]
    newest: Newest

    def best(
        self,
        base: str,
        held: Held,
        before: frozenset[str],
        used: Iterable[str],
        since: int,
        kind: GapType | None,
        called: str = "",
        call: bool = False,
    ) -> str | None:
        """What the user said that suits a gap best; None if nothing does.

        Args:
            base: the name of the gap.
            held: what the conversation holds.
            before: the words before the gap.
            used: what fills others.
            since: it was said after so many utterances.
            kind: the type of the gap; None if it has none.
            called: what the tool was called with before, in whose place it is; empty for nothing.
            call: whether the gap stands in the call of a tool; others take no number of one digit.
        """
        used = tuple(used)
        best: tuple[tuple[int, int, int], str] | None = None
        for number, (heard, bonus) in enumerate(self._suiting(base, held, digits=call)):
            if heard.time <= since or any(alike(heard.text, value) for value in used):
                continue
            if kind is not None and not kind.takes(heard.text, heard.kind, spoken=heard.time > 0):
                continue
            if called and (alike(called, heard.text) or not self.newest.replaces(base, called, heard.text)):
                continue
            before_both = before & heard.before
            if heard.kind == "date":
                before_both -= _BEFORE_ANY_DATE
            around = 0 if heard.kind == "email" else len(before_both)  # a second address mends the first
            rank = (around + bonus, heard.time, number)
            if best is None or rank > best[0]:
                best = rank, heard.text
        return None if best is None else best[1]

    def again(self, base: str, held: Held, kind: GapType, used: Iterable[str] = ()) -> str | None:
        """What the user said that suits a gap and stood in what the system said last; None if nothing does.

        Values known of the gap come first, then the longest; what fills others is none.
        """
        used = tuple(used)
        said = (
            (bonus, len(heard.text), heard.text)
            for heard, bonus in self._suiting(base, held)
            if kind.takes(heard.text, heard.kind, spoken=heard.time > 0)
            and echoes(held, heard.text)
            and not any(alike(heard.text, value) for value in used)
        )
        return max(said, default=(0, 0, None))[2]

    def is_new(self, base: str, held: Held, kind: GapType) -> bool:
        """Whether the user has just said something that suits a gap and that the system had not said before."""
        now = held.sentences[-1][2] if held.sentences else 0
        return any(
            heard.time == now > 0
            and kind.takes(heard.text, heard.kind, spoken=heard.time > 0)
            and not echoes(held, heard.text)
            for heard, _ in self._suiting(base, held)
        )

    def _suiting(self, base: str, held: Held, *, digits: bool = False) -> Iterable[tuple[Heard, int]]:
        """What the user said that a gap may stand for, each with how well it is known to.

        What records hold in other fields is none of it: a hotel's name is no city; nor is what the user took back.
        Numbers of one digit are some of it only where such a number filled the gap in training.
        """
        root, part = parted(base)
        kinds = self.kinds.get(base, ())
        written = self.newest.written
        small = digits and base in written.numbers and written.numbers[base].least <= _FEW
        for heard in (*held.heard, *(held.digits if small else ())):
            suits = heard.kind != "number" or written.may_be(base, heard.text, date="date" in kinds)
            if heard.kind in kinds and suits and not held.is_denied(heard.text) and (heard.sure or root != "name"):
                text = part_of(heard.text, part) if part else heard.text
                if text and not _is_of_another_field(base, heard.text, held):
                    yield replace(heard, text=text), 0
        phrases = self.known.get(base)
        for phrase, asked, time in held.sentences if phrases is not None else ():
            words = [] if phrases is None else [_uninflected(word, phrases) for word in phrase]
            found = [] if phrases is None else list(phrases.find(words))
            for (start, end, value), later in zip_longest(found, found[1:]):
                if later is None or not corrects(phrase[end : later[0]]):
                    before = asked | frozenset(phrase[max(0, start - 4) : start])
                    yield Heard("text", value, before, time), 1


def said_again(
    base: str,
    kind: GapType | None,
    held: Held,
    suiting: Suiting,
    recorded: str | None = None,
    used: Iterable[str] = (),
) -> str | None:
    """What fills a gap that says again what the system said last.

    Args:
        base, kind: the name and the type of the gap.
        held: what the conversation holds.
        suiting: what the user said that fills gaps.
        recorded: what the record says that is spoken of; None for nothing.
        used: what fills others.
    Returns: None if nothing is; an empty text if something has to be, and the call just before had other arguments.
    """
    if kind is not None and kind.called and is_call(held.last):
        just_made = held.calls.just_made()
        return next((values[0] for argument in kind.called if (values := just_made.get(argument)) and values[0]), "")
    if kind is None or not kind.echoed:
        return None
    return recorded if recorded is not None and echoes(held, recorded) else suiting.again(base, held, kind, used)


def _uninflected(word: str, known: Phrases[str]) -> str:
    """A word as it is known, without the ending of a German adjective: "roten" where "rot" is known."""
    if (word,) in known:
        return word
    stems = (word.removesuffix(ending) for ending in ENDINGS if word.endswith(ending))
    return next((stem for stem in stems if len(stem) >= _SHORTEST and (stem,) in known), word)


def _is_of_another_field(base: str, text: str, held: Held) -> bool:
    return base not in KINDS and bool(held.field_of(text)) and not held.field_of(text, parted(base)[0])
