"""What the columns of a table hold, told from their names."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasksieve.dialogs.formats.annotations import WEIGHT
from tasksieve.dialogs.formats.parts import are_parts
from tasksieve.dialogs.formats.tools import CALLS

DIALOG = (
    *("dialog", "dialog_id", "dialogue", "dialogue_id", "conversation", "conversation_id", "conv_id"),
    *("session", "session_id", "chat_id", "thread_id", "thread", "ticket_id", "ticket", "case_id", "episode_id"),
    *("ticket_number", "case_number", "case", "call_id", "room_id"),
)
UTTERANCES = {
    "dialog": DIALOG,
    "speaker": (
        *("speaker", "role", "author_type", "author_role", "sender_type", "sender_role", "participant_role"),
        *("actor_type", "from_type", "author", "sender", "from", "actor"),
    ),
    "text": (
        *("text", "utterance", "content", "message", "value", "body", "message_text", "message_body", "msg"),
        *("message_content", "comment_body", "comment_text", "plain_body", "body_text", "comment"),
    ),
}
"""What a column may be called in a table with an utterance a row; of several the first in this order is read."""
EXAMPLES = {
    "user": ("instruction", "question", "prompt", "query", "user", "human", "input", "context"),
    "response": ("response", "completion", "output", "answer", "assistant", "reply", "system"),
}
"""What a column may be called in a table with an example a row, which may have a column of dialogs too."""
_SAID_OF = {"dialog": "which dialog a row is of", "speaker": "who speaks", "text": "what is said"}
ACTS = ("action", "actions", "acts", "act", "dialog_act", "dialog_acts", "dialogue_act", "dialogue_acts")
"""What a column of the system's acts may be called in either."""
NAME, CALL_ID = "name", "tool_call_id"
BESIDE = {NAME: ("tool_name", NAME), CALL_ID: (CALL_ID,), **{key: (key,) for key in CALLS}}
"""What columns may be called in a table with an utterance a row that hold calls of tools, as in chat messages."""
SPLIT = ("data_split", "split")
"""What a column may be called in either that says which split a dialog is of."""
TOLD = ("facts", "knowledge")
"""Columns of records and notes in either; beside examples those of :data:`TOLD_BESIDE` too, if not read otherwise."""
TOLD_BESIDE = (*TOLD, "context", "system")

ORDERS = (
    *("turn", "turn_id", "turn_idx", "turn_index", "turn_number", "turn_no", "turn_num"),
    *("utt_idx", "utt_id", "utterance_idx", "utterance_id", "utterance_index", "message_index", "message_idx"),
    *("timestamp", "datetime", "date_time", "created_at", "sent_at", "time", "created"),
    *("created_time", "sent_time", "message_time", "message_created_at", "comment_created_at"),
)
"""What a column may be called that tells the order of a dialog's rows, by numbers or times; else it is not read."""

INTERNAL = {
    "public": ("public", "is_public", "comment_public"),
    "private": ("private", "is_private", "internal", "is_internal"),
    "kind": ("part_type", "message_type", "comment_type", "visibility"),
}
"""What a column may be called that says of an utterance whether the user saw it, or what kind it is of."""

