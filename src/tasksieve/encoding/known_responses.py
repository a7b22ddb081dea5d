"""How many held-out responses are known from training: whether they can be judged whole, or have to be ranked."""

from __future__ import annotations

from collections.abc import Sequence

from tasksieve.dialogs import Dialog
from tasksieve.encoding.names import names_of
from tasksieve.encoding.phrases import bag_of
from tasksieve.encoding.prediction import repeated
from tasksieve.encoding.reading import Reader
from tasksieve.records.model_config import Facts

LOW = 50.0
"""Per cent of the validation responses that must be known from training, for whole responses to be judged."""


def known_responses(
    training: Sequence[Dialog], held_out: Sequence[Dialog], facts: Facts = "needed", *, named: bool = True
) -> float:
    """Per cent of the held-out responses that stand in training dialogs.

    They are looked for word for word and then, where fewer than :data:`LOW` are found, as templates.

    Args:
        training, held_out: dialogs of the primary task.
        facts: which facts the model remembers.
        named: whether responses that name entities are templates.
    """
    plain = repeated(training, held_out)
    if plain >= LOW:
        return plain
    reader = Reader(facts, names_of([*training, *held_out])[0] if named else None)
    known = {bag_of(turn.response) for reading in reader.read(training) for turn in reading.learned}
    turns = [turn for reading in reader.read(held_out) for turn in reading.learned]
    there = sum(bag_of(turn.response) in known for turn in turns)
    return 100.0 * there / len(turns) if turns else 100.0
