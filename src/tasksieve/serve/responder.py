"""The trained model as the server asks it: candidates with scores, and the memories it attended to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from tasksieve.dialogs import Record
from tasksieve.dialogs.formats import read_sentences
from tasksieve.encoding import Batch, Reading, Slots
from tasksieve.encoding.phrases import Phrases, phrase_of
from tasksieve.encoding.sentences.token_rows import TokenRows
from tasksieve.encoding.spoken_names import names_in
from tasksieve.encoding.values import values_in
from tasksieve.records.model_config import Entities, Facts, Predicted
from tasksieve.serve.given import GivenResponses
from tasksieve.training.runs.answers import Answer, or_fallback
from tasksieve.training.runs.fact_example import fact_example
from tasksieve.training.runs.task_readings import PRIMARY_HEAD
from tasksieve.training.runs.trained_model import Event, TrainedModel


@dataclass(frozen=True, slots=True)
class Memory:
    """A line the model remembers, who spoke it, and the attention it got each time; none if the model pays none."""

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
    """Answers with a run's best model, of whatever kind.

    Args:
        trained: the model.
        candidates: the responses to choose from instead of the run's own; one with a value that the conversation
            does not hold is not said in it.
        fallback: said where the best answer is too uncertain, or there is none; None for nothing.
    """

    def __init__(
        self, trained: TrainedModel, candidates: Sequence[str] | None = None, fallback: str | None = None
    ) -> None:
        trained.check_fallback(fallback)
        self._trained, self._fallback = trained, fallback
        self._words = frozenset(trained.encoding.vocabulary.words)
        self._own = trained.encoding.candidates[PRIMARY_HEAD]
        self._given = None if candidates is None else self._texts(candidates)
        self.texts = self._own.texts if self._given is None else self._given.texts

    @classmethod
    def load(
        cls,
        run: Path,
        candidates: Path | None = None,
        fallback: str | None = None,
        fallback_below: float | None = None,
    ) -> Responder:
        """Read a run folder and, if given, a candidates file.

        Args:
            run: the run folder.
            candidates: a file of responses to choose from.
            fallback: said where the best answer is too uncertain.
            fallback_below: the certainty below which it is; by default what validation chose.
        Raises: UserError: if either cannot be read, or the run has no validated checkpoint yet.
        """
        texts = None if candidates is None else list(dict.fromkeys(read_sentences(candidates)))
        responder = cls(TrainedModel.load(run).falling_back_below(fallback_below), texts, fallback)
        responder._trained.warm_up()
        return responder

    @property
    def words(self) -> int:
        """The size of the vocabulary."""
        return len(self._words)

    @property
    def chooses(self) -> Predicted:
        """What the candidates are."""
        return self._trained.encoding.reader.predict if self._given is None else "responses"

    @property
    def threshold(self) -> float | None:
        """The certainty below which the fallback is said; None if the run does not say."""
        return self._trained.threshold

    @property
    def fallback_note(self) -> str:
        """What to know before one relies on that, in a sentence; empty if there is nothing."""
        return self._trained.fallback_note

    @property
    def fact_example(self) -> str:
        """A fact as the run's dialogs have them, to show how one is told."""
        return fact_example(self._trained.encoding)

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
        batch, reading = self._trained.waiting(events, user, profile)
        given = self._given is not None
        say = self._best if given else self._trained.respond
        best = or_fallback(lambda: say(batch, reading, top), self._fallback, self.threshold)
        return Response(tuple(best), self._memories(batch, reading), self._unknown(events, user))

    def rank(
        self,
        events: Sequence[Event],
        user: str,
        profile: Sequence[str],
        top: int,
        candidates: Sequence[str] | None = None,
    ) -> tuple[Answer, ...]:
        """Candidates in order, best first: those given, otherwise all that the server knows.

        Given ones are ranked whatever values they hold; an answer says whether the conversation holds them.
        """
        given = self._given if candidates is None else self._texts(list(dict.fromkeys(candidates)))
        batch, reading = self._trained.waiting(events, user, profile)
        if given is None:
            return tuple(self._best(batch, reading, top))
        return tuple(given.ranked(self._trained.model, batch, reading, top, self._slots))

    def _unknown(self, events: Sequence[Event], user: str) -> tuple[str, ...]:
        """The words that the model has never seen, but for those of values, which it need not know to pass them on.

        Values are told by their form, as numbers are, by what introduces a name, or by the facts.
        """
        words, hidden = list(re.finditer(r"\S+", user)), bytearray(len(user))
        places = [(value.start, value.end) for value in values_in(user)]
        places += [(name.start, name.end) for name in names_in(user) if name.sure]
        told: Phrases[None] = Phrases()
        for event in events:
            for _, value in event.flat() if isinstance(event, Record) else ():
                told.add(phrase_of(value), None)
        found = told.find([word[0] for word in words])
        places += [(words[first].start(), words[end - 1].end()) for first, end, _ in found]
        for start, end in places:
            hidden[start:end] = b"\1" * (end - start)
        plain = [word[0].lower() for word in words if not any(hidden[word.start() : word.end()])]
        return tuple(word for word in dict.fromkeys(plain) if word not in self._words)

    def _texts(self, texts: Sequence[str]) -> GivenResponses:
        encoding = self._trained.encoding
        tokens = encoding.vectors if isinstance(encoding.encoder, TokenRows) else None
        return GivenResponses(texts, encoding.vocabulary, self._own.table.device, tokens)

    @property
    def _slots(self) -> Slots:
        return self._trained.encoding.reader.slots or Slots()

    @torch.no_grad()
    def _best(self, batch: Batch, reading: Reading, top: int) -> list[Answer]:
        model = self._trained.model
        if self._given is not None:
            return self._given.best(model, batch, reading, top, self._slots)
        scores, _ = model.responses(batch)
        return self._trained.best(scores[0], reading, top)

    @torch.no_grad()
    def _memories(self, batch: Batch, reading: Reading) -> tuple[Memory, ...]:
        """The lines that the model holds, latest first; those beyond its memory are left out."""
        attention = self._trained.model.attention(batch)
        lines = reading.memory(reading.turns[-1])
        held = (line.original for line in reversed(lines[-batch.memories.shape[1] :]))
        shares = [()] * batch.memories.shape[1] if attention is None else attention[:, 0].T.tolist()
        # Without any line one empty slot is left.
        return tuple(_memory(line, share) for line, share in zip(held, shares, strict=False))


def _memory(line: str, attention: Sequence[float]) -> Memory:
    speaker, _, text = line.partition(" ")
    return Memory(speaker.strip("<>"), text, tuple(attention))
