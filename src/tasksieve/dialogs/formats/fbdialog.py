r"""FbDialog, the numbered text format that ParlAI's ``FbDialogTeacher`` reads; bAbI's is a stricter one.

Every line starts with its number; one that is no larger than the number before begins a dialog. After it stand up to
four fields with tabs between them: text, labels, reward, candidates::

    1 your persona: i like cats.
    2 hello<TAB>hi , do you like cats ?<TAB><TAB>hello|hi , do you like cats ?
    3 yes<TAB>me too

A line without labels is a record (a triple, or JSON after a name) or a note. ``|`` stands between labels and between
candidates, and ``\n`` for a line end; of a text with several lines the last is the user's. ``__SILENCE__``,
``<SILENCE>`` and ``...`` stand for a silent user. Blank lines mean nothing. Labels after the first, and rewards other
than 0, are not read. Written to it, every turn has a reward of 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tasksieve.dialogs.dialog import SILENCE, Dialog, Turn
from tasksieve.dialogs.formats.assembly import Assembly, Context, one_line, told_text, turns_with_context
from tasksieve.dialogs.formats.babi import SPACED_OUT
from tasksieve.dialogs.formats.format import Format, Start, register
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.lines import numbered_lines
from tasksieve.dialogs.formats.parlai import in_json
from tasksieve.dialogs.record import Note, Record

_SILENT = ("__SILENCE__", SILENCE, "...")
_NUMBERED = re.compile(r"\s*(\d{1,9})(?: (.*))?", re.DOTALL)
_PERSONA = re.compile(r"(?:your|partner's) persona: ")
_REWARD = re.compile(r"-?\d+(?:\.\d*)?|")
_NO_REWARD = ("", "0", "0.0")
_FIELDS = 4


def _read(path: Path, journal: Journal) -> Iterator[Dialog]:
    assembly: Assembly | None = None
    before = 0
    for number, line in numbered_lines(path, journal):
        if not line.strip():
            continue
        numbered = _NUMBERED.fullmatch(line)
        if numbered is None:
            journal.refuse(f"found {line[:80]!r}; expected a line number, a space and text", number)
            continue
        if assembly is not None and int(numbered[1]) <= before:
            yield from assembly.dialog()
            assembly = None
        assembly, before = assembly or Assembly(journal, number), int(numbered[1])
        _add(numbered[2] or "", number, assembly, journal)
    if assembly is not None:
        yield from assembly.dialog()


def _add(text: str, number: int, assembly: Assembly, journal: Journal) -> None:
    said, *fields = (field.strip().replace("\\n", "\n") for field in text.split("\t"))
    if not fields:
        if SPACED_OUT.search(text.strip()):
            assembly.refuse(f"found {text[:80]!r}; expected a tab between user and system, not spaces", number)
        assembly.told(said, "text", number)
        return
    labels, reward, candidates = (*fields, "", "")[: _FIELDS - 1]
    first, *others = labels.split("|")
    journal.lose("label after the first", len(others))
    journal.lose("field after the candidates", sum(map(bool, fields[_FIELDS - 1 :])))
    journal.lose("reward of a turn", int(reward not in _NO_REWARD))
    *context, user = said.split("\n")
    for line in context:
        assembly.told(line, "text", number)
    if user not in _SILENT:
        assembly.user(user, "text", number)
    assembly.system(first, "label", number, candidates=[one for one in candidates.split("|") if one.strip()])


def _write(dialogs: Iterable[Dialog], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for dialog in dialogs:
            lines = [line for context, turn in turns_with_context(dialog) for line in _lines(context, turn)]
            file.writelines(f"{number} {line}\n" for number, line in enumerate(lines, start=1))


def _lines(context: Context, turn: Turn | None) -> Iterator[str]:
    for event in context:
        yield from _told(event)
    if turn is not None:
        user = _SILENT[0] if turn.user == SILENCE else _plain(turn.user.replace("\n", " "))
        offered = "|".join(map(_label, turn.candidates))
        yield f"{user}\t{_label(turn.system)}\t0" + (f"\t{offered}" if offered else "")


def _told(event: Record | Note) -> list[str]:
    text = told_text(event)
    if isinstance(event, Note):
        return [one_line(_plain(text.replace("\n", " ")))]
    return list(map(in_json, text.split("\n")))


def _plain(text: str) -> str:
    """A text with nothing in it that means something here."""
    return text.replace("\\n", "\\ n").replace("\n", "\\n").replace("\t", " ")


def _label(text: str) -> str:
    """A label; there is no way to write ``|`` in one."""
    return _plain(text.replace("|", "/"))


def _recognises(start: Start) -> bool:
    """Whether numbered lines are of this format and not of bAbI's: by their fields, or where dialogs begin."""
    if _NUMBERED.match(start.line) is None:
        return False
    before = 0
    for line in start.text.splitlines():
        numbered = _NUMBERED.fullmatch(line)
        if numbered is None:
            before = 0
            continue
        number, (said, *fields) = int(numbered[1]), (numbered[2] or "").split("\t")
        rewarded = len(fields) > 1 and _REWARD.fullmatch(fields[1].strip()) is not None
        if rewarded or (number == 1 and before > 0) or (not fields and _PERSONA.match(said)):
            return True
        before = number
    return False


FBDIALOG = register(
    Format(
        name="fbdialog",
        title="FbDialog",
        suffixes=(".fbdialog",),
        read=_read,
        write=_write,
        recognises=_recognises,
        example="1 hello<TAB>hello what can i help you with",
        order=45,
    )
)
"""ParlAI's numbered text."""
