"""Below which probability a model had better say that it does not know, chosen on validation dialogs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from tasksieve.dialogs import Dialog, Turn
from tasksieve.encoding import EncodedTask, Reading, chunks
from tasksieve.encoding.calls import is_call
from tasksieve.models import DialogModel
from tasksieve.training.runs.called import rightly_called
from tasksieve.training.runs.encoding import Encoding
from tasksieve.training.runs.evaluation import ranks
from tasksieve.training.runs.worded import due, worded

_CHUNK = 256
_MOST_CALLS = 500
"""Of more calls that are right by their action so many are worded, evenly spread; the others count as right."""


@dataclass(frozen=True, slots=True)
class Fallback:
    """When an answer had better not be given, as a run found on its validation dialogs.

    Attributes:
        threshold: the certainty below which it had better not be.
        unanswered: how many validation turns have none that is as certain; None if that is not known.
        turns: how many there are.
    """

    threshold: float
    unanswered: int | None = None
    turns: int = 0

    @classmethod
    def read(cls, value: object) -> Fallback | None:
        """From the part ``fallback`` of the record ``result.json``; None if it says no threshold."""
        threshold = value.get("threshold") if isinstance(value, dict) else None
        if not isinstance(value, dict) or not isinstance(threshold, (int, float)):
            return None
        counts = [value.get(name) for name in ("right", "wrong", "unanswered")]
        known = [count for count in counts if isinstance(count, int)]
        return cls(float(threshold), known[2], sum(known)) if len(known) == 3 else cls(float(threshold))

    @property
    def note(self) -> str:
        """What to know before one relies on it, in a sentence; empty if there is nothing."""
        mend = "set when it is said with --fallback-below, between 0 and 1"
        if self.unanswered == 0:
            return (
                f"the fallback is said below a certainty of {100 * self.threshold:.0f} %, where none of the "
                f"{self.turns:,} validation turns is, as even the least certain answers there are right more often "
                f"than not; {mend}"
            )
        if self.unanswered is not None and self.unanswered == self.turns:
            return f"the fallback would be said at each of the {self.turns:,} validation turns; {mend}"
        return ""


def fallback_of(
    model: DialogModel, task: EncodedTask, wrong_calls: Callable[[list[tuple[int, int]]], set[int]] | None = None
) -> dict[str, Any]:
    """The threshold with the most right answers minus wrong ones; of several the lowest, which answers most.

    Args:
        model: as it is used.
        task: validation dialogs.
        wrong_calls: which of some turns, each by dialog and turn and right by what is predicted, are wrong as calls.
    Returns: ``threshold``, and how many turns it answers ``right`` and ``wrong`` and leaves ``unanswered``.
    """
    best: list[Tensor] = []
    right: list[Tensor] = []
    with torch.no_grad():
        for numbers in chunks(task, _CHUNK):
            scores, targets = model.responses(task.batch(numbers))
            best.append(torch.softmax(scores, 1).max(1).values.cpu())
            right.append((ranks(scores, targets) == 1).cpu())
    hits = torch.cat(right)
    if wrong_calls is not None:
        places = hits.nonzero()[:, 0].tolist()
        wrong = wrong_calls([(task.examples[place].dialog, task.examples[place].turn) for place in places])
        hits[[places[number] for number in sorted(wrong)]] = False
    return chosen(torch.cat(best).double(), hits)


def wrong_calls(
    encoding: Encoding,
    dialogs: Sequence[Dialog],
    readings: Sequence[Reading],
    turns: Sequence[tuple[int, int]],
) -> set[int]:
    """Which turns call a tool with other values than they should, where the right action is worded at them.

    Args:
        encoding: of the run, which predicts actions.
        dialogs: the validation dialogs.
        readings: the same, as they were read.
        turns: some of their turns, by dialog and turn.
    Returns: the numbers of those turns.
    """
    places = [[at for at, event in enumerate(dialog.events) if isinstance(event, Turn)] for dialog in dialogs]
    calls = [(number, *turn) for number, turn in enumerate(turns) if is_call(dialogs[turn[0]].turns[turn[1]].system)]
    step = max(1, -(-len(calls) // _MOST_CALLS))
    written = encoding.reader.slots.newest.written if encoding.reader.slots else None
    wrong = set[int]()
    for number, which, turn in calls[::step]:
        dialog = dialogs[which]
        said = dialog.turns[turn]
        waiting = encoding.reader.read_one(due(dialog.events[: places[which][turn]], said.user, dialog.profile))
        answer = worded(encoding, readings[which].turns[turn].action, waiting)
        if not rightly_called(said.system, answer, written):
            wrong.add(number)
    return wrong


def chosen(probabilities: Float[Tensor, " turns"], right: Bool[Tensor, " turns"]) -> dict[str, Any]:
    """The threshold, from the probability of each turn's best answer and whether it is right.

    It is never below the least probability there is: nothing is known of answers that are less certain than all of
    these.
    """
    order = torch.argsort(probabilities, descending=True, stable=True)
    sorted_, gains = probabilities[order], torch.where(right[order], 1, -1).cumsum(0)
    last_of_its_value = torch.cat([sorted_[:-1] != sorted_[1:], torch.ones(1, dtype=torch.bool)])
    gains = torch.where(last_of_its_value, gains, -len(gains) - 1)
    most = int(gains.max())
    if most <= 0:
        threshold = 1.0
    else:
        place = int(torch.nonzero(gains == most)[-1])
        threshold = float(sorted_[place])
    answered = probabilities >= threshold
    return {
        "threshold": threshold,
        "right": int((answered & right).sum()),
        "wrong": int((answered & ~right).sum()),
        "unanswered": int((~answered).sum()),
    }
