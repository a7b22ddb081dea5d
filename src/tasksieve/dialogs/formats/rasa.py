r"""Rasa's stories (training data of Rasa 2 and 3, in YAML).

.. code-block:: yaml

    stories:
    - story: book a table
      steps:
      - intent: inform            # the user, as /inform{"cuisine": "italian"} … (entities named twice are a list)
        entities:
        - cuisine: italian
      - action: utter_on_it       # … and the system, in the words of `responses` below if they are there
      - user: "in [Rome](city)"   # the user's own words
      - slot_was_set:
        - cuisine: italian        # a record of kind slots; a value may be a list or a mapping
      - bot: how many people
    responses:
      utter_on_it:
      - text: i'm on it

The name of an action is what the system does; of a retrieval intent, ``utter_faq/ask_name``, the second part is its
slot. Written to it, a response whose one act has such a name is that action, and its words stand among ``responses``.

Of an ``or`` step the first alternative is taken. ``rules``, ``nlu`` and other keys, forms and checkpoints are not
read. Records of other kinds and notes, for which there is no place, are written as a slot ``told``, and the profile
as a slot ``profile``.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeGuard

import yaml

from tasksieve.dialogs.act import Act
from tasksieve.dialogs.dialog import SILENCE, Dialog, Turn
from tasksieve.dialogs.formats.annotations import plain_acts
from tasksieve.dialogs.formats.assembly import PROFILE_LINE, Assembly, Context, told_text, turns_with_context
from tasksieve.dialogs.formats.format import Format, Start, register
from tasksieve.dialogs.formats.journal import Journal, JournalFull
from tasksieve.dialogs.formats.yaml_nodes import Node, yaml_entries
from tasksieve.dialogs.record import Note, Pairs, Record
from tasksieve.errors import UserError

_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_ACTION = re.compile(r"(utter|action|respond)_\w+(?:/\S+)?", re.IGNORECASE)
_UTTER = "utter_"
"""How the names of actions start that may have words of their own."""
_INTENT = re.compile(r"/([\w./+-]+)(\{.*\})?", re.DOTALL)
_ANNOTATION = re.compile(r"\[([^\]]*)\](?:\([^)]*\)|\{[^}]*\})")
_KEY = re.compile(r"^(?:version|stories|rules|nlu|responses|intents|actions|slots) *:", re.MULTILINE)
_SLOTS = "slots"
"""The kind of the records that slots are."""
_TOLD, _PROFILE = "told", "profile"
_MARKS = ("role", "group")
"""What an entity may have beside its value."""
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
        acts = [_act(name)] if name else []
        assembly.system(name and responses.get(name, name), "action", step.line, acts=acts)
    elif "slot_was_set" in entries:
        _add_slots(entries["slot_was_set"], assembly, step.line)
    elif not entries:
        assembly.refuse("found a step without a key; expected user, intent, bot or action", step.line)


def _act(name: str) -> Act:
    action, _, intent = name.partition("/")
    return Act(action, intent)


def _intent(entries: dict[str, Node]) -> str:
    """The intent with its entities in JSON; of one that is named several times the list of its values."""
    values: dict[str, list[Any]] = {}
    if "entities" in entries:
        for name, value in _entities(entries["entities"]):
            values.setdefault(name, []).append(value)
    entities = {name: given if len(given) > 1 else given[0] for name, given in values.items()}
    return f"/{entries['intent'].text}" + (json.dumps(entities, ensure_ascii=False) if entities else "")


def _entities(node: Node) -> Iterator[tuple[str, Any]]:
    """Names with values; one with a role or group is ``{"value": …, "role": …}``."""
    for item in node.items or [node]:
        if item.text:
            yield item.text, ""
        marks = {key: _json(item.entries[key]) for key in _MARKS if key in item.entries and len(item.entries) > 1}
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
        if name == _PROFILE and value.text is not None:
            assembly.told(PROFILE_LINE + value.text.replace("\n", " "), name, line)
        elif name == _TOLD and value.text is not None:
            assembly.told(value.text, name, line)
        else:
            set_slots.append((name, _json(value)))
    if set_slots:
        assembly.record(_SLOTS, set_slots, "slot_was_set", line)


def _pairs(node: Node) -> Iterator[tuple[str, Node]]:
    """Names with values, from a mapping or a list of mappings; a name alone has an empty value."""
    for item in node.items or [node]:
        if item.text:
            yield item.text, Node("", item.line)
        yield from item.entries.items()


def _write(dialogs: Iterable[Dialog], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write('version: "3.1"\n\nstories:\n')
        said: dict[str, str] = {}
        for number, dialog in enumerate(dialogs, start=1):
            story = {"story": f"dialog {number}", "steps": list(_steps(dialog, said))}
            file.write(_dumped([story]) + "\n")
        if responses := {name: [{"text": text}] for name, text in said.items() if text != name}:
            file.write(_dumped({"responses": responses}))


def _dumped(value: Any) -> str:
    text: str = yaml.dump(value, Dumper=_DUMPER, allow_unicode=True, sort_keys=False, width=10**6)
    return text


def _steps(dialog: Dialog, said: dict[str, str]) -> Iterator[dict[str, Any]]:
    for context, turn in turns_with_context(dialog):
        yield from _slot_steps(context)
        if turn is None:
            return
        if turn.user != SILENCE:
            yield _user_step(turn.user)
        name = _action(turn)
        kept = name is not None and said.setdefault(name, turn.system) == turn.system
        yield {"action": name} if kept else {"bot": turn.system}


def _action(turn: Turn) -> str | None:
    """The name of the action that a turn is: its response is that name, or the words of that one act. Or None."""
    if turn.acts == plain_acts([_act(turn.system)]):
        name = turn.system
    elif len(turn.acts) == 1 and turn.acts[0].name.startswith(_UTTER):
        name = "/".join(filter(None, (turn.acts[0].name, turn.acts[0].slot)))
    else:
        return None
    return name if _ACTION.fullmatch(name) and turn.acts == plain_acts([_act(name)]) else None


def _slot_steps(context: Context) -> Iterator[dict[str, Any]]:
    """A step for each record of slots, and one for each run of other records and notes."""
    for own, events in itertools.groupby(context, _are_slots):
        if own:
            yield from ({"slot_was_set": _slots(event)} for event in events if isinstance(event, Record))
        else:
            yield {"slot_was_set": [_told_slot(event) for event in events]}


def _are_slots(event: Record | Note) -> TypeGuard[Record]:
    """Whether it is a record that is read back from slots as it is."""
    if isinstance(event, Note) or event.kind != _SLOTS or not event.fields:
        return False
    kept = all(Record(_SLOTS, (field,)).is_plain for field in event.fields)
    return kept and not {name for name, _ in event.fields} & {_TOLD, _PROFILE}


def _slots(record: Record) -> list[dict[str, Any]]:
    return [Record(_SLOTS, (field,)).plain() for field in record.fields]


def _told_slot(event: Record | Note) -> dict[str, str]:
    text = told_text(event)
    return {_PROFILE: text.removeprefix(PROFILE_LINE)} if text.startswith(PROFILE_LINE) else {_TOLD: text}


def _user_step(user: str) -> dict[str, Any]:
    intent = _INTENT.fullmatch(user)
    try:
        values = json.loads(intent[2] or "{}") if intent else None
    except (ValueError, RecursionError):
        values = None
    if not intent or not isinstance(values, dict):
        return {"user": user}
    entities = [_entity(name, value) for name, given in values.items() for value in _several(given)]
    return {"intent": intent[1]} | ({"entities": entities} if entities else {})


def _several(given: Any) -> list[Any]:
    return given if isinstance(given, list) and len(given) > 1 else [given]


def _entity(name: str, value: Any) -> dict[str, Any]:
    """An entity as :func:`_entities` reads it; what is neither text, list nor object becomes text."""
    if isinstance(value, dict) and "value" in value and value.keys() <= {"value", *_MARKS} and len(value) > 1:
        return {name: _yaml(value["value"])} | {mark: _yaml(value[mark]) for mark in _MARKS if mark in value}
    return {name: _yaml(value)}


def _yaml(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _yaml(inner) for name, inner in value.items()}
    return [_yaml(inner) for inner in value] if isinstance(value, list) else str(value)


def _recognises(start: Start) -> bool:
    return _KEY.search(start.text) is not None


RASA = register(
    Format(
        name="rasa",
        title="Rasa stories",
        suffixes=(".yml", ".yaml"),
        read=_read,
        write=_write,
        recognises=_recognises,
        example="stories:",
        order=80,
    )
)
"""Rasa's stories."""
