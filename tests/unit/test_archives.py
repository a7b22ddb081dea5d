"""Archives that are spoiled: what changes in them, and what must not."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasksieve.dialogs import SILENCE, Act, Dialog, Note, Turn
from tasksieve.dialogs.archives import ARCHIVES, noisy, spoiled_services, stale
from tasksieve.errors import UserError
from tests.unit.archives import service_dialogs

_SLOTS = ("town", "day", "hour")
_acts = st.one_of(
    st.lists(st.sampled_from(_SLOTS), min_size=1, max_size=2, unique=True).map(
        lambda slots: tuple(Act("request", slot) for slot in slots)
    ),
    st.sampled_from(_SLOTS).map(lambda slot: (Act("confirm", slot),)),
    st.just((Act("goodbye"),)),
)
_turns = st.builds(
    Turn,
    user=st.sampled_from(("yes", "in Riga", "on Monday", SILENCE)),
    system=st.text("abc ", min_size=1, max_size=5),
    learned=st.sampled_from((0.0, 0.5, 1.0)),
    acts=_acts,
)
_events = st.lists(st.one_of(_turns, st.builds(Note, st.just("a note"))), max_size=6)
_dialogs = st.lists(st.builds(lambda turn, events: Dialog((turn, *events)), _turns, _events), min_size=1, max_size=6)


def _responses(dialogs: list[Dialog]) -> Counter[object]:
    return Counter((turn.system, turn.acts, turn.spans) for dialog in dialogs for turn in dialog.turns)


@given(_dialogs, st.sampled_from(("0", "1")))
def test_noise_keeps_every_response_as_often_as_it_was_and_everything_else_in_place(
    dialogs: list[Dialog], seed: str
) -> None:
    shuffled = noisy(dialogs, seed)
    assert _responses(shuffled) == _responses(dialogs)
    for before, after in zip(dialogs, shuffled, strict=True):
        assert [(turn.user, turn.learned) for turn in after.turns] == [(t.user, t.learned) for t in before.turns]
        blank = Turn("", "")
        assert [e if isinstance(e, Note) else blank for e in after.events] == [
            e if isinstance(e, Note) else blank for e in before.events
        ]


@given(_dialogs, st.sampled_from(("0", "1")))
def test_the_same_seed_spoils_in_the_same_way(dialogs: list[Dialog], seed: str) -> None:
    for spoil in (noisy, stale):
        assert spoil(dialogs, seed) == spoil(list(dialogs), seed)


@given(_dialogs)
@settings(max_examples=200)
def test_an_older_policy_confirms_nothing_and_loses_nothing_else(dialogs: list[Dialog]) -> None:
    for before, after in zip(dialogs, stale(dialogs, "0"), strict=True):
        confirming = [turn for turn in before.turns if {act.name for act in turn.acts} == {"confirm"}]
        if len(confirming) == len(before.turns):
            assert after == before
            continue
        assert len(after.turns) == len(before.turns) - len(confirming)
        assert all(act.name != "confirm" for turn in after.turns for act in turn.acts)
        assert sum(isinstance(e, Note) for e in after.events) == sum(isinstance(e, Note) for e in before.events)
        kinds = [[act.name for act in turn.acts][:1] for turn in before.turns if turn not in confirming]
        assert [[act.name for act in turn.acts][:1] for turn in after.turns] == kinds


def test_noise_moves_responses_between_dialogs() -> None:
    dialogs = service_dialogs("Rooms_1")
    moved = sum(
        one.system != other.system
        for before, after in zip(dialogs, noisy(dialogs, "0"), strict=True)
        for one, other in zip(before.turns, after.turns, strict=True)
    )
    assert moved > 0.9 * sum(len(dialog.turns) for dialog in dialogs)


def test_an_older_policy_asks_for_another_slot_wherever_one_is_asked_for_the_same_one_everywhere() -> None:
    dialogs = service_dialogs("Rooms_1")
    instead: dict[str, set[str]] = {}
    for before, after in zip(dialogs, stale(dialogs, "0"), strict=True):
        for turn, asked in zip(before.turns, after.turns, strict=False):
            if turn.acts[0].name == "request":
                instead.setdefault(turn.acts[0].slot, set()).add(asked.acts[0].slot)
                assert asked.acts[0].slot in asked.system
    assert set(instead) == {"town", "day", "guests"}
    assert all(len(slots) == 1 and slot not in slots for slot, slots in instead.items())


def test_questions_and_answers_of_an_older_policy_fit_each_other() -> None:
    dialogs = service_dialogs("Tables_1")
    answers = 0
    for dialog in stale(dialogs, "1"):
        for turn, following in zip(dialog.turns, dialog.turns[1:], strict=False):
            if turn.acts[0].name == "request":
                assert f"would be my {turn.acts[0].slot}" in following.user
                answers += 1
    assert answers > 30


def test_what_the_user_changes_when_asked_to_confirm_is_kept_and_a_mere_answer_is_not() -> None:
    ask, done = (Act("confirm", "day"),), (Act("goodbye"),)
    dialog = Dialog(
        (
            Turn("a table please", "on Monday ?", acts=ask),
            Turn("no on Friday", "on Friday ?", acts=ask),
            Note("the kitchen closes early"),
            Turn("yes", "done .", acts=done),
        )
    )
    [after] = stale([dialog], "0")
    assert after.events == (
        Note("the kitchen closes early"),
        Turn("a table please no on Friday", "done .", acts=done),
    )


def test_a_policy_is_not_changed_where_no_turn_says_what_the_system_does() -> None:
    plain = [Dialog((Turn("hi", "hello"),))]
    with pytest.raises(UserError, match="no turn says what the system does"):
        stale(plain, "0")
    assert noisy(plain, "0") == plain


def test_acts_that_do_more_than_ask_stay() -> None:
    both = Turn("hi", "sure , which town ?", acts=(Act("inform", "day"), Act("request", "town")))
    dialog = Dialog((both, Turn("Riga", "which day ?", acts=(Act("request", "day"),)), replace(both, user="ok")))
    assert stale([dialog], "0") == [dialog]


@given(st.sets(st.text("abc", min_size=1, max_size=3), max_size=9), st.integers(0, 5))
def test_half_of_the_services_are_spoiled_whatever_their_order(services: set[str], seed: int) -> None:
    chosen = spoiled_services(sorted(services), str(seed))
    assert chosen == spoiled_services(sorted(services, reverse=True), str(seed))
    assert chosen <= services
    assert len(chosen) == (max(1, len(services) // 2) if services else 0)


def test_seeds_differ_in_what_they_spoil() -> None:
    names = [f"service {number}" for number in range(12)]
    assert len({spoiled_services(names, str(seed)) for seed in range(5)}) > 1
    assert {name: archive.spoil for name, archive in ARCHIVES.items()} == {
        "clean": None,
        "stale": stale,
        "noisy": noisy,
    }
