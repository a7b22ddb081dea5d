"""From scores of simple methods to what they say: the best response, the rank of the right one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
import torch

from tasksieve.encoding import Candidates
from tasksieve.encoding.entities import LATEST
from tasksieve.training.runs.evaluation import UNANSWERABLE
from tasksieve.training.runs.predictions import Said, selection_columns
from tasksieve.training.runs.selection import Distractors
from tasksieve.training.runs.simple.contexts import SeenTurn
from tasksieve.training.runs.simple.ranker import Ranker
from tasksieve.training.runs.simple.texts import Array

_CHUNK = 512


def classified(logits: Array, candidates: Candidates, turns: Sequence[SeenTurn]) -> list[tuple[Said, int]]:
    """The best label of each turn and the rank of the right one.

    A template is filled with the entity that was referred to last, or the first one known; where none is known, it
    cannot be said.

    Args:
        logits: a score a candidate, a row a turn.
        candidates: the labels.
        turns: as many as there are rows.
    """
    gaps = candidates.gaps.numpy()
    answers = []
    for row, seen in zip(logits, turns, strict=True):
        known = seen.turn.descriptions
        entity = next((n for n, words in enumerate(known) if LATEST in words), 0 if known else -1)
        scores = row.copy()
        if not known:
            scores[gaps] = -np.inf
        right = candidates.number(seen.turn.response)
        best, rank = _best_and_rank(scores, right)
        if seen.turn.entity >= 0 and seen.turn.entity != entity:
            rank = UNANSWERABLE
        named = entity if best in gaps else -1
        answers.append((_said(scores, best, candidates.texts[best], named), rank))
    return answers


def ranked(ranker: Ranker, candidates: Candidates, turns: Sequence[SeenTurn]) -> list[tuple[Said, int]]:
    """The nearest candidate to each turn and the rank of the right one; scores are taken for logits."""
    rows, answers = ranker.rows(candidates.texts), []
    for start in range(0, len(turns), _CHUNK):
        part = turns[start : start + _CHUNK]
        for scores, seen in zip(ranker.scores([turn.context for turn in part], rows), part, strict=True):
            best, rank = _best_and_rank(scores, candidates.number(seen.example.system))
            answers.append((_said(scores, best, candidates.texts[best], -1), rank))
    return answers


def selection(ranker: Ranker, turns: Sequence[SeenTurn], name: str, drawn: Distractors) -> list[pl.Series]:
    """The columns of ranks among distractors; see :func:`tasksieve.training.runs.predictions.selection_columns`."""
    right = dict.fromkeys(turn.example.system for turn in turns)
    texts = {text: number for number, text in enumerate(dict.fromkeys([*drawn.texts, *right]))}
    rows, most = ranker.rows(list(texts)), 1 + max(map(len, drawn.drawn))
    scores = torch.full((len(turns), most), -torch.inf, dtype=torch.float64)
    for start in range(0, len(turns), _CHUNK):
        part = turns[start : start + _CHUNK]
        found = ranker.scores([turn.context for turn in part], rows)
        for number, (row, seen) in enumerate(zip(found, part, strict=True), start):
            numbers = [texts[seen.example.system], *drawn.drawn[number]]
            scores[number, : len(numbers)] = torch.from_numpy(row[numbers])
    return selection_columns(name, scores, drawn)


def _best_and_rank(scores: Array, right: int) -> tuple[int, int]:
    """The best place, and the rank of the right one; ties count against it."""
    best = int(scores.argmax())
    return best, int((scores >= scores[right]).sum()) if right >= 0 and scores[right] > -np.inf else UNANSWERABLE


def _said(scores: Array, best: int, text: str, entity: int) -> Said:
    if scores[best] == -np.inf:
        return Said("", -1, float("-inf"), 0.0)
    shares = np.exp(scores - scores[best])
    return Said(text, entity, float(scores[best]), float(1.0 / shares.sum()))
