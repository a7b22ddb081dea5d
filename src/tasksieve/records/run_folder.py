"""The folder of one run: where each record lies, and how to read and write it.

::

    config.toml            the resolved configuration
    environment.json       versions, machine, SHA-256 of every data file
    encoding.json          vocabulary and candidates, so that the model can be used without its training data
    metrics.jsonl          one line a validation
    checkpoints/           last.safetensors (to go on), best.safetensors (to use)
    examples.parquet       example, task, dialog, turn, kind, user, system: the related examples
    weights/*.parquet      example, dialog, turn, step, weight: one file a snapshot
    result.json            how the run ended
    test.json              accuracies on the test set, once it was read
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tasksieve.errors import UserError
from tasksieve.records.config import Config, LoopConfig, RunConfig, config_of, read_values, to_toml
from tasksieve.records.files import read_json, write_json, write_text, write_whole

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
    def best_checkpoint(self) -> Path:
        """The parameters with the best validation accuracy."""
        return self.path / "checkpoints" / "best.safetensors"

    @property
    def finished(self) -> bool:
        """Whether the run came to its end."""
        return (self.path / "result.json").exists()

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
            raise UserError("is not a run folder (no config.toml); give the --out of `tasksieve train`", self.path)
        return config_of(kind, read_values(file), file)

    def write_record(self, name: str, value: Any) -> None:
        """Write ``NAME.json``: environment, result or test."""
        write_json(self.path / f"{name}.json", value)

    def read_record(self, name: str) -> Any:
        """Read ``NAME.json``. Raises: UserError: if it is missing."""
        return read_json(self.path / f"{name}.json")

    def has_record(self, name: str) -> bool:
        """Whether ``NAME.json`` is there."""
        return (self.path / f"{name}.json").exists()

    def append_metrics(self, line: dict[str, Any]) -> None:
        """Add a line to ``metrics.jsonl``."""
        with (self.path / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def read_metrics(self) -> list[dict[str, Any]]:
        """All lines of ``metrics.jsonl``; none if there is no such file. A half-written last line is dropped."""
        file = self.path / "metrics.jsonl"
        if not file.exists():
            return []
        lines = file.read_text(encoding="utf-8").split("\n")
        return [json.loads(line) for line in lines[:-1] if line]

    def forget_after(self, step: int) -> None:
        """Drop metrics and weight snapshots later than ``step``: a resumed run writes them anew."""
        kept = [line for line in self.read_metrics() if line["step"] <= step]
        write_text(self.path / "metrics.jsonl", "".join(json.dumps(line) + "\n" for line in kept))
        for file in (self.path / "weights").glob("step-*.parquet"):
            if int(file.stem.removeprefix("step-")) > step:
                file.unlink()

    def write_examples(self, examples: pl.DataFrame) -> None:
        """Write ``examples.parquet``."""
        write_whole(self.path / "examples.parquet", examples.write_parquet)

    def read_examples(self) -> pl.DataFrame:
        """The related examples with their texts; empty if the run has no related task."""
        file = self.path / "examples.parquet"
        if not file.exists():
            raise UserError("has no related examples; was it trained with --related?", self.path)
        return pl.read_parquet(file)

    def write_weights(self, step: int, weights: pl.DataFrame) -> None:
        """Write one snapshot; columns as in ``WEIGHTS_SCHEMA``."""
        frame = weights.cast(WEIGHTS_SCHEMA).select(list(WEIGHTS_SCHEMA))  # type: ignore[arg-type]
        write_whole(self.path / "weights" / f"step-{step:07d}.parquet", frame.write_parquet)

    def weight_steps(self) -> list[int]:
        """The iterations at which weights were recorded, in order."""
        files = (self.path / "weights").glob("step-*.parquet")
        return sorted(int(file.stem.removeprefix("step-")) for file in files)

    def read_weights(self, step: int | None = None) -> pl.DataFrame:
        """All recorded weights, in order of step, or those of one step.

        Raises: UserError: if the run recorded none, as its method weights nothing.
        """
        steps = self.weight_steps() if step is None else [step]
        files = [self.path / "weights" / f"step-{number:07d}.parquet" for number in steps]
        if not files or not all(file.exists() for file in files):
            raise UserError("has no recorded weights; only weighting methods record them, e.g. `learned`", self.path)
        return pl.concat([pl.read_parquet(file) for file in files])
