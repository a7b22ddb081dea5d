"""The related examples of a run with their weights at every recorded iteration, as arrays to search and sort."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from tasksieve.errors import UserError
from tasksieve.records.config import Heads
from tasksieve.serve.selection import Selection

Rows = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float32]

_KEPT_ORDERS = 8
COURSE_POINTS = 60
"""A course shows at most so many recorded iterations."""


@dataclass(frozen=True)
class Examples:
    """Related examples in the order of their numbers, and their weights.

    Attributes:
        frame: columns example, task, dialog, turn, kind, user, system.
        steps: the recorded iterations, in order.
        weights: one row an iteration, one column an example; NaN where none was recorded.
        heads: by which they were learned, and what they mean (:mod:`tasksieve.records.weight_meaning`).
        services: the names of the related tasks by their number: before the end of the run "Task 0" and so on.
    """

    frame: pl.DataFrame
    steps: tuple[int, ...]
    weights: Numbers
    heads: Heads
    services: tuple[str, ...]

    def __len__(self) -> int:
        return self.frame.height

    def place(self, step: int | None) -> int:
        """The row of ``weights`` for a recorded iteration, by default the last.

        Raises: UserError: if nothing was recorded then.
        """
        if step is None:
            return len(self.steps) - 1
        if step not in self.steps:
            raise UserError(f"nothing was recorded at iteration {step}; the first is {self.steps[0]}, the last "
                            f"{self.steps[-1]}")  # fmt: skip
        return self.steps.index(step)

    def select(self, asked: Selection) -> Rows:
        """The examples asked for, in the order asked for."""
        place = self.place(asked.step)
        order, kept = self._ordered(asked.order, place), self._kept(asked, place)
        return order if kept is None else order[kept[order]]

    def _kept(self, asked: Selection, place: int) -> npt.NDArray[np.bool_] | None:
        """Which examples are asked for; None for all."""
        if (
            not (asked.kind or asked.text.split())
            and (asked.task, asked.dialog, asked.low, asked.high) == (None,) * 4
        ):
            return None
        weights, kept = self.weights[place], np.ones(len(self), dtype=bool)
        if asked.kind:
            kept &= np.isin(self.kind_numbers, [n for n, kind in enumerate(self.kinds) if kind in asked.kind])
        for wanted, values in ((asked.task, self.column("task")), (asked.dialog, self.column("dialog"))):
            if wanted is not None:
                kept &= values == wanted
        if asked.low is not None:
            kept &= weights >= np.float32(asked.low)
        if asked.high is not None:
            kept &= weights <= np.float32(asked.high)
        for word in asked.text.lower().split():
            kept &= self._text.str.contains(word, literal=True).to_numpy()
        return kept

    def _ordered(self, order: str, place: int) -> Rows:
        """All examples in an order; the orders that were asked for last are kept, as sorting takes longest."""
        key = order, 0 if order == "dialog" else place
        found = self._orders.get(key)
        if found is None:
            found = np.arange(len(self))
            if order != "dialog":
                found = np.argsort(order_keys(order, self.weights[place], self.weights[0]), kind="stable")
            while len(self._orders) >= _KEPT_ORDERS:
                self._orders.pop(next(iter(self._orders)), None)
            self._orders[key] = found
        return found

    @cached_property
    def _orders(self) -> dict[tuple[str, int], Rows]:
        return {}

    def histogram(self, place: int, bins: int) -> list[int]:
        """How many weights of an iteration lie in each of so many equal parts of 0 to 1."""
        if (place, bins) not in self._histograms:
            now = self.weights[place]
            counts = np.histogram(now[~np.isnan(now)].clip(0, 1), bins, (0.0, 1.0))[0]
            self._histograms[place, bins] = counts.tolist()
        return self._histograms[place, bins]

    @cached_property
    def _histograms(self) -> dict[tuple[int, int], list[int]]:
        return {}

    def course_places(self) -> Rows:
        """The iterations a course shows, as rows of ``weights``: the first and the last, evenly spaced between."""
        count = len(self.steps)
        if count <= COURSE_POINTS:
            return np.arange(count)
        return np.unique(np.linspace(0, count - 1, COURSE_POINTS).round().astype(np.int64))

    def column(self, name: str) -> Rows:
        """A column of whole numbers."""
        return self._columns[name]

    @cached_property
    def _columns(self) -> dict[str, Rows]:
        return {name: self.frame[name].cast(pl.Int64).to_numpy() for name in ("example", "task", "dialog", "turn")}

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of turn that occur, the commonest first."""
        counts = self.frame.group_by("kind").len().sort(["len", "kind"], descending=[True, False])
        return tuple(counts["kind"].to_list())

    @cached_property
    def kind_numbers(self) -> Rows:
        """The kind of each example, by its place in ``kinds``."""
        numbers = {kind: number for number, kind in enumerate(self.kinds)}
        found: Rows = self.frame["kind"].replace_strict(numbers, return_dtype=pl.Int64).to_numpy()
        return found

    @cached_property
    def dialogs(self) -> pl.DataFrame:
        """One row a dialog in the order read: task, dialog."""
        return self.frame.select("task", "dialog").unique().sort("task", "dialog")

    @cached_property
    def dialog_numbers(self) -> Rows:
        """The dialog of each example, by its row in ``dialogs``."""
        numbered = self.dialogs.select("task", "dialog").with_row_index("number")
        joined = self.frame.select("task", "dialog").join(numbered, on=["task", "dialog"], maintain_order="left")
        found: Rows = joined["number"].cast(pl.Int64).to_numpy()
        return found

    def turns_of(self, number: int) -> Rows:
        """The examples of a dialog, by its row in ``dialogs``, in order of their turns."""
        order, ends = self._turn_order
        return order[ends[number] : ends[number + 1]]

    @cached_property
    def _turn_order(self) -> tuple[Rows, Rows]:
        sizes = np.bincount(self.dialog_numbers, minlength=self.dialogs.height)
        return np.lexsort((self.column("turn"), self.dialog_numbers)), np.append(0, np.cumsum(sizes))

    @cached_property
    def places(self) -> list[tuple[int, int]]:
        """Task and number of each dialog, by its row in ``dialogs``."""
        return list(self.dialogs.select("task", "dialog").iter_rows())

    @cached_property
    def place_of(self) -> dict[tuple[int, int], int]:
        """The row in ``dialogs`` of each dialog, by task and number."""
        return {place: number for number, place in enumerate(self.places)}

    @cached_property
    def tasks(self) -> int:
        """How many related tasks there are."""
        return self.frame["task"].n_unique()

    @cached_property
    def kind_sizes(self) -> list[int]:
        """How many examples of each kind there are."""
        sizes: list[int] = np.bincount(self.kind_numbers, minlength=len(self.kinds)).tolist()
        return sizes

    @cached_property
    def kind_means(self) -> Numbers:
        """The mean weight of each kind: one row an iteration, one column a kind."""
        return _means(self.weights, self.kind_numbers, len(self.kinds))

    @cached_property
    def dialog_means(self) -> Numbers:
        """The mean weight of each dialog: one row an iteration, one column a dialog."""
        return _means(self.weights, self.dialog_numbers, self.dialogs.height)

    @cached_property
    def means(self) -> Numbers:
        """The mean of all weights at each iteration."""
        return _means(self.weights, np.zeros(len(self), dtype=np.int64), 1)[:, 0]

    @cached_property
    def _text(self) -> pl.Series:
        both = pl.concat_str("user", "system", separator="\n").str.to_lowercase()
        return self.frame.select(both.alias("text"))["text"]


def order_keys(order: str, now: Numbers, first: Numbers) -> Numbers:
    """What to sort by, ascending, for an order other than as read: weights now and at the first record."""
    return {"highest": -now, "lowest": now, "risen": first - now, "fallen": now - first}[order]


def _means(weights: Numbers, groups: Rows, count: int) -> Numbers:
    """Means over the columns of each group, row by row; NaN where nothing was recorded."""
    means = np.full((len(weights), count), np.nan, dtype=np.float32)
    for row, values in zip(means, weights, strict=True):
        known = ~np.isnan(values)
        sizes = np.bincount(groups[known], minlength=count)
        sums = np.bincount(groups[known], values[known], minlength=count)
        np.divide(sums, sizes, out=row, where=sizes > 0, casting="same_kind")
    return means
