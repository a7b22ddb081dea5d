"""What a sieve borrowed of each service, and what it wrote for each tool, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl
from rich.table import Table
from rich.text import Text

from tasksieve.dialogs.finetuning.tool import WHOLE
from tasksieve.records.counts import plural
from tasksieve.report import formatting as show
from tasksieve.report.terminal import plain_table, weight_bar

MOST = 20
"""So many services are shown, those with the highest weights."""


def sieve_table(weights: pl.DataFrame, services: Sequence[str]) -> Table:
    """Related services with their responses and mean weights, the highest first.

    Args:
        weights: columns task and weight.
        services: their names by task.
    """
    table = plain_table()
    table.add_column("related service")
    for heading in ("responses", "mean weight"):
        table.add_column(heading, justify="right", no_wrap=True)
    found = weights.group_by("task").agg(pl.len().alias("responses"), pl.mean("weight"))
    rows = found.sort(["weight", "task"], descending=[True, False]).rows(named=True)
    for row in rows[:MOST]:
        name = Text(show.one_line(services[row["task"]], 40))
        table.add_row(name, show.whole(row["responses"]), weight_bar(row["weight"]))
    if len(rows) > MOST:
        table.add_row(f"and {len(rows) - MOST} more", "", "")
    return table


def lines(facts: Mapping[str, Any]) -> Iterator[Text]:
    """What was written for a tool, and what the weights and the dialogs lost by it, a line each.

    Args:
        facts: as ``sieve.json`` has them.
    """
    dialogs, rows = plural(facts["dialogs"], "dialog"), plural(facts["rows"], "row")
    learned, responses = facts["related_learned"], facts["related_responses"]
    done = "shown" if facts["takes"] == WHOLE else "learned"
    said = f": {dialogs} in {rows}, {show.whole(learned)} of {show.whole(responses)} related responses are {done}"
    yield Text.assemble((f"{facts['tool']} ({facts['takes']})", "bold"), said)
    yield Text(f"  Wrote {', '.join(facts['files'])}")
    if facts["mean_difference"] > 0:
        share = 100 * facts["weight_left_out"] / facts["weight"] if facts["weight"] else 0.0
        yield Text(
            f"  Responses left out have {show.percent(share)} % of the sum of all weights; on average the weight in "
            f"the file differs from the learned one by {show.number(facts['mean_difference'], 2)}"
        )
    if facts["lost"]:
        named = "; ".join(f"{what} ({show.whole(count)})" for what, count in sorted(facts["lost"].items()))
        yield Text(f"  Not as it was in the dialogs: {named}")
