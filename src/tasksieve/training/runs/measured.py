"""Which measure speaks for a run: what selects its model, and what comparisons are about."""

from __future__ import annotations

from tasksieve.encoding import Reader, bag_of, names_of
from tasksieve.encoding.prediction import repeated
from tasksieve.records.config import RunConfig
from tasksieve.records.measures import ACTIONS, RANKING, RESPONSES
from tasksieve.training.runs.read_files import ReadFiles

LOW = 50.0
"""Per cent of the validation responses that must be known from training, for whole responses to be judged."""


def measure_of(config: RunConfig, read: ReadFiles) -> str:
    """The measure that suits a run's data, by the whole files: the same for every method and size.

    Where responses are predicted and fewer than half of the validation responses stand in the training dialogs, as
    templates where entities have names, the right one is ranked among others; accuracy has too low a ceiling. The
    primary task alone tells, so that runs with and without related dialogs agree, and the model that suits them.
    """
    if read.prediction.what == "actions":
        return ACTIONS
    training, held_out = read.whole
    if repeated(training, held_out) >= LOW:
        return RESPONSES
    names = None if config.model.entities == "names" else names_of([*training, *held_out])[0]
    reader = Reader(config.model.facts, names)
    known = {bag_of(turn.response) for reading in reader.read(training) for turn in reading.learned}
    turns = [turn for reading in reader.read(held_out) for turn in reading.learned]
    there = sum(bag_of(turn.response) in known for turn in turns)
    return RESPONSES if 100.0 * there >= LOW * len(turns) else RANKING
