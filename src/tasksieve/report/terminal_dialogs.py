"""Related dialogs in a terminal, each turn shaded by its weight; number and bar say the same without colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from tasksieve.records.counts import plural
from tasksieve.records.weight_meaning import scale
from tasksieve.report import formatting as show
from tasksieve.report.terminal import weight_bar
from tasksieve.report.weights import WeightedDialog, WeightedTurn

SHADES = (
    "#000000 on #ffffff",
    "#000000 on #cfe3f2",
    "#000000 on #8fc1e3",
    "#ffffff on #2472a8",
    "#ffffff on #0b4a7d",
)
"""Text and ground from weight 0 to weight 1: both are set, for a terminal may be light or dark."""
_LONGEST = 40
_SILENT = ("", "<SILENCE>")


def dialogs_page(
    highest: Sequence[WeightedDialog], lowest: Sequence[WeightedDialog], step: int, drawn: bool = False
) -> Iterator[RenderableType]:
    """The parts of the page in order: a legend, the dialogs borrowed most and least.

    Args:
        highest, lowest: as :func:`tasksieve.report.weights.extreme_dialogs` gives them.
        step: the iteration the weights are of.
        drawn: whether examples were drawn by their weights.
    """
    yield _legend(drawn)
    for title, dialogs in (("Borrowed most", highest), ("Borrowed least", lowest)):
        for dialog in dialogs:
            yield Text()
            yield _heading(f"{title} at iteration {step}", dialog)
            yield _turns(dialog.turns[:_LONGEST])
            if len(dialog.turns) > _LONGEST:
                yield Text(f"{plural(len(dialog.turns) - _LONGEST, 'more turn')} not shown", style="dim")


def shade(weight: float | None) -> str:
    """The style of a turn; none if its weight is not a number."""
    if weight is None or show.missing(weight):
        return ""
    return SHADES[round(min(max(weight, 0.0), 1.0) * (len(SHADES) - 1))]


def _legend(drawn: bool) -> Text:
    legend = Text("Weight: ")
    for place, style in enumerate(SHADES):
        legend.append(f" {place / (len(SHADES) - 1):.2f} ", style)
    return legend.append(f"\n({scale(drawn)})")


def _heading(title: str, dialog: WeightedDialog) -> Text:
    task = f" of {show.one_line(dialog.task, 60)}" if dialog.task else ""
    mean = f"mean weight {show.number(dialog.weight, 2)}"
    return Text.assemble((f"{title}: dialog {dialog.dialog + 1}{task}", "bold"), f", {mean}")


def _turns(turns: Sequence[WeightedTurn]) -> Table:
    table = Table.grid(padding=(0, 1, 0, 0), expand=True)
    table.add_column(width=11)
    table.add_column(width=6)
    table.add_column(ratio=1)
    for turn in turns:
        style = shade(turn.weight)
        user = "(says nothing)" if turn.user in _SILENT else show.one_line(turn.user)
        table.add_row(Text(weight_bar(turn.weight).plain), "user", Text(user), style=style)
        table.add_row("", "system", Text(show.one_line(turn.system)), style=style)
    return table
