"""The trained model as the server asks it: candidates with scores, and the memories it attended to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from tasksieve.dialogs.formats import read_sentences
from tasksieve.encoding import Reading, words_of
from tasksieve.models.memory_network.entity_choice import entity_scores, responses
from tasksieve.models.memory_network.explain import attention_of
from tasksieve.records.config import Entities, Facts
from tasksieve.serve.given import GivenResponses
from tasksieve.training.runs.answers import Answer, best_answers
from tasksieve.training.runs.dialog_tasks import PRIMARY_HEAD
from tasksieve.training.runs.trained_model import Event, TrainedModel


@dataclass(frozen=True, slots=True)
class Memory:
    """A line the model remembers, who spoke it, and the attention it got at each hop."""

    speaker: str
    text: str
    attention: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Response:
    """The best candidates, the memories with the latest first, and the utterance's words that the model lacks."""

    candidates: tuple[Answer, ...]
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
        self._embedding = parameters["shared" if "shared" in parameters else PRIMARY_HEAD].detach()
        self._own = trained.encoding.candidates[PRIMARY_HEAD]
        self._matrix = self._own.table.embed(self._embedding).contiguous()
        self._given = None if candidates is None else self._texts(candidates)
        self.texts = self._own.texts if self._given is None else self._given.texts

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
        return self._trained.encoding.reader.facts

    @property
    def entities(self) -> Entities:
        """How responses name what facts are about."""
        return "names" if self._trained.encoding.reader.names is None else "facts"

    def respond(self, events: Sequence[Event], user: str, profile: Sequence[str], top: int) -> Response:
        """The best candidates for an utterance, with what the model attended to.

        Args:
            events: the dialog so far.
            user: what the user says now.
            profile: words that describe the user.
            top: how many candidates.
        """
        heard = self._heard(events, user, profile)
        unknown = tuple(word for word in dict.fromkeys(words_of(user)) if word not in self._words)
        return Response(tuple(self._best(heard, self._given, top)), _memories(heard), unknown)

    def rank(
        self,
        events: Sequence[Event],
        user: str,
        profile: Sequence[str],
        top: int,
        candidates: Sequence[str] | None = None,
    ) -> tuple[Answer, ...]:
        """Candidates in order, best first: those given, otherwise all that the server knows."""
        given = self._given if candidates is None else self._texts(list(dict.fromkeys(candidates)))
        return tuple(self._best(self._heard(events, user, profile), given, top))

    def _texts(self, texts: Sequence[str]) -> GivenResponses:
        return GivenResponses(texts, self._trained.encoding.vocabulary, self._embedding)

    @torch.no_grad()
    def _heard(self, events: Sequence[Event], user: str, profile: Sequence[str]) -> _Heard:
        batch, reading = self._trained.waiting(events, user, profile)
        states, attention = attention_of(self._trained.model.body, batch)
        entities = None if batch.options is None else entity_scores(states, self._embedding, batch.options)
        return _Heard(reading, states, attention[:, 0], entities)

    @torch.no_grad()
    def _best(self, heard: _Heard, given: GivenResponses | None, top: int) -> list[Answer]:
        known = heard.reading.entities
        if given is not None:
            return given.best(heard.states[0], known, None if heard.entities is None else heard.entities[0], top)
        scores = heard.states @ self._matrix.T
        if heard.entities is not None:
            unsaid = torch.tensor([-1], device=scores.device)
            scores, _ = responses(scores, self._own.gaps, heard.entities, unsaid, unsaid)
        return best_answers(scores[0], self._own, known, top)


@dataclass(frozen=True, slots=True)
class _Heard:
    """A dialog that waits for a response: as read, the state (1 × d), each hop's attention, scores of entities."""

    reading: Reading
    states: Tensor
    attention: Tensor
    entities: Tensor | None


def _memories(heard: _Heard) -> tuple[Memory, ...]:
    shares = heard.attention.T.tolist()
    lines = heard.reading.memory(heard.reading.turns[-1])
    # The latest come first; those beyond the model's memory have no slot. Without any line one empty slot is left.
    return tuple(_memory(line.original, share) for line, share in zip(reversed(lines), shares, strict=False))


def _memory(line: str, attention: list[float]) -> Memory:
    speaker, _, text = line.partition(" ")
    return Memory(speaker.strip("<>"), text, tuple(attention))
