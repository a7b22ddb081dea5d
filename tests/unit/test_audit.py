"""The audit: counts that can be counted by hand, and the words they are put in."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from tasksieve.audit import audit
from tasksieve.audit.audit import audit_splits
from tasksieve.audit.files import Files, read_all
from tasksieve.audit.splits import Splits
from tasksieve.dialogs import SILENCE, Dialog, Turn
from tasksieve.dialogs.formats import read_babi, write_babi
from tasksieve.dialogs.formats.chat import write_chat
from tasksieve.errors import UserError
from tasksieve.report.audit import audit_page
from tests.reading import World
from tests.reading import facts as told


def dialog(*turns: tuple[str, str], line: int = 1, facts: tuple[str, ...] = ()) -> Dialog:
    return Dialog((*told(*facts), *(Turn(user, system) for user, system in turns)), line=line)


A = dialog(("hi", "hello"), ("rome please", "api_call rome"), line=1)
B = dialog(("hey", "hello"), ("paris please", "api_call paris"), line=4)
C = dialog(("hi", "good day"), ("bonn please", "api_call bonn"), line=7)
LONG = [(f"question {n} of many", f"answer {n} to it") for n in range(40)]


def test_the_ceiling_is_the_share_of_turns_whose_response_is_a_candidate() -> None:
    found = audit_splits(Splits([A], (([B]),), valid=[B], test=[A, B, C])).coverage
    assert [(c.split, c.by, c.candidates) for c in found] == [("valid", "primary", 2), ("test", "primary + valid", 3)]
    assert (found[0].ceiling, found[0].joint_ceiling) == (50.0, 100.0)
    assert found[1].ceiling == pytest.approx(100 * 4 / 6)
    assert found[1].missing == {"greeting": 1, "api call": 1}
    assert found[1].examples == ("good day", "api_call bonn")


def test_the_sentence_on_the_ceiling_is_whole() -> None:
    for valid, end in (([A], "every response of valid is a candidate."), ([B], "1 of 2 responses are no candidate")):
        said = [
            found.sentence for found in audit_splits(Splits([A], valid=valid)).findings if found.topic == "coverage"
        ]
        assert f" % on new dialogs, as far as valid tells: {end}" in said[0]


def test_twins_of_candidates_are_covered_and_no_other_response() -> None:
    twin, other = dialog(("hi", "Hello!"), ("rome please", "rome api_call")), dialog(("hi", "hello you"))
    found = audit_splits(Splits([A, A], test=[twin, other]))
    assert (found.coverage[0].ceiling, found.coverage[0].candidates) == (pytest.approx(100 * 2 / 3), 2)
    assert audit_splits(Splits([A, twin])).ambiguous == 0
    assert audit_splits(Splits([A, other])).ambiguous == 1


def test_without_held_out_dialogs_each_primary_dialog_is_held_out() -> None:
    (found,) = audit_splits(Splits([A, B, C])).coverage
    assert (found.by, found.turns, found.candidates) == ("other dialogs", 6, 1)
    assert found.ceiling == pytest.approx(100 * 2 / 6)


def test_the_ceiling_is_that_of_training(tasks_dir: Path) -> None:
    train, valid, test = (read_babi(tasks_dir / "primary" / f"{s}.txt") for s in ("train", "valid", "test-oov"))
    world = World({"primary": train + valid})
    task = world.task(dialogs=test)
    found = audit(tasks_dir / "primary", valid=tasks_dir / "primary", test=tasks_dir / "primary" / "test-oov.txt")
    assert found.coverage[-1].ceiling == pytest.approx(task.coverage.ceiling)
    assert found.coverage[-1].candidates == len(world.heads["primary"])


def test_dialogs_in_two_splits_are_leakage() -> None:
    near = dialog(*LONG[:-1], ("question 39 of many", "another answer"), line=9)
    found = audit_splits(Splits([A, dialog(*LONG, line=5)], ([C],), valid=[B], test=[A, near, C]))
    overlaps = {(o.learned, o.held_out): (o.same, o.near) for o in found.overlaps}
    assert overlaps[("primary", "test")] == (1, 2)
    assert overlaps[("related", "test")] == (1, 1)
    assert overlaps[("valid", "test")] == (0, 0)
    assert overlaps[("primary", "valid")] == (0, 0)
    pair = next(o for o in found.overlaps if (o.learned, o.held_out) == ("primary", "test"))
    assert pair.lines == ((1, 1), (5, 9))
    assert pair.examples == pytest.approx(100 * (2 + 39 + 1) / (2 + 40 + 2) - 100 / 44)
    assert found.verdict.startswith(
        "Mend before training: leakage of test in primary and leakage of test in related."
    )
    assert "e.g. line 1 of test and 1 of primary" in found.findings[0].sentence


def test_repeats_within_a_split_are_counted_once_each() -> None:
    found = audit_splits(Splits([A, B, A, A, dialog(*LONG), dialog(*LONG[:-1])])).repeats
    assert (found.dialogs, found.same, found.near) == (6, 2, 3)


def test_facts_and_profile_tell_dialogs_apart_exactly_but_not_nearly() -> None:
    found = audit_splits(Splits([A, dialog(*((t.user, t.system) for t in A.turns), facts=("a R_b c",))])).repeats
    assert (found.same, found.near) == (0, 1)


def test_the_same_context_with_another_response_is_a_conflict() -> None:
    related = [
        dialog(("hi", "welcome"), ("rome please", "api_call rome")),
        dialog(("hi", "hello"), ("paris please", "where should it be")),
        dialog((SILENCE, "hello")),
    ]
    (found,) = audit_splits(Splits([A, B, C, dialog((SILENCE, "ok"))], (related,))).conflicts
    # exchanges: ("", hi) twice, ("hello", paris), ("", silence); "rome please" comes after another greeting
    assert found.exchange.turns == pytest.approx(100 * 4 / 7)
    assert found.exchange.conflicting == pytest.approx(100 * 3 / 4)
    assert found.utterance.turns == pytest.approx(100 * 4 / 7)
    assert found.utterance.conflicting == pytest.approx(100 * 2 / 4)
    assert found.utterance.other_kind == pytest.approx(100 * 1 / 4)
    assert found.kinds == {"api call": (1, 1), "greeting": (2, 1), "other": (1, 1)}
    assert {clash.related for clash in found.clashes} == {"hello", "where should it be"}


def test_a_context_with_two_responses_is_ambiguous() -> None:
    found = audit_splits(Splits([A, dialog(("hi", "good day")), dialog(("hi", "hello"))]))
    assert found.ambiguous == 1
    assert "1 of 4 primary turns have a context that more often has another response" in sentences(found)


def test_entities_are_named_without_the_punctuation_around_them() -> None:
    test = dialog(("hi", "at 9:00, (or 10:30)."), ("room 9:00?", "'10:30', then no. 7:"))
    audited = audit_splits(Splits([dialog(("hi", "no. 7"))], test=[test]))
    (found,) = audited.entities
    assert (found.entities, found.unseen, found.examples) == (3, 2, ("10:30", "9:00"))
    assert "e.g. 10:30, 9:00; in" in sentences(audited)


def test_arguments_of_a_call_are_entities_each() -> None:
    known = dialog(("hi", 'api_call order {"parking":"garage","power":"3.7"}'))
    test = dialog(("hi", 'api_call order {"parking":"garage","power":"7.4"}'))
    (found,) = audit_splits(Splits([known], test=[test])).entities
    assert (found.unseen, found.examples) == (1, ("7.4",))


def test_fields_that_give_names_stand_below_a_heading_and_beside_their_task() -> None:
    known = dialog(("hi", "resto_1 it is"), facts=("resto_1 R_phone resto_1_phone",))
    console = Console(width=80, record=True, file=StringIO())
    for part in audit_page(audit_splits(Splits([known], test=[known])).record()):
        console.print(part)
    shown = console.export_text().splitlines()
    following = shown[shown.index("Fields that name what a record is about, by task") + 1]
    assert following.split()[0] == "primary" and "names:" not in following


def test_entities_that_training_never_shows() -> None:
    known = dialog(("hi", "resto_1 it is"), facts=("resto_1 R_phone resto_1_phone",))
    test = dialog(
        ("hi", "resto_2 or resto_3"), ("thanks", "bye"), facts=("resto_2 R_area north", "resto_1 R_area south")
    )
    related = dialog(("north", "ok"))
    (found,) = audit_splits(Splits([known], ([related],), test=[test])).entities
    assert (found.entities, found.unseen, found.related_only) == (5, 3, 1)
    assert (found.turns, found.examples) == (50.0, ("resto_3",))  # resto_2 is known from the facts


def test_an_entity_that_the_user_says_first_is_filled_in_and_no_warning() -> None:
    known = [
        dialog(("my order is rt-1", 'api_call lookup {"order": "rt-1"}')),
        dialog(("it is rt-2", 'api_call lookup {"order": "rt-2"}')),
        dialog(("order rt-3 please", 'api_call lookup {"order": "rt-3"}')),
    ]
    test = [dialog((f"order rt-{n}", f'api_call lookup {{"order": "rt-{n}"}}')) for n in (7, 8)]
    audited = audit_splits(Splits(known, test=test))
    assert (audited.entities[0].unseen, audited.entities[0].turns) == (2, 0.0)
    assert [found.level for found in audited.findings if found.topic == "unseen entities"] == ["good"]
    invented = dialog(("where is it", 'api_call lookup {"order": "rt-9"}'))
    (found,) = audit_splits(Splits(known, test=[*test, invented])).entities
    assert (found.turns, found.examples) == (pytest.approx(100 / 3), ("rt-9",))


def test_shared_words_and_responses() -> None:
    (found,) = audit_splits(Splits([A], ([dialog(("please hi", "hello"))],))).words
    assert (found.words, found.responses) == (60.0, 50.0)
    assert found.running == pytest.approx(100 * 3 / 6)


def test_nothing_stands_out_in_clean_data() -> None:
    clean = [dialog((f"how is place {n}", "fine"), ("and else", "bye")) for n in range(3)]
    found = audit_splits(Splits(clean, valid=[dialog(("what of it", "fine"))]))
    assert {finding.level for finding in found.findings} == {"good"}
    assert found.verdict == "Ready to train: nothing stands out."


def test_the_record_is_plain_and_the_page_fits(tasks_dir: Path) -> None:
    found = audit(
        tasks_dir / "primary",
        [tasks_dir / "restaurant", tasks_dir / "hotel"],
        valid=tasks_dir / "primary",
        test=tasks_dir / "primary",
        size=5,
    )
    record = json.loads(json.dumps(found.record()))
    assert record["sizes"][0] == {**record["sizes"][0], "split": "primary", "dialogs": 5}
    screen = Console(width=80, file=StringIO())
    screen.print(*audit_page(record), sep="\n")
    page = screen.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, page.splitlines())) <= 80
    for text in ("ceiling %", "restaurant", "hotel", "In two splits", "last exchange"):
        assert text in page


def test_files_are_refused_as_training_refuses_them(tmp_path: Path) -> None:
    write_babi([A, B], tmp_path / "two.txt")
    with pytest.raises(UserError, match="holds 2 dialogs; 3 were asked for"):
        audit(tmp_path / "two.txt", size=3)
    with pytest.raises(UserError, match="no such file"):
        audit(tmp_path / "absent.txt")


def test_a_lone_related_file_has_the_name_that_training_gives_it(tmp_path: Path) -> None:
    for name in ("new.jsonl", "billing.jsonl", "primary.jsonl"):
        write_chat([dialog(("hi", "hello"))], tmp_path / name)
    for name, called in (("billing.jsonl", "billing"), ("primary.jsonl", "primary (related)")):
        found = read_all(Files(tmp_path / "new.jsonl", [tmp_path / name]))
        assert found.splits.related_names() == (called,)
    with pytest.raises(UserError, match="holds 1 dialog; 3 were asked for"):
        read_all(Files(tmp_path / "new.jsonl", size=3))
    with pytest.raises(UserError, match="holds 1 different dialog, too few for three splits"):
        read_all(Files(tmp_path / "new.jsonl", split="60/20/20"))


def test_many_equal_dialogs_take_no_time() -> None:
    found = audit_splits(Splits([dialog(("hi", "hello"), (f"n{n}", "ok")) for n in range(3000)]))
    assert found.repeats.same == 0


def test_the_published_ceiling(data_dir: Path, tmp_path: Path) -> None:
    """README: every response can be given, once names are told from the facts. A tenth of the related dialogs shows
    that they conflict."""
    folder = data_dir / "personalized-dialog-dataset" / "small"
    published = data_dir / "dialog-bAbI-tasks" / "dialog-babi-task5-full-dialogs-trn.txt"
    related = tmp_path / published.name
    related.write_text("\n\n".join(published.read_text().split("\n\n")[:100]) + "\n\n")
    found = audit(folder, [related], valid=folder, test=folder, size=150)
    assert found.coverage[-1].ceiling == 100
    assert found.verdict == f"Ready to train; worth a look first: conflicts with {related.stem}."


def sentences(found: object) -> str:
    return " ".join(finding.sentence for finding in found.findings)  # type: ignore[attr-defined]
