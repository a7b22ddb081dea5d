"""What a fine-tuning tool is: how it takes weights, and how its files are written; and all that there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from tasksieve.dialogs.finetuning.chats import WeightedChat
from tasksieve.errors import UserError

Takes = Literal["a weight a message", "a weight a row", "0 or 1 a message", "a weight a file", "whole dialogs"]
"""What a tool lets a weight be of."""
FLAGS: Takes = "0 or 1 a message"
WHOLE: Takes = "whole dialogs"


@dataclass(frozen=True, slots=True)
class Written:
    """What a tool's files hold.

    Attributes:
        files: those that were written, that with the training dialogs first.
        rows: in the training file, or files.
        dialogs: of the training dialogs those that have a row.
        learned: responses that are learned.
        lost: what of the dialogs is not in the files as it was, and how often.
        weight: the sum of the weights of what is learned, where whole dialogs are chosen; other tools leave it 0.
    """

    files: tuple[Path, ...]
    rows: int = 0
    dialogs: int = 0
    learned: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    weight: float = 0.0


@dataclass(frozen=True, slots=True)
class Dialogs:
    """What is to be fine-tuned on, gone through as often as a writer likes.

    Attributes:
        train: training dialogs of all tasks, the primary one first, with their weights.
        valid: validation dialogs of the primary task; none if there are none.
    """

    train: Iterable[WeightedChat]
    valid: Iterable[WeightedChat] = ()


@dataclass(frozen=True, slots=True)
class Tool:
    """A program or a service that fine-tunes language models.

    Attributes:
        name: as ``--for`` takes it.
        title: as a person calls it.
        takes: what a weight is of there.
        write: writes dialogs into a folder, which is there.
        meaning: a sentence: what a weight does in its training.
    """

    name: str
    title: str
    takes: Takes
    write: Callable[[Dialogs, Path], Written]
    meaning: str

    @property
    def flags(self) -> bool:
        """Whether a response is learned or not there, and nothing between."""
        return self.takes == FLAGS

    @property
    def whole(self) -> bool:
        """Whether whole dialogs are chosen and shown, and none of their responses is weighed."""
        return self.takes == WHOLE


TOOLS: dict[str, Tool] = {}
"""Every tool by its name."""


def register(tool: Tool) -> Tool:
    """Make a tool known by its name."""
    TOOLS[tool.name] = tool
    return tool


def tool_named(name: str) -> Tool:
    """The tool of that name. Raises: UserError: if there is none."""
    if name not in TOOLS:
        near = get_close_matches(name.lower(), TOOLS, 1, cutoff=0.7)
        meant = f" did you mean {near[0]}?" if near else ""
        raise UserError(f"unknown tool '{name}';{meant} known: {', '.join(sorted(TOOLS))}")
    return TOOLS[name]


def with_something_learned(chats: Iterable[WeightedChat], written: Written) -> Iterator[WeightedChat]:
    """Those of the dialogs in which something is learned; the others are counted as lost."""
    for chat in chats:
        if chat.learned:
            yield chat
        else:
            written.lost["dialog of which nothing is learned"] += 1
