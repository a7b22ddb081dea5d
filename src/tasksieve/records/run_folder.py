"""The folder of one run: where each record lies, and how to read and write it.

::

    config.toml            the resolved configuration
    environment.json       versions, machine, SHA-256 of every data file
    encoding.json          vocabulary and candidates, so that the model can be used without its training data
    metrics.jsonl          one line a validation
    times.jsonl            the seconds up to each validation: all that differs when the same run is made twice
    checkpoints/           last.safetensors and previous.safetensors (to go on), best.safetensors (to use)
    screening.json         what the trials say of each group of related turns
    trials.jsonl           one line a trial of the screening: the groups that were in it, and its result
    prepared.safetensors   what a method found before the first iteration: weights of related examples, or parameters
    examples.parquet       example, task, dialog, turn, kind, user, system: the related examples
    weights/*.parquet      example, dialog, turn, step, weight: one file a snapshot
    result.json            how the run ended, and the names of the related tasks by their number: services
    test.json              all measures on the test set, once it was read, in per cent; right turns of each dialog
    predictions.parquet    every test turn of a comparison's run: what was right, what was predicted, its rank
    suspicious.parquet     what `weights --suspicious` found: turns that look wrongly answered
    .lock                  held by the process at work
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tasksieve.errors import UserError
from tasksieve.records.config import Config, LoopConfig, RunConfig, config_of, read_values, to_toml
from tasksieve.records.files import append_line, read_json, write_json, write_text
from tasksieve.records.lines import read_json_lines
from tasksieve.records.lock import LOCK
from tasksieve.records.tables import read_table, write_table

EXAMPLES_SCHEMA = {"example": pl.Int32, "dialog": pl.Int32, "turn": pl.Int16}
"""Of ``examples.parquet``: the columns that every kind of run has."""
WEIGHTS_SCHEMA = {
    "example": pl.Int32,
    "dialog": pl.Int32,
    "turn": pl.Int16,
    "step": pl.Int32,
    "weight": pl.Float32,
}


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The records of one run under ``path``."""

    path: Path

    @property
    def encoding(self) -> Path:
        """Vocabulary and candidates."""
        return self.path / "encoding.json"

    @property
    def last_checkpoint(self) -> Path:
        """The state to go on from."""
        return self.path / "checkpoints" / "last.safetensors"

    @property
    def previous_checkpoint(self) -> Path:
        """The state before that, in case the last one is damaged."""
        return self.path / "checkpoints" / "previous.safetensors"

    @property
    def best_checkpoint(self) -> Path:
        """The parameters with the best validation accuracy."""
        return self.path / "checkpoints" / "best.safetensors"

    @property
    def prepared(self) -> Path:
        """What a method found before the first iteration."""
        return self.path / "prepared.safetensors"

    @property
    def begun(self) -> bool:
        """Whether there is a run in it."""
        return (self.path / "config.toml").exists()

    @property
    def finished(self) -> bool:
        """Whether the run came to its end."""
        return (self.path / "result.json").exists()

    @property
    def foreign(self) -> bool:
        """Whether this is something else: a file, or a folder with files of other making and no run."""
        if self.begun or not self.path.exists():
            return False
        return not self.path.is_dir() or any(not _started(file) for file in self.path.iterdir())

    def sweep(self) -> None:
        """Remove what writers that were killed left half done; only for who holds the lock."""
        for pattern in (".*.part", "checkpoints/.*.part", "weights/.*.part"):
            for file in self.path.glob(pattern):
                file.unlink(missing_ok=True)

    def write_config(self, config: LoopConfig) -> None:
        """Write ``config.toml``."""
        write_text(self.path / "config.toml", to_toml(config))

    def read_config(self) -> RunConfig:
        """Read ``config.toml`` of a run on dialogs."""
        return self.read_config_of(RunConfig)

    def read_config_of(self, kind: type[Config]) -> Config:
        """Read ``config.toml``.

        Raises: UserError: if this is not a run folder, or the file has an unknown key.
        """
        file = self.path / "config.toml"
        if not file.exists():
            raise UserError(self._no_run(), self.path)
        return config_of(kind, read_values(file), file)

    def _no_run(self) -> str:
        """What to say of a folder that is no run's; one of a comparison holds runs."""
        runs = sorted(file.parent.name for file in self.path.glob("runs/*/config.toml"))
        if not runs:
            return "is not a run folder (no config.toml); give the --out of `tasksieve train`"
        shown = next((name for name in runs if name.startswith("learned-")), runs[0])
        return f"is the folder of a comparison; choose one of its runs, e.g. {self.path / 'runs' / shown}"

    def write_record(self, name: str, value: Any) -> None:
        """Write ``NAME.json``: environment, result or test."""
        write_json(self.path / f"{name}.json", value)

    def read_record(self, name: str, *keys: str) -> dict[str, Any]:
        """Read ``NAME.json``.

        Args:
            name: environment, result or test.
            keys: names that it must have.
        Raises: UserError: if it is missing, or no record that has them.
        """
        file = self.path / f"{name}.json"
        record = read_json(file)
        if not isinstance(record, dict):
            found = type(record).__name__
            raise UserError(f"is not a record: found a {found}, expected names and values", file)
        lacking = [key for key in keys if key not in record]
        if lacking:
            raise UserError(f"is not a whole record: '{lacking[0]}' is missing; remove it and run again", file)
        return record

    def has_record(self, name: str) -> bool:
        """Whether ``NAME.json`` is there."""
        return (self.path / f"{name}.json").exists()

    def append_metrics(self, line: dict[str, Any]) -> None:
        """Add a line to ``metrics.jsonl``."""
        append_line(self.path / "metrics.jsonl", json.dumps(line))

    def append_time(self, step: int, seconds: float) -> None:
        """Add a line to ``times.jsonl``: how long the run took so far."""
        append_line(self.path / "times.jsonl", json.dumps({"step": step, "seconds": round(seconds, 3)}))

    def read_metrics(self) -> list[dict[str, Any]]:
        """All lines of ``metrics.jsonl``; none if there is no such file. A half-written last line is dropped.

        Raises: UserError: at the first other line that is not one of metrics.
        """
        return read_json_lines(self.path / "metrics.jsonl", step=int, valid_accuracy=float)

    def read_times(self) -> list[dict[str, Any]]:
        """All lines of ``times.jsonl``: ``step`` and ``seconds``; a last line that is not whole is left out.

        Raises: UserError: at the first other line that is not one of times.
        """
        return read_json_lines(self.path / "times.jsonl", step=int, seconds=float)

    def append_trial(self, groups: list[bool], result: float) -> None:
        """Add a line to ``trials.jsonl``."""
        append_line(self.path / "trials.jsonl", json.dumps({"groups": groups, "result": result}))

    def read_trials(self, design: list[list[bool]]) -> list[float]:
        """The results in ``trials.jsonl``, of the first trials of a design.

        Raises: UserError: at the first line that is none of them.
        """
        file = self.path / "trials.jsonl"
        lines = read_json_lines(file, result=float)
        for number, line in enumerate(lines):
            if number >= len(design) or line.get("groups") != design[number]:
                raise UserError("is a trial of another run; remove the file and train again", file, number + 1)
        write_text(file, "".join(json.dumps(line) + "\n" for line in lines))
        return [float(line["result"]) for line in lines]

    def forget_after(self, step: int) -> float:
        """Drop metrics and weight snapshots later than ``step``: a resumed run writes them anew.

        Returns: the seconds up to ``step``.
        """
        times = self._keep("times", self.read_times(), step)
        self._keep("metrics", self.read_metrics(), step)
        for number in self.weight_steps():
            if number > step:
                self._snapshot(number).unlink()
        return float(times[-1]["seconds"]) if times else 0.0

    def _keep(self, name: str, lines: list[dict[str, Any]], step: int) -> list[dict[str, Any]]:
        kept = [line for line in lines if line["step"] <= step]
        write_text(self.path / f"{name}.jsonl", "".join(json.dumps(line) + "\n" for line in kept))
        return kept

    def write_examples(self, examples: pl.DataFrame) -> None:
        """Write ``examples.parquet``."""
        write_table(self.path / "examples.parquet", examples)

    def read_examples(self) -> pl.DataFrame:
        """The related examples with their texts; empty if the run has no related task."""
        file = self.path / "examples.parquet"
        if not file.exists():
            raise UserError("has no related examples; was it trained with --related?", self.path)
        return read_table(file, EXAMPLES_SCHEMA)

    def write_weights(self, step: int, weights: pl.DataFrame) -> None:
        """Write one snapshot; columns as in ``WEIGHTS_SCHEMA``."""
        frame = weights.cast(WEIGHTS_SCHEMA).select(list(WEIGHTS_SCHEMA))  # type: ignore[arg-type]
        write_table(self._snapshot(step), frame)

    def weight_steps(self) -> list[int]:
        """The iterations at which weights were recorded, in order."""
        names = (file.stem.removeprefix("step-") for file in (self.path / "weights").glob("step-*.parquet"))
        return sorted(int(name) for name in names if name.isdecimal())

    def read_weights(self, step: int | None = None) -> pl.DataFrame:
        """All recorded weights, in order of step, or those of one step.

        Raises: UserError: if the run recorded none, as its method weights nothing.
        """
        steps = self.weight_steps() if step is None else [step]
        files = [self._snapshot(number) for number in steps]
        if not files or not all(file.exists() for file in files):
            if not (self.path / "config.toml").exists():
                raise UserError(self._no_run(), self.path)
            raise UserError("has no recorded weights; only weighting methods record them, e.g. `learned`", self.path)
        return pl.concat([read_table(file, WEIGHTS_SCHEMA) for file in files])

    def _snapshot(self, step: int) -> Path:
        return self.path / "weights" / f"step-{step:07d}.parquet"


def _started(file: Path) -> bool:
    """Whether a file may be there before the configuration is."""
    return file.name == LOCK or (file.name.startswith(".") and file.suffix == ".part")
