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
slot; where it is ``utter_faq`` in the story, the last intent, ``faq/ask_name``, tells which. Words that are not in
the file are looked up in the project's domain. Written to it, a response whose one act has such a name is that
action, and its words stand among ``responses``; so is one whose words are the name.

``rules`` are dialogs as well; their conditions come first. The form that is active is a record of kind
``active_loop``. Stories are joined at checkpoints, and each alternative of an ``or`` step makes a dialog
(:mod:`tasksieve.dialogs.formats.rasa_stories`). Of several wordings the first without a condition or channel is
taken. ``nlu`` and other keys are not read. Records of other kinds and notes, for which
there is no place, are written as a slot ``told``, and the profile as a slot ``profile``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.assembly import Assembly
from tasksieve.dialogs.formats.format import Format, Start, register
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.rasa_responses import Responses
from tasksieve.dialogs.formats.rasa_steps import StoryReader, steps_of
from tasksieve.dialogs.formats.rasa_stories import Part, Stories, alternatives
from tasksieve.dialogs.formats.rasa_writing import write_stories
from tasksieve.dialogs.formats.yaml_nodes import Node, yaml_entries
from tasksieve.errors import UserError

_KEY = re.compile(r"^(?:version|stories|rules|nlu|responses|intents|actions|slots) *:", re.MULTILINE)
_STORIES = {"stories": "story", "rules": "rule"}
"""Keys of lists of dialogs, and what one of them is called."""


def _read(path: Path, journal: Journal) -> Iterator[Dialog]:
    responses, stories = Responses(path, journal), Stories(journal)
    try:
        for key, node in yaml_entries(path, journal, frozenset((*_STORIES, "nlu"))):
            if key in _STORIES:
                steps = steps_of(node, _STORIES[key], journal)
                for parts in () if steps is None else stories.add(node, steps):
                    yield from _dialogs(parts, responses, journal, set())
            elif key not in ("version", "responses"):
                journal.lose(f"entry under '{key}'", _entries(key, node))
    except UserError as error:
        journal.refuse(error.message, error.line)
    heard = set[int]()
    for parts in stories.joined():
        yield from _dialogs(parts, responses, journal, heard)
    responses.end()


def _dialogs(parts: tuple[Part, ...], responses: Responses, journal: Journal, heard: set[int]) -> Iterator[Dialog]:
    """The dialogs that parts of stories make; steps that were heard before count no loss again."""
    again = Journal(journal.path, collect=True)
    for steps in alternatives([step for part in parts for step in part.steps], journal):
        assembly = Assembly(journal, parts[0].story.line)
        reader = StoryReader(assembly, responses, journal)
        for step in steps:
            reader.read(step, again if id(step) in heard else journal)
            heard.add(id(step))
        yield from assembly.dialog()


def _entries(key: str, node: Node) -> int:
    """How many entries a key has; of an item of ``nlu`` it is one."""
    return 1 if key == "nlu" else len(node.items or node.entries) or 1


def _recognises(start: Start) -> bool:
    return _KEY.search(start.text) is not None


RASA = register(
    Format(
        name="rasa",
        title="Rasa stories",
        suffixes=(".yml", ".yaml"),
        read=_read,
        write=write_stories,
        recognises=_recognises,
        example="stories:",
        order=80,
    )
)
"""Rasa's stories."""
