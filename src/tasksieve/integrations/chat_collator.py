"""Chats with weights, as batches for a language model."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import Tensor

from tasksieve.errors import UserError
from tasksieve.integrations.chat_messages import assert_written, messages_of, names_of, tools_of
from tasksieve.integrations.chat_text import ASSISTANT, Text, rendered
from tasksieve.integrations.rows import OUTSIDE, Row, packed, padded
from tasksieve.integrations.weighted_loss import IGNORED

FIXED = -1
"""The group of an example whose weight is not learned."""

Example = Mapping[str, Any]


@dataclass
class ChatCollator:
    """A data collator: labels and weights of the assistant's turns alone.

    An example is a mapping with ``messages``, each with ``role``, ``content`` (a text, or parts that are texts) and,
    if it is the assistant's, optionally ``tool_calls`` and ``weight``. It may have ``tools`` (a list, or JSON text of
    one) for the chat template, a ``weight`` of the whole, ``weights`` (one for each of the assistant's turns, in
    their order), ``group`` (a number; without it, or -1, its weight is not learned) and ``features`` (numbers that a
    weight module is to read). Weights of turn and example are multiplied; those missing are 1. An example is a row,
    and one more for each turn that the chat template writes otherwise once more is said.

    Attributes:
        tokenizer: of transformers. Its chat template is used if it has one, else lines ``role: content``.
        max_length: tokens of a row; of longer ones the last are kept, with one warning.
        packing: lay rows one after the other up to ``max_length``, for decoders.
        encoder_decoder: for models such as T5: what precedes a turn is the input, the turn the label, a row each.
        unit: what a learned weight belongs to, an ``example`` or a ``turn``.

    Raises, when called: UserError: if an example has no message of the assistant, a message has no role or no text,
        the chat template leaves calls out, a weight is not a number of 0 or more, or a group not a whole one.
    """

    tokenizer: Any
    max_length: int = 1024
    packing: bool = False
    encoder_decoder: bool = False
    unit: Literal["example", "turn"] = "example"
    _told: bool = field(default=False, init=False, repr=False)
    _told_tools: bool = field(default=False, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.packing and self.encoder_decoder:
            raise UserError("packing is for decoders; leave it out for an encoder-decoder")

    def __call__(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        """A batch: ``input_ids``, ``labels``, ``token_weights``, ``units``, ``groups`` and what attention needs.

        ``examples`` is of each unit the number of its example in the batch, shape (units,), as ``groups`` is.
        """
        if not len(examples):
            raise UserError("a batch has no examples; give at least one")
        rows: list[Row] = []
        groups: list[int] = []
        features: list[Any] = []
        owners: list[int] = []
        for number, example in enumerate(examples):
            found, units = self._rows(example, len(groups), number)
            rows += found
            groups += [_group(example.get("group"), number)] * units
            features += [example.get("features")] * units
            owners += [number] * units
        batch = packed(rows, self._padding, self.max_length) if self.packing else padded(rows, self._padding)
        batch["groups"] = torch.tensor(groups, dtype=torch.long)
        batch["examples"] = torch.tensor(owners, dtype=torch.long)
        if any(one is not None for one in features):
            batch["features"] = _features(features)
        return batch

    @property
    def _padding(self) -> int:
        found = self.tokenizer.pad_token_id
        return int(found if found is not None else self.tokenizer.eos_token_id or 0)

    def _rows(self, example: Example, first: int, number: int) -> tuple[list[Row], int]:
        """The rows of an example, and how many units it has."""
        if not isinstance(example, Mapping):
            raise UserError(f"example {number + 1} of a batch is of type {type(example).__name__}; give a mapping")
        where = f"example {number + 1} of a batch"
        messages, tools = messages_of(example, where), tools_of(example, where)
        texts = rendered(self.tokenizer, messages, tools, apart=self.encoder_decoder)
        assert_written(texts, messages, where)
        self._tell_tools(texts[0].text, names_of(tools or ()))
        turns = [place for place, message in enumerate(messages) if message["role"] == ASSISTANT]
        weights = dict(zip(turns, _turn_weights(example, example["messages"], number), strict=True))
        units = {place: first + turn if self.unit == "turn" else first for turn, place in enumerate(turns)}
        if self.encoder_decoder:
            rows = [
                self._pair(
                    text[: span.start], text[span.start : span.end], weights[span.message], units[span.message]
                )
                for text, spans in texts
                for span in spans
            ]
        else:
            rows = [self._within_length(self._decoder_row(text, weights, units)) for text in texts]
        return rows, len(turns) if self.unit == "turn" else 1

    def _tell_tools(self, text: str, names: Sequence[str]) -> None:
        if names and not self._told_tools and not any(name in text for name in names):
            self._told_tools = True
            warnings.warn(
                "the tokenizer's chat template writes nothing of the tools that examples have; take one that does, "
                "or leave tools out",
                stacklevel=5,
            )

    def _decoder_row(self, text: Text, weights: Mapping[int, float], units: Mapping[int, int]) -> Row:
        """A text, cut where the assistant starts and ends to speak, so that no token is of two turns."""
        edges = [0, *(edge for span in text.spans for edge in (span.start, span.end)), len(text.text)]
        tokens: list[int] = []
        owners: list[int | None] = []
        for number, (start, end) in enumerate(pairwise(edges)):
            part = self._tokens(text.text[start:end])
            tokens += part
            owners += [text.spans[number // 2].message if number % 2 else None] * len(part)
        return Row(
            tokens,
            [IGNORED if owner is None else token for token, owner in zip(tokens, owners, strict=True)],
            [0.0 if owner is None else weights[owner] for owner in owners],
            [OUTSIDE if owner is None else units[owner] for owner in owners],
        )

    def _pair(self, before: str, answer: str, weight: float, unit: int) -> Row:
        labels = self._tokens(answer)
        if labels and labels[-1] != self.tokenizer.eos_token_id and self.tokenizer.eos_token_id is not None:
            labels.append(self.tokenizer.eos_token_id)
        row = self._within_length(Row(self._tokens(before) or [self._padding], labels, (), ()))
        return Row(row.tokens, row.labels, [weight] * len(row.labels), [unit] * len(row.labels))

    def _tokens(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"]) if text else []

    def _within_length(self, row: Row) -> Row:
        if max(len(row.tokens), len(row.labels)) <= self.max_length:
            return row
        if not self._told:
            self._told = True
            warnings.warn(
                f"a conversation has {len(row.tokens)} tokens; of those longer than max_length = {self.max_length} "
                "the last are kept",
                stacklevel=5,
            )
        return row.last(self.max_length)


def _turn_weights(example: Example, messages: Sequence[Mapping[str, Any]], number: int) -> list[float]:
    """The weight of each of the assistant's turns."""
    whole, turns = example.get("weight"), [m.get("weight") for m in messages if m["role"] == ASSISTANT]
    listed = example.get("weights")
    if listed is None:
        listed = [None] * len(turns)
    if len(listed) != len(turns):
        raise UserError(
            f"example {number + 1} of a batch has {len(listed)} weights and {len(turns)} turns of the assistant; "
            "give one for each"
        )
    return [
        _weight(whole, number) * _weight(a, number) * _weight(b, number) for a, b in zip(turns, listed, strict=True)
    ]


def _weight(value: Any, number: int) -> float:
    if value is None:
        return 1.0
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found) or found < 0:
        raise UserError(f"example {number + 1} of a batch has the weight {value!r}; it must be a number of 0 or more")
    return found


def _group(value: Any, number: int) -> int:
    if value is None:
        return FIXED
    try:
        found = FIXED - 1 if isinstance(value, bool) else int(value)
        whole = not isinstance(value, str) and found == value
    except (TypeError, ValueError, OverflowError):
        found, whole = FIXED - 1, False
    if not whole or found < FIXED:
        raise UserError(
            f"example {number + 1} of a batch has the group {value!r}; it must be a whole number of 0 or more, or -1"
        )
    return found


def _features(found: Sequence[Any]) -> Tensor:
    width = next(len(one) for one in found if one is not None)
    if any(one is not None and len(one) != width for one in found):
        raise UserError("examples of a batch have features of different numbers; give all as many")
    return torch.tensor([[0.0] * width if one is None else [float(value) for value in one] for one in found])
