"""Which measure speaks for a run: what selects its model, and what comparisons are about."""

from __future__ import annotations

from tasksieve.encoding.known_responses import LOW, known_responses
from tasksieve.records.config import RunConfig
from tasksieve.records.measures import ACTIONS, RANKING, RESPONSES
from tasksieve.training.runs.read_files import ReadFiles


def measure_of(config: RunConfig, read: ReadFiles) -> str:
    """The measure that suits a run's data, by the whole files: the same for every method and size.

    Where responses are predicted and fewer than half of the validation responses stand in the training dialogs, as
    templates where entities have names, the right one is ranked among others; accuracy has too low a ceiling. The
    primary task alone tells, so that runs with and without related dialogs agree, and the model that suits them.
    """
    if read.prediction.what == "actions":
        return ACTIONS
    known = known_responses(*read.whole, config.model.facts, named=config.model.entities != "names")
    return RESPONSES if known >= LOW else RANKING
