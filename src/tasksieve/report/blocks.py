"""What a page consists of: sections of blocks, plain values that the template lays out and escapes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from tasksieve.report.weights import WeightedDialog

Tone = Literal["yes", "unsure", "no", "plain"]


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence in place of what is not there, or beside what is; ``strong`` if it is what a section is about."""

    kind: ClassVar[str] = "note"
    text: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure as two ``<svg>`` elements, of which the page shows the one that suits its width.

    Attributes:
        svg, narrow: markup, made by :func:`tasksieve.report.style.svg_text` and by nothing else: it is not escaped.
        label: what it shows, for readers who cannot see it.
    """

    kind: ClassVar[str] = "picture"
    svg: str
    narrow: str
    label: str


@dataclass(frozen=True, slots=True)
class SnapshotsBlock:
    """Histograms of the weights, one for each snapshot, to move through with a slider.

    Attributes:
        data: JSON for the page's script: ``steps``, ``means`` as text, and ``parts``, each with a ``name`` and the
            ``counts`` of its examples by snapshot and interval.
        count: of the snapshots.
        parts: the names of the parts.
        still: the same at a few stages; all there is without script or on paper.
    """

    kind: ClassVar[str] = "snapshots"
    data: str
    count: int
    parts: tuple[str, ...]
    still: Picture


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table; ``tint`` from -1 (orange) to 1 (blue) colours its ground."""

    text: str
    strong: bool = False
    tint: float = 0.0


@dataclass(frozen=True, slots=True)
class TableBlock:
    """A table; its first ``words`` columns hold words, the others numbers.

    Attributes:
        groups: the places of rows that get a stronger rule above them.
        heading: above it, if it is one of several in its section.
        texts: the places of columns that hold whole sentences, which may be broken into lines.
    """

    kind: ClassVar[str] = "table"
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    words: int = 1
    groups: frozenset[int] = frozenset()
    heading: str = ""
    texts: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class DialogsBlock:
    """Related dialogs with the weight of every turn."""

    kind: ClassVar[str] = "dialogs"
    heading: str
    dialogs: tuple[WeightedDialog, ...]
    longest: int = 60


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Text as it stands, e.g. a configuration file."""

    kind: ClassVar[str] = "text"
    heading: str
    text: str


Block = Note | Picture | SnapshotsBlock | TableBlock | DialogsBlock | TextBlock


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, one sentence that says how to read what follows, and what follows."""

    anchor: str
    heading: str
    reading: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A whole report.

    Attributes:
        kicker: what this is a report of.
        description: all it says in one sentence, as it was recorded.
        word: the verdict's word or a run's accuracy, shown large, in the colour of ``tone``.
        sentence: the rest of the verdict.
        facts: names and values under it.
        besides: sentences of the verdict on other questions.
    """

    kicker: str
    description: str
    word: str
    tone: Tone
    sentence: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...] = field(default=())
    notes: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()
