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
from tasksieve.training.runs.read_files import DataFiles, data_files, read_files
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
    """

    table: pl.DataFrame
    not_borrowed: int
    too_few: int


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the turns of a service are from: for its parts the name, file and dialogs, by number of part."""

    service: str
    parts: tuple[tuple[str, Path, Sequence[Dialog]], ...]


def suspicious_turns(path: Path | str, *, every: bool = False) -> Suspicions:
    """Judge all training and validation turns of a finished run on dialogs.

    Related turns are judged against those of the same service, primary ones against those of the primary task's
    training and validation dialogs: by their neighbours, by what other dialogs let expect and by the trained model's
    loss (:mod:`tasksieve.training.suspicion.evidence`), and by their weight where the run weights turns of one kind
    differently.

    Args:
        path: the run folder; its data have to be where they were, unchanged.
        every: whether turns of kinds that the run hardly borrowed are judged too.
    Raises: UserError: if it is no such run, has no model yet, or a data file is another now.
    """
    folder = RunFolder(Path(path))
    config = folder.read_config()
    method = method_of(config)
    if method.simple:
        what = f"was fitted by '{method.name}', a simple baseline, which keeps no model"
        raise UserError(f"{what}; give the folder of another method's run", folder.path)
    files = data_files(config.data)
    _check_files(folder, files)
    tasks = load_tasks(config, method)
    model = _model(folder, config, tasks)
    written = tasks.encoding.reader.written
    services = [primary_service(model, tasks.primary, _valid(tasks), written=written)]
    services += related_services(model, tasks.related, written=written)
    weights = [None, *_weights(folder, services[1:])]
    places = _places(config, files, tasks)
    rows: list[dict[str, Any]] = []
    not_borrowed = too_few = 0
    usual = float(np.mean(np.concatenate(found))) if (found := [one for one in weights if one is not None]) else 0.0
    for service, own, place in zip(services, weights, places, strict=True):
        if not enough(service):
            too_few += len(service)
            continue
        means = None if own is None else means_by_kind([example.kind for example in service.examples], own)
        hardly = None if every or means is None else means < BORROWED * usual
        left_out = np.zeros(len(service), dtype=bool) if hardly is None else hardly
        not_borrowed += int(left_out.sum())
        rows += _rows(service, place, own, means, np.flatnonzero(~left_out), len(tasks.primary))
    table = pl.DataFrame(rows, schema=SCHEMA).sort("score", descending=True, maintain_order=True)
    return Suspicions(table, not_borrowed, too_few)


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
    return tasks.encoding.encode(tasks.held_out, PRIMARY_HEAD, to_learn=True)


def _weights(folder: RunFolder, services: Sequence[Service]) -> Iterator[Array | None]:
    """The last recorded weights of each related service; None where there are none."""
    steps = folder.weight_steps()
    known: dict[tuple[int, int, int], float] = {}
    if steps:
        recorded = folder.read_weights(steps[-1]).select("example", "weight")
        places = folder.read_examples().select("example", "task", "dialog", "turn").join(recorded, on="example")
        known = {(task, dialog, turn): weight for _, task, dialog, turn, weight in places.iter_rows()}
    for service in services:
        found = [known.get((one.task, one.dialog, one.turn)) for one in service.examples]
        yield None if any(weight is None for weight in found) else np.array(found, dtype=float)


def _places(config: RunConfig, files: DataFiles, tasks: DialogTasks) -> list[_Place]:
    read = read_files(config.data)
    own = ((PRIMARY, files.primary, read.primary), (VALID, files.valid, read.valid))
    related = zip(files.services, files.related, read.related, strict=True) if tasks.related else ()
    return [_Place("", own), *(_Place(name, ((RELATED, file, dialogs),)) for name, file, dialogs in related)]


def _rows(
    service: Service, place: _Place, weights: Array | None, means: Array | None, kept: Numbers, primary: int
) -> list[dict[str, Any]]:
    judged = judge(service, weights, means)
    rows = []
    for turn in kept.tolist():
        example = service.examples[turn]
        part, file, dialogs = place.parts[int(len(place.parts) > 1 and turn >= primary)]
        dialog = dialogs[example.dialog]
        rows.append(
            {
                "score": float(judged.scores[turn]),
                "part": part,
                "service": place.service,
                "file": str(file),
                "line": dialog.line or None,
                "dialog": example.dialog,
                "turn": example.turn,
                "kind": example.kind,
                "before": _before(dialog, example),
                "user": example.user,
                "response": example.system,
                "expected": service.texts[judged.expectation.nearest[turn]],
                "reason": reason(service, judged, turn, weights, means),
                "weight": None if weights is None else float(weights[turn]),
            }
        )
    return rows


def _before(dialog: Dialog, example: Example) -> str:
    return dialog.turns[example.turn - 1].system if example.turn else ""
