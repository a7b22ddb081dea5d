"""Whether a run's estimator can work, told before anything is read or learned."""

from __future__ import annotations

from tasksieve.errors import UserError
from tasksieve.metagrad import ESTIMATORS
from tasksieve.records.config import MetaConfig


def check_estimator(meta: MetaConfig, *, learns: bool = True) -> None:
    """Refuse an estimator that there is not, that a run has no place for, or that cannot go over the simulated steps.

    Args:
        meta: names it and says which steps are simulated.
        learns: whether there are meta-updates; without them steps are not looked at.
    Raises: UserError: which lists those that a run can use, or says what to set.
    """
    known = [name for name, kind in ESTIMATORS.items() if kind.fits_runs]
    if meta.estimator not in known:
        raise UserError(f"meta.estimator: found '{meta.estimator}'; a run can use {', '.join(known)}")
    kind, only = ESTIMATORS[meta.estimator], f"meta.estimator: '{meta.estimator}' is for"
    other = "or meta.estimator=adjoint"
    if not learns or not meta.updates:
        return
    if kind.single_step and meta.unroll_length > 1:
        raise UserError(f"{only} one simulated step; set meta.unroll_length=1 (found {meta.unroll_length}), {other}")
    if kind.single_step and meta.joint and meta.unroll_length:
        raise UserError(f"{only} one simulated step, and meta.joint simulates two; set meta.joint=false, {other}")
    moves = meta.inner_optimizer == "adam" or (meta.inner_optimizer == "sgd" and meta.inner_momentum > 0)
    if kind.plain_descent and moves:
        raise UserError(f"{only} gradient descent; set meta.inner_optimizer=held-adam, sgd without momentum, {other}")
