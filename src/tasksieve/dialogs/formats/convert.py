"""From one format to another, with a list of what was lost on the way."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tasksieve.dialogs.dialog import Dialog, Turn
from tasksieve.dialogs.formats.assembly import before_and_after, one_line, turns_with_context
from tasksieve.dialogs.formats.chat import CHAT, Weights, write_chat
from tasksieve.dialogs.formats.chat_weights import write_weighted
from tasksieve.dialogs.formats.chosen import chosen, format_at, iterate_dialogs
from tasksieve.dialogs.formats.compressed import Compression, compression_named, pack
from tasksieve.dialogs.formats.format import Format
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.json_text import TWICE
from tasksieve.dialogs.formats.known import format_of, format_to_write
from tasksieve.dialogs.formats.table_writing import write_arrow, write_parquet
from tasksieve.dialogs.formats.tables import ARROW, PARQUET, has_messages
from tasksieve.dialogs.formats.wrapped import BESIDE
from tasksieve.dialogs.formats.writing import writer
from tasksieve.dialogs.record import Note, Record
from tasksieve.errors import UserError
from tasksieve.records.files import write_whole


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a conversion wrote, and what it lost.

    Attributes:
        source, target: names of the formats.
        dialogs, turns: how many were written.
        lost: what of the file is not in the new one, and how often.
        as_one: a sentence on the splits that were read as one; None if it is one alone.
        replaced: how many weights of the source others were written in the place of.
        unweighted: responses without an action that the weights are not of, as they are of a run that predicts
            actions; these responses keep their own.
    """

    source: str
    target: str
    dialogs: int
    turns: int
    lost: dict[str, int]
    as_one: str | None = None
    replaced: int = 0
    unweighted: int = 0


MOVED = "record or note after the user's utterance, which stands before it there"
"""A loss."""
_TAKE_WEIGHTS = {CHAT.name: write_chat, PARQUET.name: write_parquet, ARROW.name: write_arrow}
_LEARNED, _REPLACED = "turns that are learned from", "weights replaced"
_WITH_ACTION, _WEIGHED = "of these with an action", "of those with a weight"


def convert(
    source: Path,
    target: Path,
    *,
    from_format: Format | None = None,
    to_format: Format | None = None,
    weights: Weights | None = None,
    strict: bool = False,
) -> Conversion:
    """Read dialogs and write them in another format, one at a time, so that files larger than memory pass too.

    Chat messages go to chat messages as they are, with weights beside responses if there are any to add: calls of
    tools, their results, every key.
    The new file is read back and compared with the dialogs, so that the list of losses is what really differs.

    Args:
        source: a file in any format, a folder, or a split of either.
        target: the file to write; whole, or not at all. Its name's last ending says whether it is compressed.
        from_format: how to read it; else told from the content.
        to_format: how to write it; else told from the name.
        weights: of the responses, for chat messages.
        strict: whether a turn without a response, or a dialog without a turn, is a problem; else they are left out.
    Raises: UserError: if the source has a problem, the target cannot be written or take weights, or the weights are
        not of as many responses as there are.
    """
    given, from_format = from_format, from_format or format_at(source)
    to_format = to_format or format_to_write(target)
    compression = _compression(target, to_format)
    meant = chosen(source)
    whole = to_format is CHAT and all(_keeps_objects(file, given, weights) for file, _ in meant.files)
    write = writer(to_format) if weights is None else partial(_taking_weights(to_format, target), weights=weights)
    if weights is not None and whole and len(meant.files) > 1:
        raise UserError(f"is {len(meant.files)} files; weights are of one, so name that one", source)
    journal = Journal(source, strict=strict, split=meant.split)
    counted: Counter[str] = Counter()

    def fill_plain(part: Path) -> None:
        if whole:
            write_weighted(meant.files, part, journal, weights or {})
        else:
            write(iterate_dialogs(source, journal, given), part)
        before = iterate_dialogs(source, Journal(source), given)
        counted.update(_compared(before, to_format.read(part, Journal(target)), weights or {}))
        if weights is not None:
            _check_number(weights, counted, source)

    def fill(part: Path) -> None:
        if compression is None:
            fill_plain(part)
            return
        plain = part.with_name(f"{part.name}.plain")
        try:
            fill_plain(plain)
            pack(plain, part, compression)
        finally:
            plain.unlink(missing_ok=True)

    write_whole(target, fill)
    names = ("dialogs", "turns", _LEARNED, _REPLACED, _WITH_ACTION, _WEIGHED)
    dialogs, turns, learned, replaced, *_ = (counted.pop(name, 0) for name in names)
    unweighted = 0 if weights is None else learned - len(weights)
    lost = counted + Counter(
        {name: journal.lost[name] for name in journal.lost if not whole or name.endswith((BESIDE, TWICE))}
    )
    lost += Counter() if whole else journal.reworded
    journal.path = source
    return Conversion(
        from_format.name, to_format.name, dialogs, turns, dict(lost), journal.as_one, replaced, unweighted
    )


