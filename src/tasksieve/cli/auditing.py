"""The audit that comes before a training: what it stops, and what it says."""

from __future__ import annotations

from pathlib import Path

from tasksieve.cli.messages import say
from tasksieve.errors import UserError
from tasksieve.records.config import RunConfig
from tasksieve.records.shares import SHARES_EXAMPLE

MOST = 3
"""So many findings are said."""


def audit_first(config: RunConfig, test: str | None, begun: Path, leave_out: bool) -> tuple[str, ...]:
    """Look at the dialogs of a training, and say the gravest of what is found, a line each, on standard error.

    Args:
        config: of the training.
        test: test dialogs that are not drawn from the primary ones.
        begun: is there if the training was begun before; then they were looked at.
        leave_out: do not look.
    Returns: what ought to be mended, which whoever reads the results has to know.
    Raises: UserError: if training is senseless, or a file cannot be read.
    """
    if leave_out or begun.exists():
        return ()
    from tasksieve.audit import audit
    from tasksieve.audit.actions import TOPIC

    data, related = config.data, _looked_through(config)
    found = audit(
        data.primary,
        related,
        valid=data.valid,
        test=test,
        size=data.size,
        predict=data.predict,
        slot_acts=data.slot_acts,
        model=config.model,
        split=data.split,
        split_seed=data.split_seed,
        strict=data.strict,
    )
    if found.stop is not None:
        raise UserError(f"{found.stop.rstrip('.')}; --no-audit trains all the same")
    for finding in found.gravest(MOST, but=TOPIC):  # of those the training tells
        say(f"{finding.level}: {finding.sentence}")
    return tuple(finding.sentence for finding in found.findings if finding.level == "mend")


def _looked_through(config: RunConfig) -> tuple[str, ...]:
    """The related files; none, and a line that says so, if a run would not hold their dialogs in memory either."""
    from tasksieve.training.runs.archives import is_large, related_bytes
    from tasksieve.training.runs.settled import settled
    from tasksieve.variables import large_files

    size = related_bytes(config.data)
    if size < large_files() or not is_large(settled(config)):
        return config.data.related
    say(
        f"look: the related files have {size / 1e6:,.0f} MB together and were not looked through; `tasksieve audit` "
        "does that, with all dialogs in memory"
    )
    return ()


def test_or_split(test: str | None, config: RunConfig) -> str | None:
    """The test dialogs of a comparison; None for those that are drawn from the primary ones.

    Raises: UserError: if there are none, or both.
    """
    if test is None and config.data.split is None:
        drawn = f"--split {SHARES_EXAMPLE} instead of --valid to have all three parts drawn from --primary"
        raise UserError(f"test dialogs are missing: give --test, or {drawn}")
    if test is not None and config.data.split is not None:
        raise UserError("--split draws the test dialogs too; leave --test out, or give --valid instead of --split")
    return test
