"""The trained model as the server asks it: candidates with scores, and the memories it attended to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from tasksieve.dialogs import Dialog, Fact, Turn
from tasksieve.dialogs.formats import read_sentences
from tasksieve.encoding import Candidates, memory_of
from tasksieve.encoding.memories import words_of
from tasksieve.models.explain import attention_of
from tasksieve.records.config import Facts
from tasksieve.training.tasks import PRIMARY_HEAD
from tasksieve.training.use import TrainedModel


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate with its score (a logit) and its probability among all candidates."""

    text: str
    score: float
    probability: float


@dataclass(frozen=True, slots=True)
class Memory:
    """A line the model remembers, who spoke it, and the attention it got at each hop."""

    speaker: str
    text: str
    attention: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Response:
    """The best candidates, the memories with the latest first, and the utterance's words that the model lacks."""

    candidates: tuple[Scored, ...]
    memories: tuple[Memory, ...]
    unknown_words: tuple[str, ...]


class Responder:
    """Answers with a run's best model; the candidates are embedded once.

    Args:
        trained: the model.
        candidates: the responses to choose from instead of the run's own.
    """

    def __init__(self, trained: TrainedModel, candidates: Sequence[str] | None = None) -> None:
        self._trained = trained
        self._words = frozenset(trained.encoding.vocabulary.words)
        parameters = trained.model.candidate_embedding
        self._embedding = parameters["shared" if "shared" in parameters else PRIMARY_HEAD]
        own = trained.encoding.candidates[PRIMARY_HEAD]
        known = own if candidates is None else self._candidates(candidates)
        self.texts, self._matrix = known.texts, self._embed(known)

    @classmethod
    def load(cls, run: Path, candidates: Path | None = None) -> Responder:
        """Read a run folder and, if given, a candidates file.

        Raises: UserError: if either cannot be read, or the run has no validated checkpoint yet.
        """
        texts = None if candidates is None else list(dict.fromkeys(read_sentences(candidates)))
        return cls(TrainedModel.load(run), texts)

    @property
    def words(self) -> int:
        """The size of the vocabulary."""
        return len(self._words)

    @property
    def hops(self) -> int:
        """How often the model attends to its memories."""
        return self._trained.model.body.hops

    @property
    def facts(self) -> Facts:
        """Which facts become memories."""
        return self._trained.encoding.facts

    def respond(self, events: Sequence[Turn | Fact], user: str, profile: Sequence[str], top: int) -> Response:
        """The best candidates for an utterance, with what the model attended to.

        Args:
            events: the dialog so far.
            user: what the user says now.
            profile: words that describe the user.
            top: how many candidates.
        """
        dialog = _dialog(events, user, profile)
        state, attention = self._state(dialog)
        memories = _memories(dialog, self.facts, attention)
        unknown = tuple(word for word in dict.fromkeys(words_of(user)) if word not in self._words)
        return Response(_best(self.texts, state, self._matrix, top), memories, unknown)

    def rank(
        self,
        events: Sequence[Turn | Fact],
        user: str,
        profile: Sequence[str],
        top: int,
        candidates: Sequence[str] | None = None,
    ) -> tuple[Scored, ...]:
        """Candidates in order, best first: those given, otherwise all that the server knows."""
        state, _ = self._state(_dialog(events, user, profile))
        if candidates is None:
            return _best(self.texts, state, self._matrix, top)
        given = self._candidates(list(dict.fromkeys(candidates)))
        return _best(given.texts, state, self._embed(given), top)

    @torch.no_grad()
    def _state(self, dialog: Dialog) -> tuple[Tensor, Tensor]:
        task = self._trained.encoding.encode([dialog])
        batch = task.batch(torch.tensor([len(task) - 1], device=task.device))
        state, attention = attention_of(self._trained.model.body, batch)
        return state[0], attention[:, 0]

    def _candidates(self, texts: Sequence[str]) -> Candidates:
        return Candidates(texts, self._trained.encoding.vocabulary, self._embedding.device)

    @torch.no_grad()
    def _embed(self, candidates: Candidates) -> Tensor:
        return candidates.table.embed(self._embedding).contiguous()


def _best(texts: Sequence[str], state: Tensor, matrix: Tensor, top: int) -> tuple[Scored, ...]:
    with torch.no_grad():
        scores = matrix @ state
        best = scores.topk(min(top, len(texts)))
        probabilities = (best.values - scores.logsumexp(0)).exp()
    rows = zip(best.indices.tolist(), best.values.tolist(), probabilities.tolist(), strict=True)
    return tuple(Scored(texts[number], score, probability) for number, score, probability in rows)


def _dialog(events: Sequence[Turn | Fact], user: str, profile: Sequence[str]) -> Dialog:
    return Dialog((*events, Turn(user, "?")), tuple(profile))


def _memories(dialog: Dialog, facts: Facts, attention: Tensor) -> tuple[Memory, ...]:
    memory = memory_of(Dialog(dialog.events[:-1], dialog.profile), facts)
    memory.hear(dialog.turns[-1])
    shares = attention.T.tolist()
    # The latest come first; those beyond the model's memory have no slot. Without any line one empty slot is left.
    return tuple(_memory(line, share) for line, share in zip(reversed(memory.lines), shares, strict=False))


def _memory(line: str, attention: list[float]) -> Memory:
    speaker, _, text = line.partition(" ")
    return Memory(speaker.strip("<>"), text, tuple(attention))
