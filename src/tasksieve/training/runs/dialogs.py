"""Runs on dialogs: their parts, made from a configuration."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
import torch

from tasksieve.encoding import Candidates, EncodedTask, derived_generator
from tasksieve.encoding.archive_writing import EXAMPLE_COLUMNS
from tasksieve.encoding.archived_task import ArchivedTask
from tasksieve.encoding.calls import is_call
from tasksieve.errors import UserError
from tasksieve.models import DialogModel, DialogWeightModule, Model, model_of, weight_module_of
from tasksieve.records.config import RunConfig
from tasksieve.records.measures import RANKING, VALID_AMONG
from tasksieve.records.progress import Watcher
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.ranks import ALONE, Ranks
from tasksieve.training.loop.run import NOBODY, run
from tasksieve.training.loop.setting import Parts, Setting
from tasksieve.training.loop.state import load_module
from tasksieve.training.loop.streams import MODEL_STREAM, WEIGHT_MODULE_STREAM
from tasksieve.training.loop.tensor_files import read_tensors
from tasksieve.training.methods import Method, Start, method_named
from tasksieve.training.runs.archive_tasks import load_tasks
from tasksieve.training.runs.dialog_tasks import DialogTasks
from tasksieve.training.runs.evaluation import accuracy, mean_probability, task_ranks
from tasksieve.training.runs.fallback import fallback_of, wrong_calls
from tasksieve.training.runs.labels import read_labels
from tasksieve.training.runs.lacking import told_left_out
from tasksieve.training.runs.predictions import distractors_of
from tasksieve.training.runs.read_files import data_files, read_files
from tasksieve.training.runs.selection import SIZES, Ranking, selection_ranks
from tasksieve.training.runs.settled import settled
from tasksieve.training.runs.simple import fit
from tasksieve.training.tracking import Tracking

_log = logging.getLogger("tasksieve")


def build_model(config: RunConfig, words: int, heads: Mapping[str, Candidates]) -> DialogModel:
    """The dialog model of the configuration's kind with its initial parameters, on the CPU."""
    generator = derived_generator(config.training.seed, MODEL_STREAM)
    with _seeded(generator):
        return model_of(config.model).build(config.model, words, heads, generator)


def build_weight_module(config: RunConfig, words: int) -> DialogWeightModule:
    """The weight module of the configuration's kind with its initial parameters, on the CPU."""
    generator = derived_generator(config.training.seed, WEIGHT_MODULE_STREAM)
    with _seeded(generator):
        return weight_module_of(config.weight_module).build(config.weight_module, words, generator)


