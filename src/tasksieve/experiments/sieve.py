"""From dialogs to weighted files for fine-tuning: a comparison, its weights over seeds, and a folder a tool."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tasksieve.dialogs.finetuning import (
    PRIMARY,
    ChatTask,
    Chosen,
    Cut,
    Dialogs,
    Tool,
    WeightedChat,
    Written,
    facts_of,
    weights_for,
)
from tasksieve.errors import UserError
from tasksieve.experiments.sieve_record import SieveRecord
from tasksieve.experiments.weights import examples_at
from tasksieve.records.comparison import LEARNED, Comparison, run_name
from tasksieve.records.files import write_whole
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.runs.read_files import data_files

GROUPS = "groups"
"""The weight module whose weights say how often an example is drawn beside others, and nothing by themselves."""
WEIGHTS = "weights.parquet"
ALIKE = 0.1
"""Weights of which four of five lie closer together than this are as good as equal."""
FEW = 10
"""With fewer related responses nothing is said of how their weights differ."""
_log = logging.getLogger("tasksieve")


@dataclass(frozen=True, slots=True)
class ToolFiles:
    """What was written for one tool, and what the weights lost."""

    tool: Tool
    written: Written
    chosen: Chosen
    lost: Counter[str]

    def facts(self, out: Path) -> dict[str, Any]:
        """What was written and lost, as ``sieve.json`` has it, with paths beside the folder ``out``."""
        return facts_of(self.tool, self.written, self.chosen, self.lost, out)


def learned_runs(comparison: Comparison, out: Path) -> list[Path]:
    """The folders of the runs of `learned` with the most primary dialogs.

    Raises: UserError: if there are none.
    """
    rows = [row for row in comparison.rows if row.method == LEARNED]
    if not rows:
        raise UserError("no run of learned came to its end, so there are no weights; see the runs that failed", out)
    row = max(rows, key=lambda row: row.size)
    return [out / "runs" / run_name(LEARNED, row.size, one.seed) for one in row.seeds]


def mean_weights(runs: Sequence[Path]) -> pl.DataFrame:
    """The last weights of related responses in the mean over runs that differ in their seed.

    Weights of groups are relative: of each run the highest counts as 1.

    Returns: columns task, dialog, turn, kind, user, system, heads and weight.
    """
    frames = [_relative(run, examples_at(run)) for run in runs]
    first = frames[0].drop("step", "weight", "label", strict=False)
    means = (
        pl.concat(frame.select("example", "weight") for frame in frames).group_by("example").agg(pl.mean("weight"))
    )
    return first.join(means, on="example", how="left", maintain_order="left").drop("example")


def _relative(run: Path, frame: pl.DataFrame) -> pl.DataFrame:
    weight = pl.col("weight").cast(pl.Float64)
    if RunFolder(run).read_config().weight_module.kind == GROUPS:
        weight = weight / weight.max()
    return frame.with_columns(weight.alias("weight"))


class Weighted:
    """The dialogs of a comparison with the weights that its runs learned.

    Args:
        runs: of `learned`.
        weights: as :func:`mean_weights` gives them.
    """

    def __init__(self, runs: Sequence[Path], weights: pl.DataFrame) -> None:
        config = RunFolder(runs[0]).read_config()
        files = data_files(config.data)
        self.services = files.services
        self._files = files
        self._said = weights.select("task", "dialog", "turn", pl.col("system").map_elements(_plain, pl.String))
        self._weights = [
            {
                (dialog, turn): weight
                for dialog, turn, weight in weights.filter(pl.col("task") == task)
                .select("dialog", "turn", "weight")
                .iter_rows()
            }
            for task in range(len(files.related))
        ]

    def holding(self, texts: Sequence[str], *, whole: bool = False) -> set[tuple[int, int, int]]:
        """Task, dialog and turn of the related responses that hold one of some texts, in capitals or not.

        Args:
            texts: that are looked for.
            whole: whether all other responses of the same dialogs are meant, too.
        """
        holds = pl.any_horizontal(
            pl.lit(value=False), *(pl.col("system").str.contains(_plain(text), literal=True) for text in texts)
        )
        found = self._said.filter(holds)
        if whole:
            found = self._said.join(found.select("task", "dialog").unique(), on=("task", "dialog"), how="semi")
        return set(found.select("task", "dialog", "turn").iter_rows())

    def write(self, tool: Tool, cut: Cut, folder: Path) -> ToolFiles:
        """Write a tool's files into a folder of its own."""
        barred = self.holding(cut.without, whole=tool.whole)
        found = weights_for(self._weights, cut, flags=tool.flags, barred=barred)
        primary = ChatTask(PRIMARY, self._files.primary)
        valid = ChatTask(PRIMARY, self._files.valid)
        related = [
            ChatTask(service, path, weights)
            for service, path, weights in zip(self.services, self._files.related, found.weights, strict=True)
        ]
        folder.mkdir(parents=True, exist_ok=True)
        written = tool.write(Dialogs(_Several((primary, *related)), valid), folder)
        lost = written.lost + sum((task.lost for task in (primary, valid, *related)), Counter[str]())
        return ToolFiles(tool, written, found, lost)


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


