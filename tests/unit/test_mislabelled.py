"""Wrong labels that are planted: as many as asked for, known, each of another turn, and nothing else changed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasksieve.dialogs import Dialog, Turn
from tasksieve.dialogs.archives import mislabelled
from tasksieve.dialogs.simulate import simulate, simulate_support

SUPPORT = simulate_support(desk="old", dialogs=4, seed=0)["billing"]
RESTAURANT = simulate("restaurant", dialogs=3, seed=0, task=5)["train"]


@settings(max_examples=25, deadline=None)
@given(share=st.floats(0, 1), seed=st.text(max_size=5), annotated=st.booleans())
def test_a_share_of_the_turns_gets_what_other_turns_say_and_nothing_else_changes(
    share: float, seed: str, annotated: bool
) -> None:
    dialogs = SUPPORT if annotated else RESTAURANT
    found, wrong = mislabelled(dialogs, share, seed)
    assert len(wrong) == round(share * sum(len(dialog.turns) for dialog in dialogs))
    said = {(turn.system, turn.acts) for dialog in dialogs for turn in dialog.turns}
    for number, (before, after) in enumerate(zip(dialogs, found, strict=True)):
        for place, (own, now) in enumerate(zip(before.turns, after.turns, strict=True)):
            assert (now.user, now.learned) == (own.user, own.learned)
            assert (now.system, now.acts) in said
            assert ((now.system, now.acts) == (own.system, own.acts)) == ((number, place) not in wrong)
        others = [event for event in before.events if not isinstance(event, Turn)]
        assert [event for event in after.events if not isinstance(event, Turn)] == others
    assert (found, wrong) == mislabelled(dialogs, share, seed)


def test_a_wrong_turn_does_something_else_not_the_same_in_other_words() -> None:
    found, wrong = mislabelled(SUPPORT, 1.0, "all")
    for number, place in wrong:
        acts = [{act.text for act in dialogs[number].turns[place].acts} for dialogs in (SUPPORT, found)]
        assert acts[0] != acts[1]


def test_turns_that_are_context_alone_are_left_and_where_all_do_the_same_nothing_is_planted() -> None:
    silent = [replace(d, events=tuple(replace(t, learned=0.0) for t in d.turns)) for d in RESTAURANT]
    assert mislabelled(silent, 1.0, "") == (silent, frozenset())
    same = [Dialog((Turn("a", "yes"), Turn("b", "yes")))]
    assert mislabelled(same, 1.0, "") == (same, frozenset())


@pytest.mark.parametrize("seed", ["one", "two"])
def test_another_seed_plants_elsewhere(seed: str) -> None:
    assert mislabelled(SUPPORT, 0.2, seed)[1] != mislabelled(SUPPORT, 0.2, "three")[1]