@contextmanager
def _seeded(generator: torch.Generator) -> Iterator[None]:
    """Let torch's own random state follow from a generator's seed, for layers that draw from that."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(generator.initial_seed())
        yield


def build_parts(config: RunConfig, method: Method) -> Parts:
    """Read the dialogs and make everything a run starts from."""
    config = settled(config)
    tasks = load_tasks(config, method)
    left_out = told_left_out(tasks.left_out)
    words, device = len(tasks.encoding.vocabulary), config.training.device

    def fresh_model() -> DialogModel:
        return build_model(config, words, tasks.encoding.candidates).to(device)

    def measure(model: Model) -> float:
        assert isinstance(model, DialogModel)
        return mean_probability(model, tasks.valid)

    def conclude(folder: RunFolder, ranks: Ranks) -> dict[str, Any]:
        if not ranks.told(folder.best_checkpoint.exists()):
            return {}
        best = fresh_model()
        if ranks.first:
            load_module(best, read_tensors(folder.best_checkpoint)[0], "model.", folder.best_checkpoint)
        ranks.copied(best.state_dict().values())
        best.eval()
        shared = config.training.heads == "shared"  # validation dialogs may choose among a few drawn responses then
        valid = tasks.encoding.encode(tasks.held_out) if shared else tasks.valid
        return {"fallback": fallback_of(best, valid, lambda turns: _wrong_calls(config, tasks, turns))}

    model = fresh_model()
    start = Start(
        config=config,
        tasks=tasks,
        model=model,
        fresh_model=fresh_model,
        fresh_weight_module=lambda: build_weight_module(config, words).to(device),
        measure=measure,
        examples=examples_frame(tasks, config.data.labels),
        screening=config.screening,
    )
    return Parts.of(
        method,
        start,
        validate=validation(tasks, model),
        facts={
            "predict": tasks.encoding.reader.predict,
            "measure": tasks.measure,
            "services": data_files(config.data).services,
            "size": tasks.dialogs,
            "coverage": {"valid_ceiling": tasks.valid.coverage.ceiling},
            **_ranked_among(tasks),
            **({"left_out": [asdict(one) for one in left_out]} if left_out else {}),
        },
        write=lambda folder: tasks.encoding.write(folder.encoding),
        conclude=conclude,
    )


def _wrong_calls(config: RunConfig, tasks: DialogTasks, turns: list[tuple[int, int]]) -> set[int]:
    """Which of some validation turns call a tool with other values than they should."""
    if tasks.encoding.reader.predict != "actions" or not any(
        is_call(tasks.held_out[dialog].turns[turn].said.system) for dialog, turn in turns
    ):
        return set()
    try:
        valid = read_files(config.data.model_copy(update={"related": ()})).valid
    except UserError as error:
        _log.warning("calls of the validation dialogs count as right by their action: %s", error)
        return set()
    return wrong_calls(tasks.encoding, valid, tasks.held_out, turns)


def _ranked_among(tasks: DialogTasks) -> dict[str, int]:
    """Among how many responses the right ones of the validation dialogs are ranked, where they are."""
    if tasks.measure != RANKING:
        return {}
    drawn = distractors_of(tasks.valid.examples, tasks.held_out)[""]
    return {VALID_AMONG: drawn.fewest}


def validation(tasks: DialogTasks, model: DialogModel) -> Callable[[], float]:
    """What selects a run's model: its measure on the validation dialogs now, in per cent."""
    if tasks.measure != RANKING:
        return lambda: accuracy(task_ranks(model, tasks.valid))
    drawn = distractors_of(tasks.valid.examples, tasks.held_out)[""]
    ranking = Ranking(tasks.encoding, tasks.held_out, tasks.valid, drawn)
    return lambda: accuracy(selection_ranks(ranking.scores(model), max(SIZES)))


def examples_frame(tasks: DialogTasks, labels: str | None) -> pl.DataFrame:
    """The related examples with their texts, numbered over all related tasks: the record ``examples.parquet``."""
    parts = [_frame(task) for task in tasks.related] or [pl.DataFrame(schema=EXAMPLE_COLUMNS)]
    frame = pl.concat(parts, rechunk=False).with_row_index("example").cast({"example": pl.Int32})
    return frame if labels is None else frame.with_columns(read_labels(Path(labels), frame).alias("label"))


def _frame(task: EncodedTask) -> pl.DataFrame:
    if isinstance(task, ArchivedTask):
        return task.stored
    rows = [{name: getattr(example, name) for name in EXAMPLE_COLUMNS} for example in task.examples]
    return pl.DataFrame(rows, schema=EXAMPLE_COLUMNS)


def method_of(config: RunConfig) -> Method:
    """The method that a configuration names.

    Raises: UserError: if there is none of this name, or the configuration lacks what it needs.
    """
    method = method_named(config.training.method)
    method.require(related=bool(config.data.related), labels=config.data.labels is not None)
    return method


DIALOGS = Setting(RunConfig, method_of, lambda config: data_files(config.data).all(), build_parts, fit)
"""Runs on dialogs."""


def train(
    config: RunConfig,
    path: Path | str,
    watch: Watcher | None = None,
    *,
    resume: bool = True,
    tracking: Tracking = NOBODY,
    ranks: Ranks = ALONE,
) -> dict[str, Any]:
    """Train on dialogs as configured: :func:`tasksieve.training.loop.run.run` with :data:`DIALOGS`.

    What the configuration leaves to the data is settled first (:mod:`tasksieve.training.runs.settled`).
    """
    return run(settled(config), path, DIALOGS, watch, resume=resume, tracking=tracking, ranks=ranks)
