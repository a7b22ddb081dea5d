"""Weights as fine-tuning tools have them, and ``sieve`` writes them, as what they are here: weights of messages.

* ``loss_weight`` (LLaMA-Factory), ``loss_scale`` (ms-swift) and ``train`` (axolotl) of a message: of a response, in
  place of ``weight``;
* ``weights`` of a dialog (TRL, Hugging Face): one for each of the assistant's messages, in their order;
* ``weight`` of a dialog (Fireworks): multiplies those of its responses.

Beside the latter two, ``service`` and ``dialog`` say where the dialog was. What is no such weight stays as it is, and
is named as not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tasksieve.dialogs.formats.annotations import MOST_WEIGHT, WEIGHT, plain_weight
from tasksieve.dialogs.formats.chat_rows import Row
from tasksieve.dialogs.formats.message_shapes import is_response

_OF_MESSAGES = ("loss_weight", "loss_scale", "train")
_WEIGHTS = "weights"
_PLACES = {"service": str, "dialog": int}


def with_own_weights(value: object, row: Row) -> Row:
    """A row whose messages have the weights that tools have under other names, or in other places.

    Args:
        value: the object of the file.
        row: what it holds.
    """
    if not isinstance(value, Mapping) or row.alone or WEIGHT in row.read:
        return row
    of_messages = any(isinstance(one, Mapping) and not one.keys().isdisjoint(_OF_MESSAGES) for _, one in row.messages)
    if not of_messages and value.keys().isdisjoint((_WEIGHTS, WEIGHT)):
        return row
    messages = [_renamed(message) for _, message in row.messages]
    responses = [place for place, message in enumerate(messages) if is_response(message)]
    listed = value.get(_WEIGHTS)
    given = {_WEIGHTS: listed if isinstance(listed, list) else [], WEIGHT: [value.get(WEIGHT)] * len(responses)}
    moved = {key: weights for key, weights in given.items() if responses and _are_weights(weights, len(responses))}
    for weights in moved.values():
        for place, weight in zip(responses, weights, strict=True):
            messages[place] = _times(messages[place], weight)
    places = {key for key, kind in _PLACES.items() if moved and isinstance(value.get(key), kind)}
    placed = tuple((name, message) for (name, _), message in zip(row.messages, messages, strict=True))
    return replace(row, messages=placed, read=row.read | moved.keys() | places, moved=frozenset(moved))


def _renamed(message: Any) -> Any:
    """A message with its weight under the one name, or without it where it is no response and counts nothing."""
    if not isinstance(message, Mapping) or message.get(WEIGHT) is not None:
        return message
    name = next((name for name in _OF_MESSAGES if message.get(name) is not None), None)
    if name is None or not _is_weight(message[name]):
        return message
    rest = {key: value for key, value in message.items() if key != name}
    if is_response(message):
        return {**rest, WEIGHT: plain_weight(float(message[name]))}
    return message if message[name] else rest


def _times(message: Any, factor: float) -> Any:
    """A message whose weight is multiplied; as it is where that is none, which is refused when it is read."""
    weight = message.get(WEIGHT)
    if factor == 1 or not (weight is None or _is_weight(weight)):
        return message
    return {**message, WEIGHT: plain_weight((1.0 if weight is None else weight) * float(factor))}


def _are_weights(values: list[Any], count: int) -> bool:
    return len(values) == count and all(map(_is_weight, values))


def _is_weight(value: Any) -> bool:
    return isinstance(value, (int, float)) and 0 <= value <= MOST_WEIGHT
