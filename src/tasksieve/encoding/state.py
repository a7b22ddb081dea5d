"""Where a dialog is when the system acts, as words: what it did, what the user has mentioned, what tools answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from tasksieve.encoding.mentions import mentions_in

_MOST = 3
"""Numbers above it are told as it."""


class DialogState:
    """The state of one dialog, as it goes on."""

    def __init__(self) -> None:
        self._last: tuple[str, ...] = ()
        self._done: dict[str, None] = {}
        self._heard = Counter[str]()
        self._now = Counter[str]()

    def hear(self, utterance: str) -> None:
        """Take in what the user says."""
        self._now = mentions_in(utterance)
        self._heard += self._now

    def act(self, action: str) -> None:
        """Take in the system's action: its words."""
        self._last = tuple(action.split())
        self._done |= dict.fromkeys(self._last)

    def words(self, came: Mapping[str, int], fields: Iterable[str] = ()) -> str:
        """The state in words.

        Args:
            came: how many results of each kind came since the last turn.
            fields: the names of what these told.

        Returns: words such as ``last:confirm`` (the last action), ``done:request_city`` (any earlier one),
            ``now:date`` and ``heard:date`` (in the last utterance, in any), ``heard:name:2`` (twice at least),
            ``result:0`` to ``result:3`` or ``result:none``, and ``told:price`` for a field of a result.
        """
        return " ".join(self._words(came, fields))

    def _words(self, came: Mapping[str, int], fields: Iterable[str]) -> Iterable[str]:
        yield from (f"last:{word}" for word in self._last or ("nothing",))
        yield from (f"done:{word}" for word in self._done)
        yield from (f"now:{kind}" for kind in self._now)
        for kind, count in self._heard.items():
            yield f"heard:{kind}"
            yield from (f"heard:{kind}:{number}" for number in range(2, min(count, _MOST) + 1))
        yield f"result:{min(sum(came.values()), _MOST) if came else 'none'}"
        yield from dict.fromkeys(f"told:{'_'.join(field.split())}" for field in fields)
