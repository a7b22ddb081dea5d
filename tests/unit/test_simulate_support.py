from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasksieve.dialogs.act import Act, acts_text
from tasksieve.dialogs.dialog import SILENCE, Dialog, Turn
from tasksieve.dialogs.formats import read_dialogs
from tasksieve.dialogs.record import Note, Record
from tasksieve.dialogs.simulate.support import NEW_SPLITS, simulate_support, write_support
from tasksieve.dialogs.simulate.support.customers import PLAIN_NAMES, customer
from tasksieve.dialogs.simulate.support.desks import DESKS
from tasksieve.dialogs.simulate.support.errands import SERVICES
from tasksieve.dialogs.simulate.support.fields import FIELDS
from tasksieve.dialogs.simulate.support.slots import SLOTS
from tasksieve.dialogs.simulate.support.template import drawn, spans_of, text_of
from tasksieve.errors import UserError

DIGEST = "f1ad8ebdda85dfce05c821a10f5740dd48badd8cf0dded6a167965c6e08fa272"

few = settings(deadline=None, max_examples=12, derandomize=True)
seeds = st.integers(0, 2**40)
desks = st.sampled_from(sorted(DESKS))


def _dialogs(desk: str, dialogs: int, seed: int) -> list[Dialog]:
    return [dialog for part in simulate_support(desk=desk, dialogs=dialogs, seed=seed).values() for dialog in part]


def _record_of_customer(dialog: Dialog) -> dict[str, str]:
    found = [event for event in dialog.events if isinstance(event, Record) and event.kind == "Customer"]
    return dict(found[-1].flat())


def _is_call(turn: Turn) -> bool:
    return turn.system.startswith("api_call ")


@given(desks, seeds, st.integers(1, 3), st.integers(0, 3))
@few
def test_first_dialogs_do_not_depend_on_how_many_follow(desk: str, seed: int, dialogs: int, more: int) -> None:
    short = simulate_support(desk=desk, dialogs=dialogs, seed=seed)
    long = simulate_support(desk=desk, dialogs=dialogs + more, seed=seed)
    assert list(short) == list(long) == list(NEW_SPLITS if desk == "new" else DESKS["old"].policies)
    assert all(short[part] == long[part][:dialogs] and len(short[part]) == dialogs for part in short)


def test_another_seed_gives_other_dialogs() -> None:
    assert not {*_dialogs("new", 5, 1)} & {*_dialogs("new", 5, 2)}


@given(desks, seeds)
@few
def test_every_value_in_a_response_was_said_by_the_user_or_told_by_a_record_before(desk: str, seed: int) -> None:
    for dialog in _dialogs(desk, 3, seed):
        told: list[str] = []
        said: list[str] = []
        for event in dialog.events:
            if isinstance(event, Record):
                told += [value for _, value in event.flat()]
            elif isinstance(event, Turn):
                said.append(event.user)
                for span in event.spans:
                    value = event.system[span.start : span.end]
                    assert value in told or any(value in utterance for utterance in said), (value, event)


@given(desks, seeds)
@few
def test_what_identifies_a_customer_stands_in_responses_only_where_a_span_says_so(desk: str, seed: int) -> None:
    for dialog in _dialogs(desk, 3, seed):
        for name, value in _record_of_customer(dialog).items():
            if name in ("status", "title"):
                continue
            for turn in dialog.turns:
                place = turn.system.find(value)
                assert place < 0 or any(span.start <= place < span.end for span in turn.spans), (name, turn)


def test_no_two_dialogs_of_a_seed_share_a_customer() -> None:
    dialogs = [*_dialogs("new", 150, 7), *_dialogs("old", 60, 7)]
    for names in (("customer_number",), ("email",), ("phone",), ("first_name", "last_name")):
        values = [tuple(_record_of_customer(dialog)[name] for name in names) for dialog in dialogs]
        assert len(set(values)) == len(dialogs)


def test_nobody_elses_number_or_address_is_in_a_dialog() -> None:
    dialogs = [*_dialogs("new", 40, 3), *_dialogs("old", 20, 3)]
    unique = [{_record_of_customer(dialog)[name] for name in ("customer_number", "email")} for dialog in dialogs]
    texts = [" ".join(turn.system for turn in dialog.turns) for dialog in dialogs]
    for number, text in enumerate(texts):
        others = set().union(*unique[:number], *unique[number + 1 :])
        assert not any(value in text for value in others)


@pytest.mark.parametrize("seed", [0, 5, 2**33])
def test_names_and_numbers_stay_unique_beyond_the_plain_names(seed: int) -> None:
    serials = [
        *range(3000),
        *range(PLAIN_NAMES - 500, PLAIN_NAMES + 3000),
        *range(3 * PLAIN_NAMES, 3 * PLAIN_NAMES + 500),
    ]
    all_of_them = [customer(serial, seed, random.Random(serial)) for serial in dict.fromkeys(serials)]
    for name in ("customer_number", "contract_number", "meter_number", "email", "phone"):
        assert len({getattr(each, name) for each in all_of_them}) == len(all_of_them), name
    assert len({(each.first_name, each.last_name) for each in all_of_them}) == len(all_of_them)


@given(desks, seeds)
@few
def test_every_turn_has_acts_and_a_call_is_a_turn_of_its_own_that_a_record_answers(desk: str, seed: int) -> None:
    for dialog in _dialogs(desk, 3, seed):
        assert dialog.turns[-1].acts[-1] == Act("goodbye")
        for number, event in enumerate(dialog.events):
            if not isinstance(event, Turn):
                continue
            assert event.acts
            assert event.user and event.system.strip() == event.system
            assert "  " not in event.system
            assert not set("{}[]|") & set(event.system) or _is_call(event)
            assert _is_call(event) == any(act.name == "call" for act in event.acts)
            if _is_call(event):
                _, tool, arguments = event.system.split(" ", 2)
                assert event.acts == (Act("call", tool),)
                values = {event.system[span.start : span.end] for span in event.spans}
                assert set(json.loads(arguments).values()) == values
                assert isinstance(dialog.events[number + 1], Record)


