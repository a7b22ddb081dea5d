"""What goes with a comparison's results: runs, turns without an action, what was not mended, how many were ranked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tasksieve.dialogs import Dialog
from tasksieve.errors import UserError
from tasksieve.experiments.workers import Job
from tasksieve.records.comparison import FailedRun, MeasuredSeed
from tasksieve.records.config import DataConfig
from tasksieve.records.files import read_json, write_json
from tasksieve.records.left_out import LeftOut
from tasksieve.records.measures import RANKED, RANKING, VALID_AMONG, key_of
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.divergence import Diverged
from tasksieve.training.methods import method_named
from tasksieve.training.runs.lacking import lacking, left_out_of, told_left_out
from tasksieve.training.runs.read_files import ReadFiles, data_files


def told_of(data: DataConfig, read: ReadFiles, test: str | None, tested: Sequence[Dialog]) -> tuple[LeftOut, ...]:
    """Say which turns have no action, where actions are predicted.

    Args:
        data: of the comparison.
        read: its training and validation dialogs, and the related ones.
        test: the file with test dialogs; None where they are drawn from the primary ones.
        tested: these.
    Returns: how many, by file of each part that lacks some.
    """
    found = left_out_of(data, read)
    if found:
        file = test if test is not None else data_files(data).primary
        found = (*found, lacking("test", file, tested))
    return told_left_out(found)


def with_related(found: Sequence[LeftOut], jobs: Sequence[Job]) -> tuple[LeftOut, ...]:
    """What is left out, of the related files too where these are an archive on the disk.

    Args:
        found: of the other files.
        jobs: done; the first one that borrowed says it.
    """
    for folder in (RunFolder(job.path) for job in jobs):
        told = [LeftOut(**one) for one in folder.read_record("result").get("left_out", ())]
        if related := [one for one in told if one.part == "related"]:
            return (*(one for one in found if one.part != "test"), *related, *(o for o in found if o.part == "test"))
    return tuple(found)


AUDIT = "audit.json"
"""What a comparison was told to mend before its first run; there if it was told something."""


def told_to_mend(out: Path, sentences: Sequence[str]) -> tuple[str, ...]:
    """What a comparison was told to mend when it began, now or before.

    It is written down before the first run: whoever goes on looks at no dialog again, and of several slices another
    one may write the table.

    Args:
        out: the comparison's folder, which is held.
        sentences: said now; none if it goes on.
    """
    if sentences:
        write_json(out / AUDIT, {"to_mend": list(sentences)})
        return tuple(sentences)
    file = next((file for file in (out / AUDIT, out / "comparison.json") if file.exists()), None)
    known = read_json(file).get("to_mend") if file is not None else None
    return tuple(map(str, known)) if isinstance(known, list) else ()


def ranked_among(jobs: Sequence[Job], measure: str) -> dict[str, int]:
    """Among how many responses the right ones were ranked at the largest size, on `valid` and `test` dialogs.

    Args:
        jobs: done.
        measure: of the comparison; nothing is found where it ranks nothing.
    """
    found: dict[str, int] = {}
    largest = max((job.size for job in jobs), default=0)
    for folder in (RunFolder(job.path) for job in jobs if measure == RANKING and job.size == largest):
        selection = folder.read_record("test").get("selection") or {}
        counts = {
            "valid": folder.read_record("result").get(VALID_AMONG),
            "test": selection.get(str(RANKED), {}).get("fewest_ranked"),
        }
        found |= {name: count for name, count in counts.items() if isinstance(count, int)}
    return found


def check_sizes(data: DataConfig, sizes: Sequence[int], read: ReadFiles) -> None:
    """Raise UserError if there are fewer primary dialogs than one of the sizes."""
    most, there = max(sizes, default=0), len(read.whole[0])
    if most > there:
        raise UserError(
            f"--sizes: found {most}, and there are {there} training dialogs; give no more than that",
            data_files(data).primary,
        )


def failed_run(job: Job, error: Diverged) -> FailedRun:
    """A run that diverged, and how."""
    training = RunFolder(job.path).read_config().training
    return FailedRun(name=job.name, method=training.method, seed=training.seed, message=str(error))


def seed_result(result: dict[str, Any], measured: dict[str, Any], measure: str) -> MeasuredSeed:
    """One run of a comparison.

    Args:
        result, measured: its records ``result.json`` and ``test.json``.
        measure: of the comparison.
    """
    measures = measured.get("measures", {"accuracy": measured["accuracy"]})
    return MeasuredSeed(
        seed=result["seed"],
        test_accuracy=measures[key_of(measure)],
        valid_accuracy=result["valid_accuracy"],
        per_dialog_accuracy=measured["per_dialog_accuracy"],
        iterations=result["iterations"],
        seconds=result["seconds"],
        measures=measures,
        meta_updates=result.get("meta_updates", 0),
        meta_updates_skipped=result.get("meta_updates_skipped", 0),
        seedless=method_named(result["method"]).simple,
        by_dialog=measured.get("by_dialog", {}),
    )
