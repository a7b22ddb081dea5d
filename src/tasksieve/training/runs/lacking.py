"""Where actions are predicted: which turns of a run's dialogs have none, counted and said."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tasksieve.dialogs import Dialog
from tasksieve.encoding import annotated_turns
from tasksieve.errors import UserError
from tasksieve.records.config import DataConfig
from tasksieve.records.left_out import LeftOut, Part, left_out_sentences, only_left_out
from tasksieve.records.model_config import Predicted
from tasksieve.records.said_once import SAID_ONCE
from tasksieve.training.runs.read_files import ReadFiles, data_files

_log = logging.getLogger("tasksieve")


def lacking(part: Part, file: object, dialogs: Sequence[Dialog]) -> LeftOut:
    """How many turns to learn from, or to measure, have no action."""
    turns = sum(turn.learned > 0 for dialog in dialogs for turn in dialog.turns)
    return LeftOut(part, str(file), turns - annotated_turns(dialogs), turns)


def left_out_of(data: DataConfig, read: ReadFiles) -> tuple[LeftOut, ...]:
    """What a run leaves out of its dialogs, by file; nothing where responses are predicted."""
    if read.prediction.what != "actions":
        return ()
    files = data_files(data)
    found = [lacking("primary", files.primary, read.primary), lacking("valid", files.valid, read.valid)]
    related = zip(files.related, read.related, strict=False)  # of an archive on the disk none is read
    found += [lacking("related", file, dialogs) for file, dialogs in related]
    return tuple(found)


def told_left_out(found: Sequence[LeftOut]) -> tuple[LeftOut, ...]:
    """Say to the logger what is left out; returns the files of the parts in which something is."""
    for sentence in left_out_sentences(found):
        _log.info("%s", sentence, extra=SAID_ONCE)
    return only_left_out(found)


def not_measured(file: Path, dialogs: Sequence[Dialog], predict: Predicted) -> dict[str, Any]:
    """What ``test.json`` says of test turns without an action, where some have none and actions are predicted.

    Raises: UserError: if no turn has one.
    """
    if predict != "actions":
        return {}
    found = lacking("test", file, dialogs)
    if found.turns and found.without == found.turns:
        what = "says of no turn what the system does, and the run predicts actions"
        raise UserError(f"{what}; annotate its actions, or measure a run that predicts responses", file)
    return {"left_out": [asdict(found)]} if found.without else {}
