"""What a fine-tuned language model is measured by: the loss a token, and which of 20 responses it would give."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import torch
from torch import Tensor

from tasksieve.experiments.language_study.data import Turns
from tasksieve.experiments.language_study.rows import Part, parts_of
from tasksieve.models.language_model.reading import candidate_scores, token_losses
from tasksieve.models.language_model.tokens import DialogTokens, Said

AMONG = 20
"""Responses that the right one is ranked among."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A turn whose response is ranked.

    Attributes:
        dialog: its number.
        context: tokens before the response.
        candidates: tokens of the responses, the right one first.
        agree: of each of them whether it does the same as the right one.
    """

    dialog: int
    context: tuple[int, ...]
    candidates: tuple[tuple[int, ...], ...]
    agree: tuple[bool, ...]

    @property
    def length(self) -> int:
        """All tokens."""
        return len(self.context) + sum(map(len, self.candidates))


@dataclass(frozen=True, slots=True)
class Exam:
    """The test dialogs, as tokens.

    Attributes:
        parts: for the loss; of each the number of its dialog.
        dialog_of: likewise.
        ranked: turns whose responses are ranked.
        dialogs: how many dialogs there are.
    """

    parts: list[Part]
    dialog_of: list[int]
    ranked: list[Ranked]
    dialogs: int


def exam_of(dialogs: Sequence[Turns], tokens: DialogTokens, turns: int | None = None) -> Exam:
    """Prepare test dialogs; the distractors of a turn are the same for every model.

    Args:
        dialogs: of the primary task.
        tokens: of the model.
        turns: so many turns are ranked, a fixed sample; all by default.
    """
    parts, owner = [], []
    for number, dialog in enumerate(dialogs):
        own = parts_of([dialog], tokens)
        parts += own
        owner += [number] * len(own)
    places = [(number, turn) for number, dialog in enumerate(dialogs) for turn in range(len(dialog))]
    if turns is not None and turns < len(places):
        places = sorted(Random("ranked").sample(places, turns))
    return Exam(parts, owner, [_ranked(dialogs, tokens, *place) for place in places], len(dialogs))


def _ranked(dialogs: Sequence[Turns], tokens: DialogTokens, number: int, turn: int) -> Ranked:
    right = dialogs[number][turn]
    others = {system: action for dialog in dialogs for _, system, action in dialog if system != right[1]}
    drawn = Random(f"distractors {number} {turn}").sample(sorted(others), min(AMONG - 1, len(others)))
    said = [Said(user, system) for user, system, _ in dialogs[number][: turn + 1]]
    return Ranked(
        number,
        tokens.before(said),
        tuple(tokens.response(text)[:96] for text in (right[1], *drawn)),
        tuple(action == right[2] for action in (right[2], *(others[text] for text in drawn))),
    )


Use = Callable[[Tensor], None]
"""Makes the model use the adapters of these sets, one a row."""


class Measuring:
    """Measures several sets of adapters on the same dialogs, side by side.

    Args:
        model: of transformers.
        use: makes it use sets.
        at_once: so many tokens go through it together.
    """

    def __init__(self, model: Any, use: Use, at_once: int) -> None:
        self._model, self._use, self._at_once = model, use, at_once
        self._device = next(iter(model.parameters())).device

    @torch.no_grad()
    def losses(self, sets: Sequence[int], parts: Sequence[Part]) -> list[list[float]]:
        """Of each set and part the losses of its tokens, summed."""
        found = [[0.0] * len(parts) for _ in sets]
        work = [(row, number) for number in range(len(parts)) for row in range(len(sets))]
        for batch in batches(work, lambda one: len(parts[one[1]].spoken.tokens), self._at_once):
            self._use(torch.tensor([sets[row] for row, _ in batch], device=self._device))
            losses = token_losses(self._model, [parts[number].spoken for _, number in batch], self._device)
            sums = torch.stack([loss.double().sum() for loss in losses]).tolist()
            for (row, number), loss in zip(batch, sums, strict=True):
                found[row][number] = loss
        return found

    def nll(self, sets: Sequence[int], parts: Sequence[Part]) -> list[float]:
        """Of each set the mean loss of a token of responses, in nats."""
        count = sum(response_tokens(part) for part in parts)
        return [sum(own) / count for own in self.losses(sets, parts)]

    @torch.no_grad()
    def first(self, sets: Sequence[int], ranked: Sequence[Ranked]) -> list[list[tuple[bool, bool]]]:
        """Of each set and turn whether the right response comes first, and whether the first one acts alike.

        Equal scores count against the model.
        """
        found = [[(False, False)] * len(ranked) for _ in sets]
        work = [(row, number) for number in range(len(ranked)) for row in range(len(sets))]
        for batch in batches(work, lambda one: ranked[one[1]].length, self._at_once):
            self._use(torch.tensor([sets[row] for row, _ in batch], device=self._device))
            turns = [ranked[number] for _, number in batch]
            scored = candidate_scores(
                self._model, [t.context for t in turns], [t.candidates for t in turns], self._device
            )
            for (row, number), scores in zip(batch, scored, strict=True):
                values = scores.tolist()
                best = max(range(len(values)), key=lambda place: (values[place], place))
                found[row][number] = (best == 0, ranked[number].agree[best])
        return found


def batches(
    work: Sequence[tuple[int, int]], length: Callable[[tuple[int, int]], int], at_once: int
) -> Iterator[list[tuple[int, int]]]:
    """Work of about equal lengths together, as much as has so many tokens when filled up; the longest first."""
    waiting, longest = list[tuple[int, int]](), 0
    for one in sorted(work, key=length, reverse=True):
        if waiting and longest * (len(waiting) + 1) > at_once:
            yield waiting
            waiting = []
        longest = length(one) if not waiting else longest
        waiting.append(one)
    if waiting:
        yield waiting


def response_tokens(part: Part) -> int:
    """How many tokens its responses have."""
    return sum(end - first for first, end in part.spoken.spans)


def measures_of(exam: Exam, losses: Sequence[float], firsts: Sequence[tuple[bool, bool]]) -> dict[str, Any]:
    """The record of one fine-tuning: ``nll``, ``R_20@1`` and ``agreement`` in per cent, and all of them by dialog."""
    by = {name: [0.0] * exam.dialogs for name in ("nll", "tokens", "turns", "right", "agree")}
    for part, dialog, loss in zip(exam.parts, exam.dialog_of, losses, strict=True):
        by["nll"][dialog] += loss
        by["tokens"][dialog] += response_tokens(part)
    for turn, (right, agree) in zip(exam.ranked, firsts, strict=True):
        by["turns"][turn.dialog] += 1
        by["right"][turn.dialog] += right
        by["agree"][turn.dialog] += agree
    turns = max(1.0, sum(by["turns"]))
    return {
        "nll": round(sum(by["nll"]) / sum(by["tokens"]), 5),
        f"R_{AMONG}@1": round(100 * sum(by["right"]) / turns, 3),
        "agreement": round(100 * sum(by["agree"]) / turns, 3),
        "by_dialog": {
            "nll": [round(value, 3) for value in by["nll"]],
            **{name: [int(value) for value in by[name]] for name in ("tokens", "turns", "right", "agree")},
        },
    }
