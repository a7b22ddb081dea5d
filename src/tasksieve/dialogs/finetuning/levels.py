"""A dialog divided by the weights of its responses, for tools that weight rows or files."""

from __future__ import annotations

from dataclasses import replace

from tasksieve.dialogs.finetuning.chats import WeightedChat


def level_of(weight: float, step: float) -> float:
    """The nearest multiple of a step; at least one step for a weight above 0, so that nothing is left out by it.

    >>> level_of(0.349, 0.1), level_of(0.001, 0.1), level_of(0.0, 0.1)
    (0.3, 0.1, 0.0)
    """
    return round(max(1, round(weight / step)) * step, 6) if weight > 0 else 0.0


def levels(chat: WeightedChat, step: float) -> list[float]:
    """The levels of a dialog's learned responses, the highest first."""
    return sorted({level_of(weight, step) for weight in chat.weights.values() if weight > 0}, reverse=True)


def of_level(chat: WeightedChat, level: float, step: float) -> WeightedChat:
    """The dialog with weight 1 for the responses of a level, and 0 for the others.

    It ends with the last of these; with the level that has the dialog's last learned response nothing is cut, so that
    every message stands in some row.
    """
    chosen = {place: float(level_of(weight, step) == level) for place, weight in chat.weights.items()}
    last = max(place for place, flag in chosen.items() if flag)
    latest = max(place for place, weight in chat.weights.items() if weight > 0)
    end = len(chat.messages) if last == latest else last + 1
    return replace(
        chat,
        messages=chat.messages[:end],
        weights={place: flag for place, flag in chosen.items() if place < end},
    )
