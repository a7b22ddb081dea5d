"""Where a run goes on: its last checkpoint, or the one before if that is damaged."""

from __future__ import annotations

import logging

from tasksieve.errors import UserError
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.state import TrainState
from tasksieve.training.loop.tensor_files import read_facts

_log = logging.getLogger("tasksieve")
_LOST = "the best model so far is lost; remove the checkpoints beside it to train again from the start"


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
    _have_best(folder, state)
    state.progress.seconds = folder.forget_after(state.progress.step)
    return True


def _have_best(folder: RunFolder, state: TrainState) -> None:
    """See to it that the best model so far is on the disk.

    It is written after the checkpoint that found it, so it may be missing, but then the checkpoint has it. If the run
    goes on from an earlier checkpoint, the file may be of a later iteration, which the run will come to again.
    """
    progress, best = state.progress, folder.best_checkpoint
    if not progress.best_step:
        return
    if progress.best_step == progress.step:
        state.copy().write_model(best)
        return
    try:
        written = read_facts(best).get("step", "")
    except UserError as error:
        raise UserError(f"{_reason(error)}; {_LOST}", best) from None
    if not written.isdecimal() or int(written) < progress.best_step:
        raise UserError(f"is not of iteration {progress.best_step}; {_LOST}", best)


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