class _Several:
    """The dialogs of several tasks, one after the other."""

    def __init__(self, tasks: Sequence[ChatTask]) -> None:
        self._tasks = tasks

    def __iter__(self) -> Iterator[WeightedChat]:
        for task in self._tasks:
            yield from task


def write_sieved(
    comparison: Comparison, out: Path, tools: Sequence[Tool], cut: Cut
) -> tuple[pl.DataFrame, list[str], list[ToolFiles]]:
    """Write what a comparison learned: ``weights.parquet``, a folder for each tool, and ``sieve.json``.

    Args:
        comparison: with runs of `learned`.
        out: its folder.
        tools: to write for.
        cut: what is left out.
    Returns: the weights, the names of the related services, and what was written for each tool.
    Raises: UserError: if there are no such runs, or a tool's folder holds files that no sieve wrote.
    """
    runs = learned_runs(comparison, out)
    weights = mean_weights(runs)
    write_whole(out / WEIGHTS, weights.write_parquet)
    weighted = Weighted(runs, weights)
    for text in cut.without:
        count = len(weighted.holding([text]))
        _log.log(
            logging.INFO if count else logging.WARNING, "--without '%s': %d related responses hold it", text, count
        )
    record, names = SieveRecord(out), [tool.name for tool in tools]
    record.check(names)
    record.claim(names)
    files = [weighted.write(tool, cut, out / tool.name) for tool in tools]
    for one in files:
        if one.chosen.responses and not one.chosen.learned:
            _log.warning(
                "%s: no related response is kept, and your own alone are learned%s", one.tool.name, _more(cut)
            )
    alike = alike_in(weights)
    if alike is not None:
        _log.warning(
            "the weights hardly differ: four of five are from %.2f to %.2f, so that which responses a cut or a draw "
            "keeps is little better than chance; learn longer or with more validation dialogs, or keep all with "
            "--threshold 0",
            *alike,
        )
    record.finish(_record(runs, weighted.services, cut, out), {one.tool.name: one.facts(out) for one in files})
    return weights, weighted.services, files


def alike_in(weights: pl.DataFrame) -> tuple[float, float] | None:
    """The bounds between which four of five weights are, where these hardly differ and are not all high or all low.

    Args:
        weights: a column weight.
    Returns: the bounds; None where the weights tell responses apart, or are too few to say.
    """
    found = weights["weight"]
    low, high = found.quantile(0.1, "linear"), found.quantile(0.9, "linear")
    if len(found) < FEW or low is None or high is None:
        return None
    return (low, high) if high - low < ALIKE and low > ALIKE and high < 1 - ALIKE else None


def _more(cut: Cut) -> str:
    """What keeps some responses where a cut left none."""
    return "; lower --threshold" if cut.threshold is not None else "; give a larger --keep" if cut.given else ""


def _record(runs: Sequence[Path], services: list[str], cut: Cut, out: Path) -> dict[str, Any]:
    return {
        "runs": [str(run.relative_to(out)) for run in runs],
        "heads": RunFolder(runs[0]).read_config().training.heads,
        "services": services,
        "keep": cut.keep,
        "threshold": cut.threshold,
        "without": list(cut.without) or None,
    }
