"""What the columns of a table hold, told from their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

DIALOG = ("dialog", "dialog_id", "dialogue", "dialogue_id", "conversation", "conversation_id", "session_id")
UTTERANCES = {
    "dialog": DIALOG,
    "speaker": ("speaker", "role", "author", "sender"),
    "text": ("text", "utterance", "message", "content"),
}
"""What a column may be called in a table with an utterance a row; of several the first in this order is read."""
EXAMPLES = {
    "user": ("instruction", "question", "prompt", "user", "input", "context"),
    "response": ("response", "completion", "output", "answer", "system"),
}
"""What a column may be called in a table with an example a row, which may have a column of dialogs too."""
ACTS = ("action", "actions", "acts", "act", "dialog_act", "dialog_acts", "dialogue_act", "dialogue_acts")
"""What a column of the system's acts may be called in either."""
SPLIT = ("data_split", "split")
"""What a column may be called in either that says which split a dialog is of."""
TOLD = ("facts", "knowledge")
"""Columns of records and notes in either; beside examples those of :data:`TOLD_BESIDE` too, if not read otherwise."""
TOLD_BESIDE = (*TOLD, "context", "system")

_SEPARATORS = ",;\t"


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table.

    Attributes:
        separator: what stands between them.
        places: of the columns by what they hold: ``dialog``, ``speaker`` and ``text``, or ``user``, ``response`` and
            maybe ``dialog`` and ``input`` (which goes on with what the user says in ``instruction``) and
            ``split``.
        told: places of the columns with records and notes.
        acts: that of the column of acts; None if there is none.
        unread: names of all others by their places.
    """

    separator: str
    places: dict[str, int]
    told: tuple[int, ...]
    acts: int | None
    unread: dict[int, str]

    @property
    def width(self) -> int:
        """How many cells a row must have."""
        return max(*self.places.values(), *self.told, 0) + 1


def known_columns(header: str) -> Columns | None:
    """The columns of a table with this first line; None if it is none with dialogs."""
    for separator in _SEPARATORS:
        names = [name.strip().strip('"').strip() for name in header.split(separator)]
        lower = [name.lower() for name in names]
        places = _places(lower, UTTERANCES)
        told: tuple[str, ...] = TOLD
        if places.keys() != UTTERANCES.keys():
            places, told = _places(lower, EXAMPLES), TOLD_BESIDE
            if places.keys() != EXAMPLES.keys():
                continue
            places |= _places(lower, {"dialog": DIALOG})
            if lower[places["user"]] == "instruction":
                places |= _places(lower, {"input": ("input",)})
        beside = tuple(n for n, name in enumerate(lower) if name in told and n not in places.values())
        acts = _places(lower, {"acts": ACTS}).get("acts")
        places |= _places(lower, {"split": SPLIT})
        read = {*places.values(), *beside, acts}
        unread = {n: name for n, name in enumerate(names) if n not in read}
        return Columns(separator, places, beside, acts, unread)
    return None


def _places(names: Sequence[str], known: dict[str, tuple[str, ...]]) -> dict[str, int]:
    found = {kind: next((name for name in called if name in names), None) for kind, called in known.items()}
    return {kind: names.index(name) for kind, name in found.items() if name is not None}
