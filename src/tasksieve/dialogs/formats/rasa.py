r"""Rasa's stories (training data of Rasa 2 and 3, in YAML).

.. code-block:: yaml

    stories:
    - story: book a table
      steps:
      - intent: inform            # the user, as /inform{"cuisine": "italian"} …
        entities:
        - cuisine: italian
      - action: utter_on_it       # … and the system, in the words of `responses` below if they are there
      - user: "in [Rome](city)"   # the user's own words
      - slot_was_set:
        - cuisine: italian        # a fact: slot cuisine italian
      - bot: how many people
    responses:
      utter_on_it:
      - text: i'm on it

Of an ``or`` step the first alternative is taken. ``rules``, ``nlu`` and other keys, forms and checkpoints are not
read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from tasksieve.dialogs.dialog import SILENCE, Dialog
from tasksieve.dialogs.formats.assembly import PROFILE_LINE, Assembly, turns_with_facts
from tasksieve.dialogs.formats.format import Format
from tasksieve.dialogs.formats.journal import Journal, JournalFull
from tasksieve.dialogs.formats.yaml_nodes import Node, yaml_entries
from tasksieve.errors import UserError

_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_ACTION = re.compile(r"(utter|action|respond)_\w+")
_INTENT = re.compile(r"/([\w./+-]+)(\{.*\})?", re.DOTALL)
_ANNOTATION = re.compile(r"\[([^\]]*)\](?:\([^)]*\)|\{[^}]*\})")
_SLOT = re.compile(r"slot (\S+) (.+)")
_FACT, _PROFILE = "fact", "profile"
_READ = {"intent", "user", "entities", "action", "bot", "slot_was_set", "or"}


def _read(path: Path, journal: Journal) -> Iterator[Dialog]:
    responses = dict(_responses(path))
    try:
        for key, node in yaml_entries(path, journal, frozenset(("stories", "rules", "nlu"))):
            if key == "stories":
                yield from _story(node, responses, journal)
            elif key not in ("version", "responses"):
                journal.lose(f"entry under '{key}'")
    except UserError as error:
        journal.refuse(error.message, error.line)


def _responses(path: Path) -> Iterator[tuple[str, str]]:
    """The first text of each response. Problems are left to the reading of the stories."""
    try:
        for key, node in yaml_entries(path, Journal(path, collect=True), frozenset(("stories",))):
            for name, variants in node.entries.items() if key == "responses" else ():
                texts = (variant.entries["text"].text for variant in variants.items if "text" in variant.entries)
                if first := next((text for text in texts if text), None):
                    yield name, first
    except (UserError, JournalFull):
        return


def _story(story: Node, responses: dict[str, str], journal: Journal) -> Iterator[Dialog]:
    assembly = Assembly(journal, story.line)
    steps = story.entries.get("steps")
    if steps is None or not isinstance(steps.value, list):
        assembly.refuse("this story has no list of steps; expected one")
        return
    for step in steps.items:
        _step(step, responses, assembly, journal)
    yield from assembly.dialog()


def _step(step: Node, responses: dict[str, str], assembly: Assembly, journal: Journal) -> None:
    entries = step.entries
    for key in entries.keys() - _READ:
        journal.lose(f"'{key}' in a story")
    if alternatives := entries.get("or"):
        journal.lose("alternative of an 'or' step", max(0, len(alternatives.items) - 1))
        for first in alternatives.items[:1]:
            _step(first, responses, assembly, journal)
    elif "user" in entries:
        journal.lose("'intent' of a user's own words", int("intent" in entries))
        text = entries["user"].text
        assembly.user(text and _ANNOTATION.sub(r"\1", text), "user", step.line)
    elif "intent" in entries:
        assembly.user(_intent(entries), "intent", step.line)
    elif "bot" in entries:
        assembly.system(entries["bot"].text, "bot", step.line)
    elif "action" in entries:
        name = entries["action"].text
        assembly.system(name and responses.get(name, name), "action", step.line)
    elif "slot_was_set" in entries:
        for slot in entries["slot_was_set"].items:
            assembly.facts("\n".join(_slot(slot)), "slot_was_set", step.line)
    elif not entries:
        assembly.refuse("found a step without a key; expected user, intent, bot or action", step.line)


def _intent(entries: dict[str, Node]) -> str:
    values: dict[str, str] = {}
    for entity in entries["entities"].items if "entities" in entries else []:
        pairs = entity.entries.items() if entity.entries else [(entity.text or "", Node("", entity.line))]
        values |= {name: value.text or "" for name, value in pairs}
    return f"/{entries['intent'].text}" + (json.dumps(values, ensure_ascii=False) if values else "")


def _slot(slot: Node) -> Iterator[str]:
    for name, node in slot.entries.items():
        value = (node.text or "").replace("\n", " ")
        if name == _PROFILE:
            yield PROFILE_LINE + value
        else:
            yield value if name == _FACT else f"slot {name} {value}"
    if slot.text:
        yield f"slot {slot.text}"


def _write(dialogs: Iterable[Dialog], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write('version: "3.1"\n\nstories:\n')
        for number, dialog in enumerate(dialogs, start=1):
            story = {"story": f"dialog {number}", "steps": list(_steps(dialog))}
            file.write(yaml.dump([story], Dumper=_DUMPER, allow_unicode=True, sort_keys=False, width=10**6) + "\n")


def _steps(dialog: Dialog) -> Iterator[dict[str, Any]]:
    for facts, turn in turns_with_facts(dialog):
        if facts:
            yield {"slot_was_set": [_slot_of(fact) for fact in facts]}
        if turn is None:
            return
        if turn.user != SILENCE:
            yield _user_step(turn.user)
        yield {"action" if _ACTION.fullmatch(turn.system) else "bot": turn.system}


def _slot_of(fact: str) -> dict[str, str]:
    if fact.startswith(PROFILE_LINE):
        return {_PROFILE: fact.removeprefix(PROFILE_LINE)}
    slot = _SLOT.fullmatch(fact)
    return {slot[1]: slot[2]} if slot and slot[1] not in (_FACT, _PROFILE) else {_FACT: fact}


def _user_step(user: str) -> dict[str, Any]:
    intent = _INTENT.fullmatch(user)
    try:
        values = json.loads(intent[2] or "{}") if intent else None
    except (ValueError, RecursionError):
        values = None
    if not intent or not isinstance(values, dict):
        return {"user": user}
    step: dict[str, Any] = {"intent": intent[1]}
    return step | ({"entities": [{name: str(value)} for name, value in values.items()]} if values else {})


RASA = Format(
    name="rasa",
    title="Rasa stories",
    suffixes=(".yml", ".yaml"),
    read=_read,
    write=_write,
    example="stories:",
)
"""Rasa's stories."""
