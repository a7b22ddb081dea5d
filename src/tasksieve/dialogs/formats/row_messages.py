"""Rows of a table as the chat messages that they are: an utterance, or a question with its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tasksieve.dialogs.act import Act
from tasksieve.dialogs.dialog import SILENCE
from tasksieve.dialogs.formats.annotations import ACTION, WEIGHT, acts_written, weight_told
from tasksieve.dialogs.formats.chat_messages import Messages
from tasksieve.dialogs.formats.column_names import CALL_ID, NAME, Columns
from tasksieve.dialogs.formats.journal import Journal, shown
from tasksieve.dialogs.formats.marked_text import dialog_going_on
from tasksieve.dialogs.formats.parts import are_parts
from tasksieve.dialogs.formats.speakers import FACT, SYSTEM, USER, is_tool, speaker_named
from tasksieve.dialogs.formats.tags import decoded
from tasksieve.dialogs.formats.tools import CALLS

NOTHING_THERE = ("NaN", "nan", "NULL", "None", "<NA>")
"""How programs write that nothing is there; it may be what someone says, too."""
_ROLES = {USER: "user", SYSTEM: "assistant", FACT: "system"}
_BESIDE = {"assistant": CALLS, "tool": (NAME, CALL_ID)}
"""The keys beside what these say."""


class RowMessages:
    """The messages that the rows of one dialog are.

    Args:
        reading: takes the messages.
        columns: of the table.
        prompts: whether a speaker ``system`` gives prompts.
        journal: of the file.
    """

    def __init__(self, reading: Messages, columns: Columns, prompts: bool, journal: Journal) -> None:
        self._reading = reading
        self._columns = columns
        self._prompts = prompts
        self._journal = journal

    def add(self, row: Sequence[str], line: int, acts: tuple[Act, ...]) -> None:
        """The next row, with what the system does in it."""
        cells = {kind: row[place] for kind, place in self._columns.places.items()}
        said: dict[str, Any] = {WEIGHT: weight_told(cells.get("weight", ""))}
        if acts:
            said[ACTION] = acts_written(acts)
        if "response" in cells:
            self._add_example(cells, said, line)
        else:
            self._add_utterance(cells, said, row, line)

    def _add_example(self, cells: Mapping[str, str], said: dict[str, Any], line: int) -> None:
        user, response = f"{cells['user']}\n{cells.get('input', '')}".strip(), cells["response"]
        if (going := dialog_going_on(user, response)) is not None:
            for message in going[:-1]:
                self._reading.add(message, "context", line)
            response = going[-1]["content"]
        elif user != SILENCE:
            self._reading.add({"role": "user", "content": user}, "context", line)
        self._reading.add({"role": "assistant", "content": response, **said}, "response", line)

    def _add_utterance(self, cells: Mapping[str, str], said: dict[str, Any], row: Sequence[str], line: int) -> None:
        speaker = speaker_named(cells["speaker"], prompts=self._prompts)
        if speaker is None:
            expected = "user, system or fact, or a name such as customer, agent or kb"
            self._reading.assembly.refuse(f"found speaker {shown(cells['speaker'])}; expected {expected}", line)
            return
        role = "tool" if is_tool(cells["speaker"]) else _ROLES[speaker]
        beside = self._beside(role, row)
        content: Any = cells["text"]
        if content in NOTHING_THERE and beside.keys() & set(CALLS):
            content = ""
        elif content in NOTHING_THERE:
            self._journal.lose(f"cell '{content}', which was taken for words")
        message = {"role": role, "content": _parts(content), **beside}
        self._reading.add(message | said if role == "assistant" else message, "text", line)

    def _beside(self, role: str, row: Sequence[str]) -> dict[str, Any]:
        """What cells say of the message besides; those of which it has no use are counted."""
        found: dict[str, Any] = {}
        for key, place in self._columns.beside.items():
            cell = row[place] if place < len(row) else ""
            if not cell.strip() or cell in NOTHING_THERE or cell.strip() in ("null", "[]"):
                continue
            value = decoded(cell) if key in CALLS else cell
            if key in _BESIDE.get(role, ()) and value is not None:
                found[key] = value
            else:
                self._journal.lose(f"column '{self._columns.names[place]}'")
        return found


def _parts(content: str) -> Any:
    """The parts of a content that stand there as JSON; a text as it is."""
    if not content.lstrip().startswith("[{"):
        return content
    found = decoded(content)
    typed = are_parts(found) and all(isinstance(part, dict) and "type" in part for part in found or ())
    return found if typed else content
