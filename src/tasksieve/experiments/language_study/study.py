"""A pretrained language model that borrows from an archive: everything, a selection of it, or by learned weights.

The cells of a primary task, a size and a seed are fine-tuned side by side (:mod:`.training`) and
measured on the same test dialogs. What they need of the archive is prepared first, so that the fine-tuning can be
done elsewhere: with ``source`` None, dialogs must be there.

::

    data/                          :mod:`.data`
    cells/PRIMARY/ARCHIVE/ROW-SIZE-seed-S.json
    language-model.json            all cells, means and differences
"""

from __future__ import annotations

import logging
import multiprocessing
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tasksieve.errors import UserError
from tasksieve.experiments.language_study.data import (
    SELECTIONS,
    StudyData,
    StudyFiles,
    Turns,
    prepare_dialogs,
    prepare_scores,
)
from tasksieve.experiments.language_study.records import ALONE, record_of
from tasksieve.experiments.language_study.rows import OWN, ROWS, Cell, Part, Row, parts_of, turn_weights
from tasksieve.records.files import read_json, write_json, write_text
from tasksieve.records.lock import FolderLock

_log = logging.getLogger("tasksieve")
SIEVE_SETTINGS = ("model.sentences=bag-of-words",)
"""Of the small model's learned runs: words are enough, and need no other package."""


@dataclass(frozen=True, slots=True)
class LanguagePlan:
    """What the study is of.

    Attributes:
        source: the archive, a folder with a file a service; None if all was prepared before.
        model: a folder, a name on the hub, or a ``.gguf`` file; None to prepare alone.
        out: the folder.
        primaries: services that are primary tasks in turn.
        sizes: numbers of primary training (and validation) dialogs.
        archives: states of the archive.
        rows: names of :data:`tasksieve.experiments.sieved_language_rows.ROWS`.
        seeds: 0 to SEEDS − 1; each draws dialogs, spoils services and orders batches.
        device: of torch.
        steps: of every fine-tuning.
        at_once: so many tokens go through the model together; None for what suits the device.
        together: cells side by side at most; None for all of a size and seed.
        ranked: test turns whose responses are ranked; None for all.
        seconds: no fine-tuning begins that would probably end later than this; None for no limit.
        workers: processes that score turns.
        sieve: settings of the small model's run.
    """

    source: Path | None
    model: str | None
    out: Path
    primaries: tuple[str, ...] = ("Buses_1",)
    sizes: tuple[int, ...] = (10, 50)
    archives: tuple[str, ...] = ("clean", "stale", "noisy")
    rows: tuple[str, ...] = tuple(ROWS)
    seeds: int = 3
    device: str = "cpu"
    steps: int = 200
    at_once: int | None = None
    together: int | None = None
    ranked: int | None = None
    seconds: float | None = None
    workers: int = 1
    sieve: tuple[str, ...] = SIEVE_SETTINGS

    def groups(self) -> list[list[Cell]]:
        """All cells; those of a primary task, a size and a seed together, every seed's before the next one's."""
        found = []
        for seed in range(self.seeds):
            for primary in self.primaries:
                for size in self.sizes:
                    cells = [Cell(primary, ALONE, name, size, seed) for name in self.rows if not ROWS[name].borrows]
                    for archive in self.archives:
                        borrowing = (name for name in self.rows if ROWS[name].borrows)
                        cells += [Cell(primary, archive, name, size, seed) for name in borrowing]
                    found.append(cells)
        return found


Say = Callable[[str], None]
"""Is told in a line how far the study is."""


def reproduce_language_model(plan: LanguagePlan, say: Say = _log.info) -> dict[str, Any]:
    """Do every cell that is not done yet; ``language-model.json`` is written as cells come, and names no path.

    Returns: the record.
    Raises: UserError: if the plan does not fit the archive, something is not prepared, or there is no such model.
    """
    _check(plan)
    with FolderLock(plan.out):
        files = StudyFiles(plan.out / "data")
        if plan.source is not None:
            _draw(plan, files, plan.source)
        _score(plan, files, say)
        if plan.model is not None:
            _tune(plan, files, plan.model, say)
        return _write(plan)


