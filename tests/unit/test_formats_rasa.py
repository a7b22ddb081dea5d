"""Entities and slots of Rasa's stories in every form that they may have."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasksieve.dialogs import Dialog, Record, Turn
from tasksieve.dialogs.formats import FORMATS, read_dialogs
from tasksieve.dialogs.formats.validate import validate


def read(folder: Path, steps: str) -> tuple[object, ...]:
    (folder / "dialogs.yml").write_text(f"stories:\n- story: a\n  steps:\n{steps}  - bot: done\n")
    assert validate(folder / "dialogs.yml").lost == {}
    dialogs = read_dialogs(folder / "dialogs.yml")
    FORMATS["rasa"].write(dialogs, folder / "again.yml")
    assert read_dialogs(folder / "again.yml")[0].events == dialogs[0].events
    return dialogs[0].events


@pytest.mark.parametrize(
    ("entities", "said"),
    [
        ("[{topping: ham}, {topping: corn}]", '{"topping": ["ham", "corn"]}'),
        (
            "[{city: Rome, role: from}, {city: Oslo, role: to, group: 1}]",
            '{"city": [{"value": "Rome", "role": "from"}, {"value": "Oslo", "role": "to", "group": "1"}]}',
        ),
        ("{name: anna}", '{"name": "anna"}'),
        ("[{role: admin}, size]", '{"role": "admin", "size": ""}'),
        ("[{kinds: [a, b]}, {one: [c]}, {at: {x: 1}}]", '{"kinds": ["a", "b"], "one": ["c"], "at": {"x": "1"}}'),
    ],
)
def test_entities_in_every_form_are_read_and_written(tmp_path: Path, entities: str, said: str) -> None:
    events = read(tmp_path, f"  - intent: inform\n    entities: {entities}\n")
    assert events == (Turn(f"/inform{said}", "done"),)


@pytest.mark.parametrize(
    ("slots", "fields"),
    [
        (
            '[{kinds: ["visa", debit]}, {flag: true}, {rating: 4.5}]',
            {"kinds": ["visa", "debit"], "flag": True, "rating": 4.5},
        ),
        ("[{note: null}, other, {at: {x: [1]}}]", {"note": None, "other": "", "at": {"x": [1]}}),
        ("{city: rome}", {"city": "rome"}),
        ("city", {"city": ""}),
    ],
)
def test_slots_in_every_form_are_a_record(tmp_path: Path, slots: str, fields: dict[str, object]) -> None:
    events = read(tmp_path, f"  - user: hi\n  - slot_was_set: {slots}\n")
    assert events == (Record.of("slots", fields), Turn("hi", "done"))


def test_a_slot_set_twice_in_a_step_has_both_values(tmp_path: Path) -> None:
    events = read(tmp_path, "  - slot_was_set: [{city: Rome}, {city: Oslo}]\n  - user: hi\n")
    assert events[0] == Record("slots", (("city", "Rome"), ("city", "Oslo")))


def test_slots_named_like_what_is_told_are_written_too(tmp_path: Path) -> None:
    record = Record("slots", (("profile", "young"), ("told", "a"), ("c", "d")))
    FORMATS["rasa"].write([Dialog((record, Turn("hi", "done")))], tmp_path / "out.yml")
    assert read_dialogs(tmp_path / "out.yml")[0].events[0] == record
