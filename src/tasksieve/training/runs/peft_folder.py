"""The adapters of a trained language model, for other tools."""

from __future__ import annotations

from pathlib import Path

from tasksieve.errors import UserError
from tasksieve.models.language_model.model import LanguageModel
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.runs.trained_model import TrainedModel


def write_adapters(run: Path, folder: Path) -> str:
    """Write the adapters of a run's best model for peft, and whatever reads what peft writes.

    Args:
        run: its folder.
        folder: made if it is not there.
    Returns: the name of the pretrained model that they belong to.
    Raises: UserError: if it is no run of a language model, or has no validated checkpoint yet.
    """
    kind = RunFolder(run).read_config().model.kind
    if kind != "language-model":
        raise UserError(f"is a run of '{kind}', without adapters; give one with model.kind = language-model", run)
    model = TrainedModel.load(run).model
    assert isinstance(model, LanguageModel)
    model.write_peft(folder)
    return model.config.pretrained
