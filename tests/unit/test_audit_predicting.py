"""The audit of what is predicted, of what the model has room for, and of archives; and where it stops a training."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any, Literal

import pytest
from rich.console import Console

from tasksieve.audit import Audit, audit
from tasksieve.audit.audit import audit_splits
from tasksieve.audit.splits import Splits
from tasksieve.dialogs import Act, Dialog, Note, Record, Turn
from tasksieve.dialogs.formats import FORMATS
from tasksieve.errors import UserError
from tasksieve.records.model_config import MemoryNetworkConfig
from tasksieve.report.audit import audit_page

ASK, TELL, BYE, OFFER = Act("request", "city"), Act("inform", "price"), Act("goodbye"), Act("offer", "hotel")
Predict = Literal["auto", "responses", "actions"]


def done(*turns: tuple[str, str, Act | None], line: int = 0) -> Dialog:
    """A dialog in which the system does something in some turns."""
    return Dialog(tuple(Turn(user, said, acts=(act,) if act else ()) for user, said, act in turns), line=line)


MINE = [done(("hi", "where to", ASK), ("rome", "that is cheap", TELL)), done(("hey", "which town", ASK))]
HELD = [done(("hello", "which city", ASK), ("bye", "have a nice day", BYE))]


def looked(primary: list[Dialog], valid: list[Dialog] | None, predict: Predict = "auto", **splits: Any) -> Audit:
    return audit_splits(Splits(primary, valid=valid, **splits), predict)


def sentence(found: Audit, topic: str) -> str:
    return next(finding.sentence for finding in found.findings if finding.topic == topic)


def test_ceilings_are_of_what_is_predicted_and_both_are_told() -> None:
    found = looked(MINE, HELD)
    assert (found.predicting.what, found.coverage[0].ceiling) == ("actions", 50.0)
    assert found.coverage[0].missing == {"goodbye": 1}
    assert found.coverage[0].examples == ("goodbye",)
    (ceilings,) = found.predicting.ceilings
    assert (ceilings.split, ceilings.responses, ceilings.actions) == ("valid", 0.0, 50.0)
    said = sentence(found, "what is predicted")
    assert said.startswith(
        "Actions are predicted: the turns say what the system does, and only 0 % of the validation"
    )
    assert "in 0.0 % of the responses of valid, word for word, and in 50.0 % of its actions" in said


def test_what_is_asked_for_is_predicted_and_what_would_suit_is_said() -> None:
    found = looked(MINE, HELD, "responses")
    assert (found.predicting.what, found.predicting.suited, found.coverage[0].ceiling) == (
        "responses",
        "actions",
        0.0,
    )
    assert found.predicting.ceilings == looked(MINE, HELD).predicting.ceilings
    assert sentence(found, "what is predicted").endswith(
        "actions would suit it better: the turns say what the system does, and only 0 % of the validation responses "
        "stand in the training dialogs."
    )


def test_without_annotations_there_is_one_ceiling() -> None:
    plain = [Dialog((Turn("hi", "hello"), Turn("bye", "goodbye")))]
    (ceilings,) = looked(plain, [Dialog((Turn("hey", "hello"),))]).predicting.ceilings
    assert (ceilings.responses, ceilings.actions) == (100.0, None)


def test_dialogs_that_are_annotated_in_part_are_worth_a_look() -> None:
    half = [*MINE, done(("hi there", "good day", None), ("paris", "a fine town", None))]
    found = looked(half, HELD)
    (finding,) = (finding for finding in found.findings if finding.topic == "what is predicted")
    assert (found.predicting.what, finding.level) == ("responses", "look")
    assert "only 5 of 7 turns say what the system does" in finding.sentence
    assert "--predict actions learns from these alone" in finding.sentence
    asked = next(f for f in looked(half, HELD, "responses").findings if f.topic == "what is predicted")
    assert asked.level == "good"


def test_without_held_out_dialogs_every_second_one_tells_what_suits() -> None:
    found = looked([*MINE, *HELD], None)
    assert found.predicting.what == "actions"
    assert "of the responses of every second dialog stand in the others" in found.predicting.why


def test_few_known_responses_are_no_stop_but_ranked() -> None:
    plain = [Dialog((Turn("hi", "hello"), Turn("bye", "goodbye")))]
    found = looked(plain, [Dialog((Turn("hey", "good day to you"),))])
    assert (found.stop, found.predicting.ranked) == (None, True)
    said = sentence(found, "coverage")
    assert said.startswith(
        "Only 0.0 % of the responses of valid are known word for word: methods are judged by R_100@1"
    )


def test_all_dialogs_decide_what_suits_whatever_size_is_looked_at(tmp_path: Path) -> None:
    plain = [Dialog((Turn(f"hi {n}", f"answer {n % 5}"),)) for n in range(20)]
    FORMATS["babi"].write(plain[:12], tmp_path / "train.txt")
    FORMATS["babi"].write([plain[n] for n in (14, 13, 18, 19)], tmp_path / "valid.txt")
    small = audit(tmp_path, valid=tmp_path, size=2)
    assert (small.coverage[0].ceiling, small.predicting.ranked) == (0.0, False)
    assert small.predicting.why == audit(tmp_path, valid=tmp_path).predicting.why


def test_conflicts_and_ambiguity_are_of_actions_where_these_are_predicted() -> None:
    related = [done(("hi", "where would you like to go", ASK), ("rome", "rome it is", OFFER))]
    found = looked(MINE, HELD, related=(related,))
    (conflicts,), (words,) = found.conflicts, found.words
    assert conflicts.utterance.turns == pytest.approx(100 * 2 / 3)
    assert (conflicts.utterance.conflicting, conflicts.utterance.other_kind) == (50.0, 50.0)
    assert conflicts.kinds == {"request_city": (1, 0)}  # the exchange before "rome" is another one
    assert words.responses == pytest.approx(100 * 2 / 3)
    assert looked(MINE, HELD, "responses", related=(related,)).conflicts[0].utterance.conflicting == 100.0
    twice = [done(("hi", "where to", ASK)), done(("hi", "where do you go", ASK)), done(("hi", "bye", BYE))]
    assert (looked(twice, HELD).ambiguous, looked(twice, HELD, "responses").ambiguous) == (1, 2)


def test_kinds_of_turn_are_the_datas_own() -> None:
    found = looked(MINE, HELD, "responses")
    assert found.coverage[0].missing == {"request_city": 1, "goodbye": 1}


STOPS: dict[str, tuple[list[Dialog], list[Dialog] | None, list[Dialog] | None, Predict, str]] = {
    "validation dialogs": (
        MINE,
        MINE[:1],
        None,
        "auto",
        "All validation dialogs (1) are training dialogs too, and a model that knows them by heart would look "
        "perfect; "
        "give other ones with --valid, or only --primary and --split 60/20/20 to have three parts drawn from it.",
    ),
    "test dialogs": (MINE, HELD, MINE, "auto", "All test dialogs (2) are training dialogs too, and"),
    "unknown actions": (
        MINE,
        [done(("hi", "bye", BYE))],
        None,
        "actions",
        "Only 0.0 % of the validation turns have an action that training shows, and no model can be right more "
        "often; give more training dialogs, or predict responses (--predict responses).",
    ),
    "one action": (
        [done(("hi", "where to", ASK)), done(("hey", "which town", ASK))],
        HELD,
        None,
        "actions",
        "All training turns have the same action, 'request_city', so there is nothing to choose; give",
    ),
    "one response": (
        [done(("hi", "ok", None)), done(("hey", "ok", None))],
        HELD,
        None,
        "responses",
        "All training turns have the same response, 'ok', so there is nothing to choose",
    ),
    "no action": (
        MINE,
        [done(("hi", "ok", None))],
        None,
        "actions",
        "No validation turn says what the system does; annotate its actions, or predict responses",
    ),
    "nothing to learn": (
        [Dialog((Turn("hi", "ok", learned=0.0),))],
        HELD,
        None,
        "responses",
        "No training turn has a response to learn from; give dialogs whose responses have a weight other than 0.",
    ),
}


@pytest.mark.parametrize("name", list(STOPS))
def test_senseless_trainings_are_stopped_with_what_to_do(name: str) -> None:
    primary, valid, test, predict, said = STOPS[name]
    found = looked(primary, valid, predict, test=test)
    stops = [finding.sentence for finding in found.findings if finding.level == "stop"]
    assert any(sentence.startswith(said) for sentence in stops), stops
    assert found.stop == stops[0] == found.findings[0].sentence
    assert found.verdict.startswith("Do not train yet: ")


def test_some_shared_dialogs_are_no_stop() -> None:
    assert looked(MINE, [*HELD, MINE[0]], test=[*HELD, MINE[1]]).stop is None


@pytest.mark.parametrize("suffix", ["json", "txt"])
def test_one_file_for_two_splits_is_named(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"all.{suffix}"
    FORMATS["convlab" if suffix == "json" else "babi"].write([*MINE, *HELD], file)
    found = audit(file, valid=file)
    assert f"The validation dialogs are the training dialogs ({file})" in (found.stop or "")
    assert audit(file, split="34/33/33").stop is None


def test_facts_that_memory_has_no_room_for_are_not_seen() -> None:
    chatter = [Turn(f"say {n}", f"said {n}") for n in range(10)]
    told = [Note(f"note {n}") for n in range(6)]
    dialogs = [Dialog((*told, *chatter)), Dialog((*chatter, *told, Turn("and now", "well")))]
    for room, seen in ((250, 12), (4, 4 + 4), (2, 2 + 2)):
        found = audit_splits(Splits(dialogs), model=MemoryNetworkConfig(max_memories=room))
        assert found.sizes[0].facts == {"given": 12, "seen": seen}, room


def test_facts_that_come_late_and_are_too_many_are_cut_as_the_model_cuts_them() -> None:
    records = tuple(Record.of("train", {"from": f"city{n}", "to": f"town{n}"}) for n in range(8))
    dialogs = [Dialog((Turn("trains", "one moment"), *records, Turn("", "here they are")))]
    for room, seen in ((250, 16), (10, 8), (2, 0)):
        found = audit_splits(Splits(dialogs), model=MemoryNetworkConfig(max_memories=room, entities="names"))
        assert found.sizes[0].facts == {"given": 16, "seen": seen}, room


def test_facts_that_describe_an_entity_are_seen_without_room() -> None:
    places = [Record.of("place", {"name": f"inn{n}", "phone": f"55{n}"}) for n in range(20)]
    dialogs = []
    for first in range(8):
        names = [f"inn{number}" for number in range(first, first + 12)]
        turns = [Turn(" ".join(names), "which"), *(Turn("the next", f"{name} it is") for name in names)]
        dialogs.append(Dialog((*places[first : first + 12], *turns)))
    for entities, all_seen in (("facts", True), ("names", False)):
        model = MemoryNetworkConfig(max_memories=3, entities=entities)  # type: ignore[arg-type]
        (size,) = audit_splits(Splits(dialogs), model=model).sizes
        assert (size.facts["seen"] == size.facts["given"]) is all_seen


def test_turns_whose_values_can_be_filled_in_from_their_own_dialog_are_told() -> None:
    told = Record.of("customer", {"name": "Anna Berg", "meter": "M-4711"})
    other = Record.of("customer", {"name": "Otto Pohl", "meter": "M-8120"})
    mine = [
        Dialog((told, Turn("hi", "your meter is M-4711", acts=(TELL,)), Turn("bye", "goodbye", acts=(BYE,)))),
        Dialog((other, Turn("hi", "your meter is M-8120", acts=(TELL,)))),
    ]
    found = audit_splits(Splits(mine, related=(mine,)), "actions")
    assert [size.values for size in found.sizes] == [{"said": 2, "filled": 2}, None]
    assert sentence(found, "values") == (
        "2 primary turns say a value, and 2 of them can be filled in from their own dialog."
    )
    related = audit_splits(Splits(mine, related=(mine,)), "responses").sizes[1]
    assert related.values == {"said": 2, "filled": 2}
    assert audit_splits(Splits(MINE)).sizes[0].values == {"said": 0, "filled": 0}


def archive(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        FORMATS["convlab"].write([done(("hi", f"where to {number}", ASK)), *HELD], folder / f"service_{number}.json")
    return folder


@pytest.mark.parametrize("count", [2, 7])
def test_an_archive_is_a_folder_of_tasks_and_many_are_told_of_together(tmp_path: Path, count: int) -> None:
    folder = archive(tmp_path / "archive", count)
    FORMATS["convlab"].write(MINE, folder / "mine.json")
    found = audit(folder / "mine.json", [folder])
    names = [f"service_{number}" for number in range(count)]
    assert [size.split for size in found.sizes] == ["primary", *names]
    assert found.files["service_1"] == str(folder / "service_1.json")
    together = [finding for finding in found.findings if "related tasks" in finding.sentence]
    assert bool(together) == (count > 4)
    page = printed(found)
    assert max(map(len, page.splitlines())) <= 80
    assert ("Primary turns whose context is in service_1 too" in page) == (count <= 4)
    assert ("What the primary task has in common with each related one" in page) == (count > 4)


def test_what_is_not_read_is_counted_by_name_over_all_files(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name, times in (("one", 2), ("two", 3)):
        turns = "".join(f"hi {n},hello {n % 2},7\n" for n in range(times))
        (tmp_path / f"{name}.csv").write_text(f"context,response,mood\n{turns}")
    with caplog.at_level("INFO", logger="tasksieve"):
        found = audit(tmp_path / "one.csv", [tmp_path / "two.csv"])
    assert caplog.text == ""
    assert [sum(lost.values()) for lost in found.not_read.values()] == [2, 3]
    rows = [line.split() for line in printed(found).splitlines() if "mood" in line]
    assert [row[-2:] for row in rows] == [["5", "2"]]


def test_too_few_dialogs_for_a_split_are_refused(tmp_path: Path) -> None:
    FORMATS["babi"].write(MINE, tmp_path / "two.txt")
    with pytest.raises(UserError, match="holds 2 different dialogs, too few for three splits"):
        audit(tmp_path / "two.txt", split="60/20/20")


def printed(found: Audit) -> str:
    screen = Console(width=80, file=StringIO())
    screen.print(*audit_page(found.record()), sep="\n")
    return str(screen.file.getvalue())  # type: ignore[attr-defined]


def test_annotations_that_become_one_action_are_told_with_how_to_keep_them_apart() -> None:
    fines, loans = Act("inform", "fines"), Act("inform", "loans")
    mine = [
        done(("hi", "where to", ASK), ("owe", "nothing", fines)),
        done(("lent", "one", loans), ("owe", "2", fines)),
    ]
    found = looked(mine, HELD, "actions")
    said = sentence(found, "what is an action")
    assert said.startswith("3 distinct annotations of primary become 2 actions: inform(fines) and inform(loans) are")
    assert """--set 'data.slot_acts=["request", "call", "inform"]' keeps them apart.""" in said
    assert found.merged is not None and found.merged.acts == ("inform",)
    apart = audit_splits(Splits(mine, valid=HELD), "actions", ("request", "inform"))
    assert apart.merged is not None and (apart.merged.annotations, apart.merged.actions) == (3, 3)
    assert not [one for one in apart.findings if one.topic == "what is an action"]
    assert looked(mine, HELD, "responses").merged is None


def test_related_dialogs_without_any_action_are_a_stop_before_training_finds_it() -> None:
    plain = [done(("hi", "ok", None))]
    assert looked(MINE, HELD, "actions", related=(MINE, plain)).stop == (
        "related-2 says of no turn what the system does, and actions are predicted; annotate its actions, leave it "
        "out, or predict responses (--predict responses)."
    )
    assert looked(MINE, HELD, "responses", related=(plain,)).stop is None
    assert looked(MINE, HELD, "actions", related=(MINE,)).stop is None


def test_test_dialogs_that_are_all_in_a_related_file_are_a_stop() -> None:
    found = looked(MINE, HELD, related=([done(("so", "what", ASK))], [*HELD, *MINE]), test=HELD)
    assert found.stop is not None
    both = looked(MINE, HELD, related=([done(("well", "no", BYE)), MINE[1]],), test=[done(("well", "no", BYE))])
    assert both.stop == (
        "All test dialogs (1) are related dialogs too (related), and a model that borrows them knows them by heart; "
        "leave that file out."
    )


def test_related_files_with_the_same_dialogs_are_told() -> None:
    twin = [done(("a", "b", ASK)), done(("c", "d", BYE))]
    found = looked(MINE, HELD, "actions", related=(twin, [*twin, MINE[0]]))
    said = sentence(found, "the same dialogs in related-2")
    assert said == "2 of 3 dialogs of related-2 are also in related-1, word for word, and count twice; leave one out."
    assert [(one.related, one.earlier, one.same) for one in found.twice] == [
        ("related-2", "related-1", 2),
        ("related-2", "primary", 1),
    ]
    assert not looked(MINE, HELD, "actions", related=(twin,)).twice


def test_tasks_without_an_action_in_common_are_said_to_have_other_names_and_not_to_conflict() -> None:
    greet, say = Act("greet"), Act("utter_greet")
    mine = [done(("hi", "hello", greet), ("bye", "bye", BYE)), done(("hi", "good day", greet))]
    theirs = [done(("hi", "hey", say)), done(("hi", "hey you", say))]
    found = looked(mine, HELD, "actions", related=(theirs,))
    assert found.conflicts[0].strangers == ("greet", "utter_greet")
    said = sentence(found, "action names of related")
    assert said.startswith(
        "related and primary have no action in common: most often 'utter_greet' there and 'greet' here;"
    )
    assert not [one for one in found.findings if one.topic.startswith("conflicts")]
    console = Console(width=80, file=StringIO())
    console.print(*audit_page(found.record()), sep="\n")
    assert "another kind" not in console.file.getvalue()  # type: ignore[attr-defined]
    alike = looked(mine, HELD, "actions", related=([*theirs, mine[0]],))
    assert alike.conflicts[0].strangers == () and sentence(alike, "conflicts with related")
    many = looked(mine, HELD, "actions", related=(theirs, theirs, mine, mine, mine))
    assert "2 of 5 related tasks have no action in common with primary: related-1 and related-2." in [
        one.sentence for one in many.findings
    ]
