"""The turns of a run's dialogs that look wrongly answered, most suspicious first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tasksieve.dialogs import Dialog
from tasksieve.encoding import EncodedTask, Example
from tasksieve.errors import UserError
from tasksieve.models import DialogModel
from tasksieve.records.config import RunConfig
from tasksieve.records.parted_paths import data_sha256
from tasksieve.records.run_folder import RunFolder
from tasksieve.records.suspicious import PRIMARY, RELATED, SCHEMA, VALID
from tasksieve.training.loop.state import load_module
from tasksieve.training.loop.tensor_files import read_tensors
from tasksieve.training.runs.dialog_tasks import DialogTasks, load_tasks
from tasksieve.training.runs.dialogs import build_model, method_of
from tasksieve.training.runs.read_files import DataFiles, data_files, read_files, require_files
from tasksieve.training.runs.task_readings import PRIMARY_HEAD
from tasksieve.training.suspicion.scores import enough, judge, means_by_kind, reason
from tasksieve.training.suspicion.services import Array, Numbers, Service, primary_service, related_services

BORROWED = 0.25
"""A kind of turn is borrowed if its mean weight is at least this share of the mean of all related turns."""


@dataclass(frozen=True, slots=True)
class Suspicions:
    """What was judged.

    Attributes:
        table: all turns that were judged, the most suspicious first: :data:`SCHEMA`.
        not_borrowed: related turns of kinds that the run hardly borrowed, which are left out.
        too_few: turns of services with too few dialogs to contradict each other, which are left out.
        related: how many related turns there are.
    """

    table: pl.DataFrame
    not_borrowed: int
    too_few: int
    related: int = 0


@dataclass(frozen=True, slots=True)
class RunService:
    """A service of a run.

    Attributes:
        name: of a related task; empty for the primary one.
        service: its turns; of the primary task the training dialogs' come first, then the validation dialogs'.
        weights: the last recorded weight of each turn; None where there are none.
        sources: what its turns are from: the part, its file and dialogs, and how many turns are from it.
    """

    name: str
    service: Service
    weights: Array | None
    sources: tuple[tuple[str, Path, Sequence[Dialog], int], ...]

    @property
    def kind_means(self) -> Array | None:
        """For each turn the mean weight of its kind."""
        if self.weights is None:
            return None
        return means_by_kind([example.kind for example in self.service.examples], self.weights)


def suspicious_turns(path: Path | str, *, every: bool = False) -> Suspicions:
    """Judge all training and validation turns of a finished run on dialogs.

    Related turns are judged against those of the same service, primary ones against those of the primary task's
    training and validation dialogs: by their neighbours, by what other dialogs let expect and by the trained model's
    loss (:mod:`tasksieve.training.suspicion.evidence`).

    Args:
        path: the run folder; its data have to be where they were, unchanged.
        every: whether turns of kinds that the run hardly borrowed are judged too.
    Raises: UserError: if it is no such run, has no model yet, or a data file is another now.
    """
    services = services_of_run(path)
    known = [one.weights for one in services if one.weights is not None]
    borrowed = BORROWED * float(np.mean(np.concatenate(known))) if known and not every else 0.0
    rows: list[dict[str, Any]] = []
    not_borrowed = too_few = 0
    for one in services:
        if not enough(one.service):
            too_few += len(one.service)
            continue
        means = one.kind_means
        kept = np.arange(len(one.service)) if means is None else np.flatnonzero(means >= borrowed)
        not_borrowed += len(one.service) - len(kept)
        rows += _rows(one, kept)
    table = pl.DataFrame(rows, schema=SCHEMA).sort("score", descending=True, maintain_order=True)
    return Suspicions(table, not_borrowed, too_few, sum(len(one.service) for one in services if one.name))


def services_of_run(path: Path | str) -> list[RunService]:
    """The primary task of a finished run, then its related tasks, as its model sees them.

    Raises: UserError: as :func:`suspicious_turns`.
    """
    folder = RunFolder(Path(path))
    config = folder.read_config()
    method = method_of(config)
    if method.simple:
        what = f"was fitted by '{method.name}', a simple baseline, which keeps no model"
        raise UserError(f"{what}; give the folder of another method's run", folder.path)
    files = data_files(config.data)
    require_files(files.all(), "run the command in the folder that `tasksieve train` ran in, or put the file there")
    _check_files(folder, files)
    tasks = load_tasks(config, method)
    model, written, valid = _model(folder, config, tasks), tasks.encoding.reader.written, _valid(tasks)
    read = read_files(config.data)
    sources = (
        (PRIMARY, files.primary, read.primary, len(tasks.primary)),
        (VALID, files.valid, read.valid, len(valid)),
    )
    found = [RunService("", primary_service(model, tasks.primary, valid, written=written), None, sources)]
    related = related_services(model, tasks.related, written=written)
    places = zip(files.services, files.related, read.related, strict=True) if related else ()
    for (name, file, dialogs), service, weights in zip(places, related, _weights(folder, related), strict=True):
        found.append(RunService(name, service, weights, ((RELATED, file, dialogs, len(service)),)))
    return found


def _check_files(folder: RunFolder, files: DataFiles) -> None:
    known = folder.read_record("environment", "data")["data"]
    for file in files.all():
        if not isinstance(known, dict) or known.get(str(file)) != data_sha256(file):
            raise UserError("is not what the run was trained on; put the file back, or train again", file)


def _model(folder: RunFolder, config: RunConfig, tasks: DialogTasks) -> DialogModel:
    tensors, _ = read_tensors(folder.best_checkpoint)
    encoding = tasks.encoding
    model = build_model(config, len(encoding.vocabulary), encoding.candidates).to(config.training.device)
    load_module(model, tensors, "model.", folder.best_checkpoint)
    model.eval()
    return model


def _valid(tasks: DialogTasks) -> EncodedTask:
    """The validation dialogs, encoded as those that are learned from: with as many choices."""
    if not tasks.encoding.reader.written:
        return tasks.valid
    return tasks.encoding.encode(tasks.held_out, PRIMARY_HEAD, to_learn=True)


def _weights(folder: RunFolder, services: Sequence[Service]) -> Iterator[Array | None]:
    """The last recorded weights of each related service's turns; None where there are none."""
    steps = folder.weight_steps()
    known: dict[tuple[int, int, int], float] = {}
    if steps:
        recorded = folder.read_weights(steps[-1]).select("example", "weight")
        places = folder.read_examples().select("example", "task", "dialog", "turn").join(recorded, on="example")
        known = {(task, dialog, turn): weight for _, task, dialog, turn, weight in places.iter_rows()}
    for service in services:
        found = [known.get((one.task, one.dialog, one.turn)) for one in service.examples]
        yield None if any(weight is None for weight in found) else np.array(found, dtype=float)


def _rows(one: RunService, kept: Numbers) -> list[dict[str, Any]]:
    judged, means, service = judge(one.service), one.kind_means, one.service
    of_turn = [source for source in one.sources for _ in range(source[3])]
    rows = []
    for turn in kept.tolist():
        example, (part, file, dialogs, _) = service.examples[turn], of_turn[turn]
        dialog = dialogs[example.dialog]
        rows.append(
            {
                "score": float(judged.scores[turn]),
                "part": part,
                "service": one.name,
                "file": str(file),
                "line": dialog.line or None,
                "dialog": example.dialog,
                "turn": example.turn,
                "kind": example.kind,
                "before": _before(dialog, example),
                "user": example.user,
                "response": example.system,
                "expected": service.texts[judged.expectation.nearest[turn]],
                "reason": reason(service, judged, turn, one.weights, means),
                "weight": None if one.weights is None else float(one.weights[turn]),
            }
        )
    return rows


def _before(dialog: Dialog, example: Example) -> str:
    return dialog.turns[example.turn - 1].system if example.turn else ""
