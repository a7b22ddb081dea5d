"""Where a run goes on: its last checkpoint, or the one before if that is damaged."""

from __future__ import annotations

import logging

from tasksieve.errors import UserError
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.state import TrainState

_log = logging.getLogger("tasksieve")


def go_on(folder: RunFolder, state: TrainState) -> bool:
    """Read the newest checkpoint that is whole, and make the folder's records end where it does.

    A damaged one is set aside as ``refused.safetensors``, and one sentence of warning is logged.

    Returns: whether there was one to go on from.
    Raises: UserError: if there are checkpoints and none is of use.
    """
    last, previous = folder.last_checkpoint, folder.previous_checkpoint
    if not (last.exists() or previous.exists()):
        return False
    if last.exists():
        try:
            state.load(last)
        except UserError as error:
            _go_back(folder, state, error)
    else:
        state.load(previous)
    state.progress.seconds = folder.forget_after(state.progress.step)
    if state.best:
        state.save_best(folder.best_checkpoint)
    return True


def _go_back(folder: RunFolder, state: TrainState, error: UserError) -> None:
    last, previous = folder.last_checkpoint, folder.previous_checkpoint
    if not previous.exists():
        raise error
    try:
        state.load(previous)
    except UserError as second:
        both = f"{_reason(error)}, and {previous.name} {_reason(second)}"
        raise UserError(f"{both}; train into a new folder", last) from None
    try:
        last.replace(last.with_name("refused.safetensors"))
        previous.replace(last)
    except OSError as failed:
        raise UserError(f"cannot be written: {failed.strerror or failed}", last) from None
    step = state.progress.step
    _log.warning("%s: %s; going on from the checkpoint before, of iteration %d", last, _reason(error), step)


def _reason(error: UserError) -> str:
    return error.message.split(";")[0]