def _check(plan: LanguagePlan) -> None:
    unknown = [name for name in plan.rows if name not in ROWS]
    if unknown:
        raise UserError(f"--rows: found '{unknown[0]}'; known: {', '.join(ROWS)}")
    for option, chosen in (("--primaries", plan.primaries), ("--sizes", plan.sizes), ("--archives", plan.archives)):
        if not chosen or len(set(chosen)) < len(chosen):
            raise UserError(f"{option}: found {', '.join(map(str, chosen)) or 'nothing'}; name each once")


def _draw(plan: LanguagePlan, files: StudyFiles, source: Path) -> None:
    from tasksieve.dialogs.archives import ARCHIVES
    from tasksieve.experiments.board.data import BoardData

    unknown = [name for name in plan.archives if name not in ARCHIVES]
    if unknown:
        raise UserError(f"--archives: found '{unknown[0]}'; known: {', '.join(ARCHIVES)}")
    board = BoardData(source, plan.out / "board")
    board.prepare(plan.primaries, plan.archives, plan.seeds)
    for primary in plan.primaries:
        for seed in range(plan.seeds):
            prepare_dialogs(files, board, primary, seed, plan.archives)


def _score(plan: LanguagePlan, files: StudyFiles, say: Say) -> None:
    """Scores that rows need and that are missing, in as many processes as the plan says."""
    cells = {(cell.primary, cell.seed, cell.size, cell.archive): cell for group in plan.groups() for cell in group}
    needed = tuple(name for name in SELECTIONS if any(ROWS[row].score == name for row in plan.rows))
    waiting = [key for key in cells if key[3] != ALONE and not files.has_scores(key, needed)]
    prepare = partial(prepare_scores, files, work=plan.out / "sieve", settings=plan.sieve, selections=needed)
    if plan.workers <= 1 or len(waiting) <= 1:
        for key in waiting:
            prepare(key)
            say(f"scored the turns of {key}")
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(plan.workers, context) as pool:
        futures = {pool.submit(prepare, key): key for key in waiting}
        for future in as_completed(futures):
            future.result()
            say(f"scored the turns of {futures[future]}")


def _tune(plan: LanguagePlan, files: StudyFiles, name: str, say: Say) -> None:
    waiting = [[cell for cell in group if not _file(plan, cell).exists()] for group in plan.groups()]
    chunks = [chunk for group in waiting for chunk in _chunks(group, plan.together)]
    if not chunks:
        return
    begun, longest = time.monotonic(), 0.0
    bench = _Bench(plan, files, name)
    say(f"read {name} in {time.monotonic() - begun:.0f} s")
    for number, chunk in enumerate(chunks):
        now = time.monotonic()
        if plan.seconds is not None and now - begun + longest > plan.seconds:
            say(f"stopped for --minutes: {len(chunks) - number} of {len(chunks)} groups of cells are left")
            return
        bench.tune(chunk, say)
        _write(plan)
        longest = max(longest, time.monotonic() - now)


def _chunks(cells: Sequence[Cell], together: int | None) -> list[Sequence[Cell]]:
    size = together or max(1, len(cells))
    return [cells[first : first + size] for first in range(0, len(cells), size)]


