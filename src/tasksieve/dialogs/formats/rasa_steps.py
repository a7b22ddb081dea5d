"""The steps of Rasa's stories and rules, as turns and records.

What becomes a dialog of them is said in :mod:`tasksieve.dialogs.formats.rasa_stories`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tasksieve.dialogs.act import Act
from tasksieve.dialogs.formats.assembly import PROFILE_LINE, Assembly
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.rasa_responses import Responses
from tasksieve.dialogs.formats.yaml_nodes import Node
from tasksieve.dialogs.record import Pairs

SLOTS, LOOP = "slots", "active_loop"
"""The kinds of the records that slots are, and the form that is active."""
LOOP_NAME = "name"
"""The one field of such a form."""
TOLD, PROFILE = "told", "profile"
"""Slots that hold records of other kinds and notes, and the profile."""
MARKS = ("role", "group")
"""What an entity may have beside its value."""

_ANNOTATION = re.compile(r"\[([^\]]*)\](?:\([^)]*\)|\{[^}]*\})")
_KEYS: dict[str, tuple[str, ...]] = {
    "or": ("or",),
    "user": ("user",),
    "intent": ("intent", "entities"),
    "bot": ("bot",),
    "action": ("action",),
    LOOP: (LOOP,),
    "slot_was_set": ("slot_was_set",),
}
"""What a step may be, and the keys that are read of it; the first that is there counts."""
_OWNERS = {"user": "a user's own words"}


def steps_of(story: Node, name: str, journal: Journal) -> list[Node] | None:
    """The steps of a story or rule, its conditions first; None if it has no list of steps, which is refused.

    Args:
        story: as it stands in the file.
        name: the key that names it, ``story`` or ``rule``.
        journal: of the file.
    """
    steps = story.entries.get("steps")
    if steps is None or not isinstance(steps.value, list):
        journal.refuse(f"this {name} has no list of steps; expected one", story.line)
        return None
    for key in story.entries.keys() - {name, "steps", "condition"}:
        journal.lose(f"'{key}' of a {name}")
    conditions = story.entries.get("condition")
    return [*(conditions.items if conditions else ()), *steps.items]


class StoryReader:
    """Reads the steps of one dialog.

    Args:
        assembly: of its dialog.
        responses: the words of actions.
        journal: of the file.
    """

    def __init__(self, assembly: Assembly, responses: Responses, journal: Journal) -> None:
        self._assembly = assembly
        self._responses = responses
        self._journal = journal
        self._intent = ""

    def read(self, step: Node, journal: Journal) -> None:
        """Read the next step; the journal is told what of it is not read."""
        self._journal = journal
        self._step(step)

    def _step(self, step: Node) -> None:
        entries, assembly, line = step.entries, self._assembly, step.line
        kind = next((kind for kind in _KEYS if kind in entries), None)
        for key in entries.keys() - set(_KEYS.get(kind or "", ())):
            self._journal.lose(f"'{key}' {f'of {_OWNERS[kind]}' if kind in _OWNERS else 'in a story'}")
        if kind == "or":
            self._either(entries["or"])
        elif kind == "user":
            assembly.user(self._own_words(entries["user"].text), "user", line)
        elif kind == "intent":
            self._intent = entries["intent"].text or ""
            assembly.user(_intent(entries), "intent", line)
        elif kind == "bot":
            assembly.system(entries["bot"].text, "bot", line)
        elif kind == "action":
            self._action(entries["action"].text, line)
        elif kind == LOOP:
            assembly.record(LOOP, {LOOP_NAME: _json(entries[LOOP])}, LOOP, line)
        elif kind == "slot_was_set":
            _add_slots(entries["slot_was_set"], assembly, line)
        elif not entries:
            assembly.refuse("found a step without a key; expected user, intent, bot or action", line)

    def _either(self, alternatives: Node) -> None:
        """Of an ``or`` in an ``or`` the first alternative is taken, since no tool writes such a thing."""
        self._journal.lose("alternative of an 'or' step in another", max(0, len(alternatives.items) - 1))
        for first in alternatives.items[:1]:
            self._step(first)

    def _action(self, name: str | None, line: int) -> None:
        if not name:
            self._assembly.system(name, "action", line)
            return
        whole, words = self._responses.said(name, self._intent)
        self._assembly.system(words, "action", line, acts=[action_act(whole)])

    def _own_words(self, text: str | None) -> str | None:
        if text is None:
            return None
        plain, marks = _ANNOTATION.subn(r"\1", text)
        self._journal.lose("entity marked in a user's own words", marks)
        return plain


def action_act(name: str) -> Act:
    """The act that an action is: of a retrieval intent, ``utter_faq/ask_name``, the second part is its slot."""
    action, _, intent = name.partition("/")
    return Act(action, intent)


def _intent(entries: dict[str, Node]) -> str | None:
    """The intent with its entities in JSON; of one that is named several times the list of its values."""
    values: dict[str, list[Any]] = {}
    if "entities" in entries:
        for name, value in _entities(entries["entities"]):
            values.setdefault(name, []).append(value)
    entities = {name: given if len(given) > 1 else given[0] for name, given in values.items()}
    intent = entries["intent"].text
    return intent and f"/{intent}" + (json.dumps(entities, ensure_ascii=False) if entities else "")


def _entities(node: Node) -> Iterator[tuple[str, Any]]:
    """Names with values; one with a role or group is ``{"value": …, "role": …}``."""
    for item in node.items or [node]:
        if item.text:
            yield item.text, ""
        marks = {key: _json(item.entries[key]) for key in MARKS if key in item.entries and len(item.entries) > 1}
        for name, value in item.entries.items():
            if name not in marks:
                yield name, {"value": _json(value), **marks} if marks else _json(value)


def _json(node: Node) -> Any:
    """A value as JSON has it: texts, lists and objects."""
    if isinstance(node.value, dict):
        return {name: _json(value) for name, value in node.value.items()}
    return node.value if isinstance(node.value, str) else [_json(item) for item in node.value]


def _add_slots(slots: Node, assembly: Assembly, line: int) -> None:
    """One record of all slots; what is told or the profile stands by itself."""
    set_slots = Pairs()
    for name, value in _pairs(slots):
        if name == PROFILE and value.text is not None:
            assembly.told(PROFILE_LINE + value.text.replace("\n", " "), name, line)
        elif name == TOLD and value.text is not None:
            assembly.told(value.text, name, line)
        else:
            set_slots.append((name, _json(value)))
    if set_slots:
        assembly.record(SLOTS, set_slots, "slot_was_set", line)


def _pairs(node: Node) -> Iterator[tuple[str, Node]]:
    """Names with values, from a mapping or a list of mappings; a name alone has an empty value."""
    for item in node.items or [node]:
        if item.text:
            yield item.text, Node("", item.line)
        yield from item.entries.items()
