"""The turns of a run that look wrongly answered, found, kept with the run and exported."""

from __future__ import annotations

from pathlib import Path

from tasksieve.experiments.weights import check_table_ending, write_any_table
from tasksieve.records.suspicious import NAME
from tasksieve.records.tables import write_table
from tasksieve.training.suspicion import Suspicions, suspicious_turns


def find_suspicious(run: Path, out: Path | None = None, *, every: bool = False) -> Suspicions:
    """Judge the turns of a run, and keep the table in its folder, where `report` finds it.

    Args:
        run: the run folder.
        out: where else to write the table: .parquet, .csv or .jsonl.
        every: whether turns of kinds that the run hardly borrowed are judged too.
    Raises: UserError: as :func:`tasksieve.training.suspicion.suspicious_turns`, and if the table cannot be written.
    """
    if out is not None:
        check_table_ending(out)
    found = suspicious_turns(run, every=every)
    write_table(run / NAME, found.table)
    if out is not None:
        write_any_table(out, found.table)
    return found
