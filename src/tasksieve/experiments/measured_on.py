"""What the runs of a folder were measured on before, where the same runs are wanted again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tasksieve.errors import UserError
from tasksieve.experiments.workers import Job
from tasksieve.records.changed_files import digests_differ
from tasksieve.records.run_folder import RunFolder


def refuse_measured_otherwise(jobs: Sequence[Job], file: Path, digest: str) -> None:
    """Refuse runs that were measured on other test dialogs.

    Args:
        jobs: measured or not.
        file: with the test dialogs.
        digest: its SHA-256.
    Raises: UserError: saying which run that is, on what it was measured, and what to do.
    """
    for folder in (RunFolder(job.path) for job in jobs):
        if not folder.has_record("test"):
            continue
        record = folder.read_record("test", "sha256")
        if record["sha256"] == digest:
            continue
        if (before := record.get("data", str(file))) != str(file):
            raise UserError(
                f"was measured on {before}, and {file} has other dialogs; give that file again, choose another "
                f"--out, or measure a run on this one: tasksieve evaluate RUN --data {file}",
                folder.path,
            )
        found = f"{file} has changed since this run was measured ({digests_differ(record['sha256'], digest)})"
        raise UserError(f"{found}; give it as it was, or choose another --out", folder.path)
