"""What was written for a tool, and what was lost, as a record."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasksieve.dialogs.finetuning.choosing import Chosen
from tasksieve.dialogs.finetuning.tool import Tool, Written


def facts_of(tool: Tool, written: Written, chosen: Chosen, lost: Mapping[str, int], out: Path) -> dict[str, Any]:
    """The record.

    Args:
        tool: that was written for.
        written: its files.
        chosen: the weights in them.
        lost: what of the dialogs is not there as it was.
        out: the folder that paths are beside.
    """
    learned, left_out = (
        (written.learned, chosen.total - written.weight) if tool.whole else (chosen.learned, chosen.left_out)
    )
    return {
        "tool": tool.title,
        "takes": tool.takes,
        "meaning": tool.meaning,
        "files": [str(file.relative_to(out)) for file in written.files],
        "rows": written.rows,
        "dialogs": written.dialogs,
        "learned": written.learned,
        "related_responses": chosen.responses,
        "related_learned": learned,
        "weight": chosen.total,
        "weight_left_out": max(0.0, left_out),
        "mean_difference": chosen.difference,
        "lost": dict(lost),
    }
