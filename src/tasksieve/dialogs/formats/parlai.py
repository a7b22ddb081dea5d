r"""ParlAI's text format, which its ``ParlAIDialogTeacher`` reads.

A line is an example of tab-separated ``field:value``, the last one of a dialog has ``episode_done:True``::

    text:hello<TAB>labels:hello what can i help you with
    text:resto_rome_1 R_rating 8\nitalian please<TAB>labels:one moment<TAB>episode_done:True

In a value a line end stands as ``\n``, a tab as ``\t`` and ``|`` as ``__PIPE__``; labels have ``|`` between them. The
last line of ``text`` is the user's; each before it is a record (a triple, or JSON after a name) or a note.
``__SILENCE__`` stands for a silent user. Blank lines mean nothing. ``episode_done`` with ``False``, ``0`` or nothing
in it ends no dialog, though ParlAI itself takes any text there for true. A field ``action`` has what the system does,
as ``request(city) goodbye``, or as a list in JSON if a name has a space or bracket in it. ``label_candidates`` has
responses to choose among, with ``|`` between them; ``weight`` is how much a response counts where it is learned from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tasksieve.dialogs.act import Act
from tasksieve.dialogs.dialog import SILENCE, Dialog, Turn
from tasksieve.dialogs.formats.annotations import (
    ACTION,
    WEIGHT,
    acts_in,
    acts_json,
    acts_line,
    weight_line,
    weight_told,
)
from tasksieve.dialogs.formats.assembly import Assembly, Context, told_text, turns_with_context
from tasksieve.dialogs.formats.format import Format, Start, register
from tasksieve.dialogs.formats.journal import Journal, shown
from tasksieve.dialogs.formats.lines import numbered_lines
from tasksieve.dialogs.record import Note, Record, triples

_SILENCE = "__SILENCE__"
_LABELS = ("labels", "eval_labels")
_CANDIDATES = "label_candidates"
_NOT_DONE = ("", "false", "0")
_LONG = 100
"""Examples of one dialog that ParlAI warns from if there is no other: is their end not marked?"""
_SPACED_FIELD = re.compile(r"(?: (episode_done|eval_labels|label_candidates)| {2,}(labels)):")
_SPACES = re.compile(r" (?:eval_)?labels:")
_ESCAPES = {"\\n": "\n", "\\t": "\t", "__PIPE__": "|"}
_ESCAPE = re.compile(r"\\n|\\t|__PIPE__")
_IN_JSON = {"\\\\": "\\u005c", "\\n": "\\u000a", "\\t": "\\u0009", "__PIPE__": "\\u005f_PIPE__"}
_TAKEN_FOR_ESCAPES = re.compile(r"\\\\|\\n|\\t|__PIPE__")
_EXAMPLE = re.compile(r"(?:[\w-]+:[^\t]*\t)*(?:text|labels|eval_labels):")


def _read(path: Path, journal: Journal) -> Iterator[Dialog]:
    assembly: Assembly | None = None
    examples = ended = 0
    for number, line in numbered_lines(path, journal):
        if not line.strip():
            continue
        assembly = assembly or Assembly(journal, number)
        fields = _fields(line, number, assembly)
        _add(fields, number, assembly, journal)
        examples += 1
        if fields.get("episode_done", "").strip().lower() not in _NOT_DONE:
            yield from assembly.dialog()
            assembly, ended = None, ended + 1
    if assembly is not None:
        if not ended and examples > _LONG:
            journal.lose(f"end of a dialog, if it is not one of {examples:,} turns: 'episode_done:True'")
        yield from assembly.dialog()


def _fields(line: str, number: int, assembly: Assembly) -> dict[str, str]:
    fields = {}
    for part in line.split("\t"):
        name, colon, value = part.partition(":")
        if colon:
            fields[name] = value
        elif part.strip():
            assembly.refuse(f"found {part[:80]!r}; expected field:value with tabs between the fields", number)
    return fields


def _add(fields: dict[str, str], number: int, assembly: Assembly, journal: Journal) -> None:
    labels = next((fields[name] for name in _LABELS if name in fields), None)
    if "text" not in fields or labels is None:
        hint = " with a tab before 'labels:', not spaces" if _SPACES.search(fields.get("text", "")) else ""
        assembly.refuse(f"found fields {shown(list(fields))}; expected text and labels{hint}", number)
        return
    if (spaced := next(filter(None, map(_SPACED_FIELD.search, fields.values())), None)) is not None:
        assembly.refuse(f"found '{spaced[0].strip()}' after spaces; expected a tab before it", number)
        return
    acts = acts_in(_plain(fields.get(ACTION, "")))
    journal.lose(f"'{ACTION}' of an example", int(acts is None))
    for name in fields.keys() - {"text", "episode_done", ACTION, WEIGHT, _CANDIDATES, *_LABELS}:
        journal.lose(f"'{name}' of an example")
    first, *others = labels.split("|")
    journal.lose("label after the first", len(others))
    *context, user = _plain(fields["text"]).split("\n")
    for text in context:
        assembly.told(text, "text", number)
    if user.strip() != _SILENCE:
        assembly.user(user, "text", number)
    candidates = [_plain(one) for one in fields.get(_CANDIDATES, "").split("|") if one.strip()]
    weight = weight_told(fields.get(WEIGHT, ""))
    assembly.system(_plain(first), "labels", number, weight=weight, acts=acts or (), candidates=candidates)


def _plain(value: str) -> str:
    return _ESCAPE.sub(lambda match: _ESCAPES[match[0]], value)


def _escaped(text: str) -> str:
    apart = text.replace("\\n", "\\ n").replace("\\t", "\\ t")
    apart = _SPACED_FIELD.sub(lambda match: f" {match[1] or match[2]} :", apart)
    return apart.replace("\n", "\\n").replace("\t", "\\t").replace("|", "__PIPE__")


def _write(dialogs: Iterable[Dialog], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for dialog in dialogs:
            examples = [_example(told, turn) for told, turn in turns_with_context(dialog) if turn]
            file.write("\n".join(examples) + "\tepisode_done:True\n\n")


def _example(context: Context, turn: Turn) -> str:
    said = _SILENCE if turn.user == SILENCE else _escaped(turn.user.replace("\n", " "))
    text = "\\n".join([*map(_line, context), said])
    offered = "|".join(map(_escaped, turn.candidates))
    candidates = f"\t{_CANDIDATES}:{offered}" if offered else ""
    weight = f"\t{WEIGHT}:{line}" if (line := weight_line(turn)) else ""
    return f"text:{text}\tlabels:{_escaped(turn.system)}{_action(turn.acts)}{weight}{candidates}"


def _action(acts: tuple[Act, ...]) -> str:
    """The field of acts; nothing if there are none."""
    line = acts_line(acts)
    if _TAKEN_FOR_ESCAPES.search(line):
        line = in_json(acts_json(acts))
    return f"\t{ACTION}:{_escaped(line)}" if line else ""


def _line(event: Record | Note) -> str:
    text = told_text(event)
    if isinstance(event, Note):
        return _escaped(text.replace("\n", " "))
    if triples(event) is None:
        text = in_json(text)
    return _escaped(text)


def in_json(text: str) -> str:
    """JSON without what would be taken for an escape of this format."""
    return _TAKEN_FOR_ESCAPES.sub(lambda match: _IN_JSON[match[0]], text)


def _recognises(start: Start) -> bool:
    return _EXAMPLE.match(start.line) is not None


PARLAI = register(
    Format(
        name="parlai",
        title="ParlAI text",
        suffixes=(".parlai",),
        read=_read,
        write=_write,
        recognises=_recognises,
        example="text:hello<TAB>labels:hello what can i help you with<TAB>episode_done:True",
    )
)
"""ParlAI's text format."""
