"""The section of a comparison page on the number of primary dialogs."""

from __future__ import annotations

from tasksieve.records.comparison import Comparison
from tasksieve.report.blocks import Block, Note, Section
from tasksieve.report.drawing import picture
from tasksieve.report.needs import needs, sentence
from tasksieve.report.size_figures import accuracy_by_size
from tasksieve.report.wording import wording

_READING = (
    "{} on test dialogs by the number of primary dialogs, mean ± standard deviation over seeds. The scale does not "
    "start at 0."
)
_ASSUMED = (
    "Read off primary's line, which is drawn straight between the sizes compared. The interval is that of the "
    "difference at that size; how unsure primary's line is further on comes on top."
)


def size_sections(comparison: Comparison) -> list[Section]:
    """How many more dialogs would be needed without borrowing; nothing if one size was compared."""
    if len({row.size for row in comparison.rows}) < 2:
        return []
    words = wording(comparison.measure)
    shown = picture(
        lambda narrow: accuracy_by_size(comparison, narrow),
        "sizes",
        f"Test {words.name} by number of primary dialogs",
    )
    found = needs(comparison)
    blocks: list[Block] = [Note(sentence(need).replace(" %", "\N{NO-BREAK SPACE}%"), strong=True) for need in found]
    if found:
        blocks.append(Note(_ASSUMED))
    else:
        blocks.append(Note("To answer this, compare `primary` and `learned` at several sizes."))
    heading = "How many more dialogs would you need without borrowing?"
    return [Section("sizes", heading, _READING.format(words.heading), (*blocks, shown))]
