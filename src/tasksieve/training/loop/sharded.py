"""Runs whose model lies in parts over the processes that share them: every pass over it needs all of these."""

from __future__ import annotations

from tasksieve.errors import UserError
from tasksieve.metagrad import ESTIMATORS
from tasksieve.records.config import LoopConfig
from tasksieve.records.model_config import LanguageModelConfig
from tasksieve.training.loop.method import Method
from tasksieve.training.loop.ranks import ALONE, Ranks


def is_sharded(config: LoopConfig) -> bool:
    """Whether the frozen weights of a run's model are to lie in parts over its processes."""
    model = getattr(config, "model", None)
    return isinstance(model, LanguageModelConfig) and model.sharded


def measured_by(ranks: Ranks, config: LoopConfig) -> Ranks:
    """The processes that pass over the model where it is measured: the first alone if it has all of it."""
    return ranks if is_sharded(config) else ALONE


def check_sharded(ranks: Ranks, config: LoopConfig, method: Method) -> None:
    """Refuse what cannot be done with sharded weights.

    Raises: UserError: saying what, and what to do.
    """
    if not is_sharded(config):
        return
    if not ranks.several:
        raise UserError(
            "model.sharded: found true, but there is one process, which needs all weights; start several (torchrun "
            "--nproc-per-node N -m tasksieve train …), or set model.sharded=false"
        )
    if "pooled" in (*method.updates, *method.pretrain):
        raise UserError(
            f"model.sharded: method '{method.name}' draws batches of which a process may have nothing to pass over "
            "the model; take multitask, or set model.sharded=false"
        )
    if "weights" not in method.updates:
        return
    meta = config.meta
    if not ESTIMATORS[meta.estimator].one_way_back:
        known = ", ".join(name for name, kind in ESTIMATORS.items() if kind.one_way_back and kind.fits_runs)
        raise UserError(
            f"model.sharded: the estimator '{meta.estimator}' goes back through a pass back, for which the weights "
            f"are not there any more; set meta.estimator to one of {known}"
        )
    if meta.loss == "calibrated":
        raise UserError(
            "model.sharded: meta.loss=calibrated passes over the model as often as a process has candidates, and all "
            "have to pass alike; take meta.loss=nll"
        )
