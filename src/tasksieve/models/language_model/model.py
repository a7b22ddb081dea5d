r"""The dialog model ``language-model``: a pretrained causal language model with low-rank adapters.

A context is what was said and found, oldest first, each after the word that tells who speaks, then ``System:``. A
response with tokens :math:`r_1 … r_n` has the score

.. math:: \frac{1}{n} \sum_j \log p(r_j \mid \text{context}, r_1 … r_{j-1}),

and its loss is less that, so that what is learned is what responses are ranked by, however long they are. Where
responses are templates or actions, their gaps and labels are read as plain words. Adapters alone are parameters: a
checkpoint holds nothing else, and the pretrained model is read anew from where the configuration says.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tasksieve.contracts import Linearization
from tasksieve.encoding import Batch, Candidates, Choices
from tasksieve.encoding.reading import SYSTEM, USER
from tasksieve.encoding.sentences.token_rows import tokens_in
from tasksieve.errors import UserError
from tasksieve.models.language_model.body import Body, body_of
from tasksieve.models.language_model.peft_folder import write_peft
from tasksieve.models.language_model.reading import candidate_scores, token_losses
from tasksieve.models.language_model.sharding import OneWayBack
from tasksieve.models.language_model.tokens import Spoken
from tasksieve.models.model import DialogModel
from tasksieve.records.model_config import LanguageModelConfig

Found = TypeVar("Found")

_PACK = 1024
"""Tokens of candidates that stand behind one context."""
_AT_ONCE = 8192
"""Tokens that go through the model together where candidates are scored."""
_FOUND = "Found:"


class LanguageModel(DialogModel):
    """A dialog model M_θ whose θ are adapters.

    Args:
        config: settings.
        body: what is adapted.
        speakers: by the number of a memory's first word, what stands before it.
        generator: draws the initial adapters.
    """

    def __init__(
        self, config: LanguageModelConfig, body: Body, speakers: Mapping[int, str], generator: torch.Generator
    ) -> None:
        super().__init__()
        self.config, self._body = config, body
        fresh = body.adapters.fresh(1, generator, torch.device("cpu"))
        self.adapters = nn.ParameterList([nn.Parameter(value[0]) for value in fresh])
        self._speakers = {word: body.tokens.of(text) for word, text in speakers.items()}
        self._found, self._system = body.tokens.of(_FOUND), body.tokens.of("System:")
        self._user, self._end = body.tokens.of("User:"), body.tokens.of("\n")

    @classmethod
    def build(
        cls,
        config: LanguageModelConfig,
        words: int,
        heads: Mapping[str, Candidates],
        generator: torch.Generator,
    ) -> LanguageModel:
        """All tasks share the model, and have no heads."""
        known = next(iter(heads.values())).vocabulary.words
        spoken = {USER: "User:", SYSTEM: "System:"}
        speakers = {number: spoken[word] for number, word in enumerate(known) if word in spoken}
        body = body_of(config.pretrained, config.rank, config.alpha, config.sharded)
        return cls(config, body, speakers, generator)

    def scores(self, batch: Batch, *choices: Choices) -> tuple[Float[Tensor, "batch _"], ...]:
        """The mean log-likelihood a token of all choices of each example."""
        contexts = self._contexts(batch)
        return tuple(self._scored(contexts, one) for one in choices)

    def losses(self, batch: Batch) -> Float[Tensor, " batch"]:
        """The mean loss a token of the right response, and of the entity that it names, in nats."""
        contexts = self._contexts(batch)
        losses = self._right(contexts, batch.choices)
        if bool((batch.targets < 0).any()):
            raise IndexError("an example's right response is none of its choices")
        if batch.entities is not None:
            named = batch.entities.right >= 0
            if self._body.sharded or bool(named.any()):  # processes pass over the model as often as each other
                losses = losses + torch.where(named, self._right(contexts, batch.entities), 0.0)
        return losses

    @property
    def differentiable_twice(self) -> bool:
        """Whether a pass back through a pass back can be had: not with sharded weights."""
        return not self._body.sharded

    def linearize(self, params: Mapping[str, Tensor], batches: Sequence[Batch]) -> Linearization:
        """The losses of several batches with their derivatives; with sharded weights with the first ones alone.

        Args:
            params: where, by name; derivatives are by these.
            batches: at least one.
        """
        if self.differentiable_twice:
            return super().linearize(params, batches)
        return OneWayBack(lambda at: torch.cat([self.losses_at(at, batch) for batch in batches]), dict(params))

    def write_peft(self, folder: Path) -> None:
        """Write the adapters as :func:`~tasksieve.models.language_model.peft_folder.write_peft` does.

        Args:
            folder: made if it is not there.
        """
        write_peft(self._body.adapters, list(self.adapters), folder, self.config.pretrained)

    @torch.no_grad()
    def generated(self, batch: Batch) -> list[tuple[str, float]] | None:
        """The likeliest tokens one after the other, up to the end of the line; None if the run is not to generate.

        What they say is not checked: who gives them to somebody has to look for values of others.
        """
        if self.config.answers != "generated":
            return None
        return [self._generated(context) for context in self._contexts(batch)]

    def _generated(self, context: list[int]) -> tuple[str, float]:
        from transformers import GenerationConfig

        ids = torch.tensor([context], device=self._device)
        settings = GenerationConfig(
            max_new_tokens=self.config.longest_answer,
            do_sample=False,
            eos_token_id=[self._end[-1], self._body.tokens.start[0]],
            pad_token_id=self._end[-1],
            return_dict_in_generate=True,
            output_logits=True,
        )
        mask = torch.ones_like(ids)
        found = self._read(lambda model: model.generate(ids, attention_mask=mask, generation_config=settings))
        said = found.sequences[0, len(context) :]
        likely = torch.stack([step[0].float().log_softmax(0) for step in found.logits])
        score = float(likely.gather(1, said[:, None]).mean())
        text: str = self._body.tokenizer.decode([t for t in said.tolist() if t not in settings.eos_token_id])
        return " ".join(text.split()), score

    def _right(self, contexts: Sequence[list[int]], choices: Choices) -> Float[Tensor, " batch"]:
        """The loss a token of each example's right choice; of the first one where there is none."""
        texts = self._texts(choices)
        right = [texts[max(0, number)] for number in choices.chosen().tolist()]
        spoken = [
            Spoken((*context, *text), ((len(context), len(context) + len(text)),))
            for context, text in zip(contexts, right, strict=True)
        ]

        def means(model: Any) -> Tensor:
            return torch.stack([own.mean() for own in token_losses(model, spoken, self._device)])

        return self._read(means)

    def _scored(self, contexts: Sequence[list[int]], choices: Choices) -> Float[Tensor, "batch most"]:
        texts = self._texts(choices)
        owned = self._offered(choices)
        rows: list[int] = []
        packs: list[list[int]] = []
        for row, numbers in enumerate(owned):
            for pack in _packs(numbers, [len(texts[number]) for number in numbers]):
                rows.append(row)
                packs.append([numbers[place] for place in pack])
        found: list[list[Tensor]] = [[] for _ in contexts]
        lengths = [
            len(contexts[row]) + sum(len(texts[number]) for number in pack)
            for row, pack in zip(rows, packs, strict=True)
        ]
        for part in self._parts(lengths):
            before = [contexts[rows[place]] for place in part]
            behind = [[texts[number] for number in packs[place]] for place in part]
            scored = self._read(partial(candidate_scores, contexts=before, candidates=behind, device=self._device))
            for place, scores in zip(part, scored, strict=True):
                found[rows[place]].append(scores)
        most, full = choices.most, self.adapters[0].new_full((), -math.inf)
        lines = [torch.cat([*own, full.expand(most - sum(map(len, own)))]) for own in found]
        return torch.stack(lines) if lines else self.adapters[0].new_zeros(0, most)

    @staticmethod
    def _parts(lengths: Sequence[int]) -> list[list[int]]:
        """Numbers of rows that go through together, in their order."""
        parts: list[list[int]] = []
        longest = 0
        for number, length in enumerate(lengths):
            longest = max(longest, length)
            if not parts or longest * (len(parts[-1]) + 1) > _AT_ONCE:
                parts.append([])
                longest = length
            parts[-1].append(number)
        return parts

    def _offered(self, choices: Choices) -> list[list[int]]:
        """Numbers of each example's choices, in the order of their places."""
        if choices.offered is None:
            return [list(range(len(choices.table))) for _ in range(len(choices))]
        words, ends = choices.offered.words.tolist(), choices.offered.offsets.tolist()
        return [words[first:end] for first, end in pairwise(ends)]

    def _texts(self, choices: Choices) -> list[list[int]]:
        return [[*text, *self._end] for text in tokens_in(_rows(choices.table.vectors))]

    def _contexts(self, batch: Batch) -> list[list[int]]:
        """The tokens before each response; the oldest are left out where there are too many."""
        texts = tokens_in(_rows(batch.table.vectors))
        firsts = batch.table.padded()[:, 0].tolist() if len(batch.table.words) else [-1] * len(texts)
        contexts = []
        for utterance, memories in zip(batch.utterances.tolist(), batch.memories.tolist(), strict=True):
            last = [*self._user, *texts[utterance], *self._end, *self._system]
            lines: list[list[int]] = []
            room = self.config.context - len(last)
            for number in memories:
                if number < 0 or not texts[number]:
                    continue
                line = [*self._speakers.get(firsts[number], self._found), *texts[number], *self._end]
                room -= len(line)
                if room < 0:
                    break
                lines.append(line)
            contexts.append([*self._body.tokens.start, *(token for line in reversed(lines) for token in line), *last])
        return contexts

    def _read(self, work: Callable[[Any], Found]) -> Found:
        """What some work finds in the pretrained model with these adapters."""
        return self._body.read(work, list(self.adapters))

    @property
    def _device(self) -> torch.device:
        return torch.device(self.adapters[0].device)


def _rows(vectors: Tensor | None) -> Tensor:
    if vectors is None:
        raise UserError("a language model reads tokens, and the run has none; leave model.sentences out")
    return vectors


def _packs(numbers: Sequence[int], lengths: Sequence[int]) -> list[list[int]]:
    """Places of choices that stand behind one context."""
    packs: list[list[int]] = []
    held = 0
    for place in range(len(numbers)):
        if not packs or held + lengths[place] > _PACK:
            packs.append([])
            held = 0
        packs[-1].append(place)
        held += lengths[place]
    return packs