class _Bench:
    """The model with its adapters, and the dialogs as its tokens."""

    def __init__(self, plan: LanguagePlan, files: StudyFiles, name: str) -> None:
        import torch

        from tasksieve.models.language_model.adapters import Adapters
        from tasksieve.models.language_model.loading import load_pretrained
        from tasksieve.models.language_model.tokens import DialogTokens

        on_gpu = torch.device(plan.device).type == "cuda"
        self._dtype = torch.bfloat16 if on_gpu else torch.float32
        self._plan, self._files = plan, files
        self._pretrained = load_pretrained(name, plan.device, self._dtype)
        self._tokens = DialogTokens(self._pretrained.tokenizer)
        self._adapters = Adapters(self._pretrained.model)
        self._at_once = plan.at_once or (32_768 if on_gpu else 4_096)

    def tune(self, cells: Sequence[Cell], say: Say) -> None:
        """Fine-tune and measure cells of one primary task, size and seed side by side, and write their files."""
        from tasksieve.experiments.language_study.measures import exam_of, measures_of
        from tasksieve.experiments.language_study.training import SideBySide, Tuning

        first = cells[0]
        data = self._files.read(first.primary, first.seed)
        tuning = Tuning(steps=self._plan.steps, at_once=self._at_once)
        started = time.monotonic()
        together = SideBySide(self._pretrained, self._tasks(cells, data), tuning, self._adapters)
        label = f"{first.primary}, {first.size} dialogs, seed {first.seed}, {len(cells)} cells"
        tuned = together.train(lambda step, steps: say(f"{label}: step {step} of {steps}") if _told(step) else None)
        seconds, started = time.monotonic() - started, time.monotonic()
        exam, sets = exam_of(data.test, self._tokens, self._plan.ranked), range(len(cells))
        losses = together.measuring.losses(sets, exam.parts)
        firsts = together.measuring.first(sets, exam.ranked)
        say(f"{label}: trained in {seconds:.0f} s, measured in {time.monotonic() - started:.0f} s")
        for cell, found, nll, right in zip(cells, tuned, losses, firsts, strict=True):
            learned = dict(zip(data.services, found.weights, strict=True)) if found.weights else {}
            write_json(
                _file(self._plan, cell),
                {
                    **measures_of(exam, nll, right),
                    "valid_nll": round(found.valid, 5),
                    "best_step": found.step,
                    "curve": found.curve,
                    "tokens": found.tokens,
                    "seconds_together": round(seconds, 1),
                    "weights": {service: round(weight, 4) for service, weight in learned.items()},
                    "settings": self._settings(len(cells)),
                },
            )

    def _tasks(self, cells: Sequence[Cell], data: StudyData) -> list[Any]:
        from tasksieve.experiments.language_study.training import Task

        size, services = cells[0].size, len(data.services)
        train = parts_of(data.train[:size], self._tokens)
        valid = parts_of(data.valid[:size], self._tokens)
        scores = {
            archive: self._files.read_scores(cells[0].primary, cells[0].seed, size, archive)
            for archive in {cell.archive for cell in cells} - {ALONE}
        }
        tasks = []
        for cell in cells:
            row: Row = ROWS[cell.row]
            related = []
            if row.borrows:
                if row.score == OWN:
                    self._near(data, size, cell.archive, scores[cell.archive])
                weights = turn_weights(row, data, cell.archive, scores[cell.archive], cell.seed)
                owners = data.service_of[cell.archive]
                related = parts_of(data.archives[cell.archive], self._tokens, weights, owners)
            tasks.append(Task(row, train, valid, related, services, f"{cell.primary} {size} {cell.seed}"))
        return tasks

    def _near(self, data: StudyData, size: int, archive: str, scores: dict[str, list[float]]) -> None:
        """Add how near turns are by the untrained model's own states, unless that is known."""
        from tasksieve.experiments.language_study.nearness import nearness

        if OWN not in scores:
            self._adapters.use(None)
            groups = (data.train[:size], data.archives[archive])
            own, others = (self._read(group) for group in groups)
            scores[OWN] = nearness(self._pretrained.model, own, others, self._at_once)

    def _read(self, dialogs: Sequence[Turns]) -> list[Part]:
        return parts_of(dialogs, self._tokens)

    def _settings(self, together: int) -> Mapping[str, Any]:
        import torch

        on_gpu = self._pretrained.device.type == "cuda"
        device = torch.cuda.get_device_name(self._pretrained.device) if on_gpu else "cpu"
        return {
            "model": Path(self._pretrained.name).name,
            "steps": self._plan.steps,
            "device": device,
            "dtype": str(self._dtype).removeprefix("torch."),
            "together": together,
        }


def _told(step: int) -> bool:
    return step in (1, 5) or step % 25 == 0


def _file(plan: LanguagePlan, cell: Cell) -> Path:
    return plan.out / "cells" / f"{cell.name}.json"


def _write(plan: LanguagePlan) -> dict[str, Any]:
    cells = [cell for group in plan.groups() for cell in group]
    found = {cell: read_json(_file(plan, cell)) for cell in cells if _file(plan, cell).exists()}
    record, text = record_of(found, len(cells))
    write_text(plan.out / "language-model.json", text)
    return record