def _taking_weights(to_format: Format, target: Path) -> Callable[..., None]:
    if to_format.name not in _TAKE_WEIGHTS:
        raise UserError(f"weights go into chat messages; {to_format.title} has no place for them", target)
    return _TAKE_WEIGHTS[to_format.name]


def _keeps_objects(file: Path, given: Format | None, weights: Weights | None) -> bool:
    """Whether objects with messages are kept as they are: those of chat files, and rows of tables for weights."""
    known = given or format_of(file)
    return known is CHAT or (weights is not None and known in (PARQUET, ARROW) and has_messages(file))


def _compression(target: Path, to_format: Format) -> Compression | None:
    found, plain = compression_named(target)
    if found is not None and to_format in (PARQUET, ARROW):
        raise UserError(f"is to be a table, which is not compressed once more; name it {plain.name}", target)
    return found


def _check_number(weights: Weights, counted: Mapping[str, int], source: Path) -> None:
    """Raise UserError unless weights are of all responses to learn from, or of all that have an action."""
    turns = counted[_LEARNED]
    of_actions = 0 < len(weights) == counted[_WITH_ACTION] == counted[_WEIGHED]
    if len(weights) != turns and not of_actions:
        found = f"has {turns:,} responses to learn from, and the table weights of {len(weights):,}"
        raise UserError(f"{found}; expected the table of this very file", source)


def _compared(before: Iterator[Dialog], after: Iterator[Dialog], weights: Weights) -> Iterator[str]:
    """A word for every dialog, every turn, and everything that is not the same in both but for these weights."""
    for number, (old, new) in enumerate(itertools.zip_longest(before, after)):
        yield "dialogs"
        if old is None or new is None:
            yield "dialog"
            continue
        yield from itertools.repeat("turns", len(old.turns))
        yield from itertools.repeat(_LEARNED, sum(turn.learned > 0 for turn in old.turns))
        acting = [place for place, turn in enumerate(old.turns) if turn.learned > 0 and turn.acts]
        yield from itertools.repeat(_WITH_ACTION, len(acting))
        yield from itertools.repeat(_WEIGHED, sum((number, place) in weights for place in acting))
        if old.profile != new.profile:
            yield "profile of a dialog"
        yield from _context_lost(old, new)
        if len(old.turns) != len(new.turns):
            yield "dialog with as many turns"
            continue
        for place, (one, other) in enumerate(zip(old.turns, new.turns, strict=True)):
            yield from _difference(one, other)
            if one.learned not in (1, weights.get((number, place), one.learned)):
                yield _REPLACED
            if other.learned != weights.get((number, place), one.learned):
                yield "weight of a response" if one.learned else "weight 0 of a response"


def _context_lost(old: Dialog, new: Dialog) -> Iterator[str]:
    had, has = (Counter(event for event in dialog.events if not isinstance(event, Turn)) for dialog in (old, new))
    for event, count in (had - has).items():
        yield from itertools.repeat("note" if isinstance(event, Note) else "record", count)
    if had == has and _places(old) != _places(new):
        yield "place of the records in a dialog"
    yield from itertools.repeat(MOVED, _moved(old, new))


def _moved(old: Dialog, new: Dialog) -> int:
    """How many records and notes came after the user's utterance, and stand before it in the new dialog."""
    count = 0
    for (context, turn), (others, other) in zip(turns_with_context(old), turns_with_context(new), strict=False):
        came, (first, last) = before_and_after(context, turn)[1], before_and_after(others, other)
        count += ((Counter(came) - Counter(last)) & Counter(first)).total()
    return count


def _places(dialog: Dialog) -> list[Record | Note | None]:
    return [None if isinstance(event, Turn) else event for event in dialog.events]


def _difference(old: Turn, new: Turn) -> Iterator[str]:
    if (old.user, old.system) != (new.user, new.system):
        words = all(one_line(a) == one_line(b) for a, b in ((old.user, new.user), (old.system, new.system)))
        yield "line end or tab in a turn" if words else "wording of a turn"
    if old.acts != new.acts:
        yield "order of a turn's acts" if sorted(old.acts) == sorted(new.acts) else "acts of a turn"
    if old.candidates != new.candidates:
        yield "candidates of a turn"
    if old.spans != new.spans:
        missing = set(old.spans) - set(new.spans)
        yield from itertools.repeat("place of a value in a response", len(missing) or 1)
