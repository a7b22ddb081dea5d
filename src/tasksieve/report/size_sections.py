"""The section of a comparison page on the number of primary dialogs."""

from __future__ import annotations

from tasksieve.records.comparison import Comparison
from tasksieve.report.blocks import Block, Note, Picture, Section
from tasksieve.report.needs import needs, sentence
from tasksieve.report.size_figures import accuracy_by_size
from tasksieve.report.style import svg_text

_READING = (
    "Test accuracy by the number of primary dialogs, mean ± standard deviation over seeds. The scale does not start "
    "at 0."
)
_ASSUMED = (
    "Read off primary's line, which is drawn straight between the sizes compared. The interval is that of the "
    "difference at that size; how unsure primary's line is further on comes on top."
)


def size_sections(comparison: Comparison) -> list[Section]:
    """How many more dialogs would be needed without borrowing; nothing if one size was compared."""
    if len({row.size for row in comparison.rows}) < 2:
        return []
    picture = Picture(svg_text(accuracy_by_size(comparison), "sizes"), "Test accuracy by number of primary dialogs")
    found = needs(comparison)
    blocks: list[Block] = [Note(sentence(need).replace(" %", "\N{NO-BREAK SPACE}%"), strong=True) for need in found]
    if found:
        blocks.append(Note(_ASSUMED))
    else:
        blocks.append(Note("To answer this, compare `primary` and `learned` at several sizes."))
    heading = "How many more dialogs would you need without borrowing?"
    return [Section("sizes", heading, _READING, (*blocks, picture))]