@given(seeds)
@few
def test_who_speaks_after_a_record_is_the_agent(seed: int) -> None:
    for dialog in _dialogs("old", 1, seed):
        for before, after in zip(dialog.events, dialog.events[1:], strict=False):
            if isinstance(before, Record) and isinstance(after, Turn):
                assert after.user == SILENCE


def test_responses_are_mostly_sentences_of_their_own() -> None:
    for desk in sorted(DESKS):
        said = [turn.system for dialog in _dialogs(desk, 60, 4) for turn in dialog.turns if not _is_call(turn)]
        assert len(set(said)) > 0.7 * len(said)


def test_users_type_in_different_ways() -> None:
    said = [[turn.user for turn in dialog.turns if turn.user != SILENCE] for dialog in _dialogs("new", 60, 4)]
    small = [all(text == text.lower() for text in texts) for texts in said]
    assert 0.15 < sum(small) / len(small) < 0.6
    assert len({text for texts in said for text in texts}) > 0.7 * sum(map(len, said))


def test_policies_changed_but_acts_did_not() -> None:
    names, first = {}, {}
    for desk in DESKS:
        dialogs = _dialogs(desk, 40, 9)
        names[desk] = {act.name for dialog in dialogs for turn in dialog.turns for act in turn.acts}
        asked = [
            [act.slot for turn in dialog.turns for act in turn.acts if act.name == "request"] for dialog in dialogs
        ]
        first[desk] = {slots[0] for slots in asked if slots}
    assert names["new"] < names["old"]
    assert names["old"] - names["new"] == {"hold"}
    assert "customer_number" in first["old"] - first["new"]
    assert "email" in first["old"] & first["new"]


def test_the_newer_desk_has_a_service_of_its_own_and_lacks_some() -> None:
    new, old = (set(DESKS[desk].policies) for desk in ("new", "old"))
    assert new - old == {"charging"}
    assert len(old) >= 6
    assert len(new & old) >= 4
    assert new | old == set(SERVICES)


def test_every_act_has_words_in_both_tones_before_anything_is_known() -> None:
    acts = {
        act
        for desk in DESKS
        for dialog in _dialogs(desk, 40, 2)
        for turn in dialog.turns
        for act in turn.acts
        if act.name not in ("call", "confirm", "inform", "offer")
    }
    for desk in DESKS.values():
        for act in sorted(acts | {Act("request", slot) for slot in SLOTS}):
            assert text_of(drawn(desk.tone.templates(act), {}, random.Random(0)))


def test_everything_an_errand_names_is_defined() -> None:
    for errands in SERVICES.values():
        for errand in errands.values():
            assert set(errand.slots) <= set(SLOTS)
            assert {*errand.tells, *errand.asides} <= set(FIELDS)
            assert bool(errand.summary) == bool(errand.refusals) == bool(errand.change)


def test_templates_never_take_what_is_not_known() -> None:
    rng = random.Random(0)
    pieces = [drawn(["a[ {x}| b[ {y}|]|]"], {"x": "1"}, rng) for _ in range(50)]
    assert {text_of(each) for each in pieces} == {"a", "a 1", "a b"}
    assert all(text_of(each)[span.start : span.end] == "1" for each in pieces for span in spans_of(each))
    with pytest.raises(LookupError):
        drawn(["{x}"], {}, rng)
    with pytest.raises(ValueError, match="at the end"):
        drawn(["[a|b"], {}, rng)
    with pytest.raises(ValueError, match="nothing opens"):
        drawn(["a]"], {}, rng)


def test_written_dialogs_are_read_back(tmp_path: Path) -> None:
    new, old = (simulate_support(desk=desk, dialogs=4, seed=3) for desk in ("new", "old"))
    paths = write_support(new, old, tmp_path)
    wanted = [*(f"new/{split}.jsonl" for split in NEW_SPLITS), *(f"old/{service}.jsonl" for service in old)]
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == wanted
    for path, dialogs in zip(paths, [*new.values(), *old.values()], strict=True):
        assert [list(_plain(dialog)) for dialog in read_dialogs(path)] == [list(_plain(dialog)) for dialog in dialogs]


def _plain(dialog: Dialog) -> Iterator[Turn | Record | Note]:
    """What every version of the format keeps."""
    for event in dialog.events:
        yield replace(event, acts=(), spans=()) if isinstance(event, Turn) else event


def test_files_are_the_same_on_every_platform() -> None:
    """Renew the digest only when wording, policies or customers are meant to change."""
    digest = hashlib.sha256()
    for desk in ("new", "old"):
        for dialog in _dialogs(desk, 3, 0):
            for event in dialog.events:
                told = (event.user, event.system, acts_text(event.acts)) if isinstance(event, Turn) else event.text
                digest.update(repr(told).encode())
    assert digest.hexdigest() == DIGEST


@pytest.mark.parametrize(
    ("desk", "dialogs", "message"),
    [
        ("night", 1, "found desk 'night'; expected one of old, new"),
        ("new", 0, "found 0 as the number of dialogs; expected at least 1"),
        ("new", 10**7, "at most "),
        ("old", {"train": 3}, "found part 'train' of the old desk; expected one of billing"),
    ],
)
def test_impossible_arguments(desk: str, dialogs: int, message: str) -> None:
    with pytest.raises(UserError, match=message):
        simulate_support(desk=desk, dialogs=dialogs, seed=0)