_IGNORED = re.compile(r"[\W_]+")
SEPARATORS = ",;\t"


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table.

    Attributes:
        separator: what stands between them.
        places: of the columns by what they hold: ``dialog``, ``speaker`` and ``text``, or ``user``, ``response`` and
            maybe ``dialog`` and ``input`` (which goes on with what the user says in ``instruction``); maybe
            ``weight`` and ``split``.
        told: places of the columns with records and notes.
        acts: that of the column of acts; None if there is none.
        order: that of the column that tells the order of rows; None if there is none.
        beside: places of the columns that say more of a message, by the key that they are in chat messages.
        internal: places of the columns that say whether the user saw a message, by the keys of :data:`INTERNAL`.
        names: of all columns.
        unread: names of all others by their places.
    """

    separator: str
    places: dict[str, int]
    told: tuple[int, ...]
    acts: int | None
    order: int | None
    beside: dict[str, int]
    internal: dict[str, int]
    names: tuple[str, ...]
    unread: dict[int, str]

    @property
    def width(self) -> int:
        """How many cells a row must have."""
        return max(*self.places.values(), *self.told, 0) + 1


def known_columns(header: str) -> Columns | None:
    """The columns of a table with this first line; None if it is none with dialogs."""
    found = (columns_named(names_in(header, separator), separator) for separator in SEPARATORS)
    return next((columns for columns in found if columns is not None), None)


def columns_named(names: Sequence[str], separator: str = "\t") -> Columns | None:
    """The columns of a table by their names; None if it is none with dialogs."""
    plain = list(map(_plain, names))
    places = _places(plain, UTTERANCES)
    told: tuple[str, ...] = TOLD
    more, internal = _places(plain, BESIDE), _places(plain, INTERNAL)
    if places.keys() != UTTERANCES.keys():
        places, told, more = _places(plain, EXAMPLES), TOLD_BESIDE, {}
        internal = {}
        if places.keys() != EXAMPLES.keys():
            return None
        places |= _places(plain, {"dialog": DIALOG})
        if plain[places["user"]] == "instruction":
            places |= _places(plain, {"input": ("input",)})
    places |= _places(plain, {"weight": (WEIGHT,), "split": SPLIT})
    beside = tuple(n for n, name in enumerate(plain) if name in told and n not in places.values())
    others = _places(plain, {"acts": ACTS, "order": ORDERS})
    decided = {place for kind, place in internal.items() if kind != "kind"}
    read = {*places.values(), *beside, *more.values(), *decided, others.get("acts")}
    unread = {n: name for n, name in enumerate(names) if n not in read}
    return Columns(
        separator, places, beside, others.get("acts"), others.get("order"), more, internal, tuple(names), unread
    )


def lacking(header: str) -> str | None:
    """What a table has no column of, if but one of dialogs, speakers and words is not there; None else.

    >>> lacking("Ticket ID;Author;Date;Subject")
    'what is said (text, utterance, content, message, …)'
    """
    for separator in SEPARATORS:
        there = _places(list(map(_plain, names_in(header, separator))), UTTERANCES)
        missing = UTTERANCES.keys() - there.keys()
        if len(missing) == 1:
            (kind,) = missing
            return f"{_SAID_OF[kind]} ({', '.join(UTTERANCES[kind][:4])}, …)"
    return None


def has_utterances(names: Sequence[str], row: Mapping[str, Any]) -> bool:
    """Whether a table has an utterance a row: it has the columns for it, and plain values in them."""
    columns = columns_named(names)
    if columns is None or not columns.places.keys() >= UTTERANCES.keys():
        return False
    values = {kind: row.get(names[place]) for kind, place in columns.places.items()}
    parts = values["text"]
    if isinstance(parts, list) and are_parts(parts) and any(isinstance(part, dict) for part in parts):
        del values["text"]
    return not any(isinstance(value, (list, dict)) for value in values.values())


def names_in(header: str, separator: str) -> list[str]:
    """The names in the first line of a table."""
    try:
        (cells,) = csv.reader([header], delimiter=separator, skipinitialspace=True)
    except (csv.Error, ValueError):
        cells = header.split(separator)
    return [cell.strip() for cell in cells]


def _plain(name: str) -> str:
    """A name in lower case without what stands between its words: ``Dialogue ID`` is ``dialogue_id``."""
    return _IGNORED.sub("", name.lower())


def _places(names: Sequence[str], known: dict[str, tuple[str, ...]]) -> dict[str, int]:
    plain = {kind: [_plain(one) for one in called] for kind, called in known.items()}
    found = {kind: next((one for one in called if one in names), None) for kind, called in plain.items()}
    return {kind: names.index(name) for kind, name in found.items() if name is not None}
