from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasksieve.dialogs.dialog import SILENCE, Dialog, Turn
from tasksieve.dialogs.formats.babi import AGES, DIETS, GENDERS, read_babi, read_sentences
from tasksieve.dialogs.record import Record
from tasksieve.dialogs.simulate import KINDS, SPLITS, simulate, write_simulation
from tasksieve.dialogs.turn_kinds import turn_kind
from tasksieve.errors import UserError

TASKS = range(1, 6)
SLOTS = {
    "restaurant": ["cuisine", "location", "number", "price"],
    "personalized-restaurant": ["cuisine", "location", "number", "price"],
    "hotel": ["location", "nights", "arrival", "room", "price"],
}
VALUES_OF_ONE = {"restaurant": 7, "personalized-restaurant": 12, "hotel": 10}
DIGEST = "bcc97d0f4aa8f5224ac236177480899bfdfc43fc14b884794636921562b4a5dd"

kinds_and_tasks = pytest.mark.parametrize(("kind", "task"), list(product(KINDS, TASKS)))
arguments = st.tuples(st.sampled_from(KINDS), st.sampled_from(TASKS), st.integers(0, 2**40))
few = settings(deadline=None, max_examples=25, derandomize=True)


@given(arguments, st.integers(1, 4), st.integers(0, 4))
@few
def test_first_dialogs_do_not_depend_on_how_many_follow(drawn: tuple[str, int, int], dialogs: int, more: int) -> None:
    kind, task, seed = drawn
    short = simulate(kind, dialogs=dialogs, seed=seed, task=task)
    long = simulate(kind, dialogs=dialogs + more, seed=seed, task=task)
    assert tuple(short) == tuple(long) == SPLITS
    for split in SPLITS:
        assert len(short[split]) == dialogs
        assert short[split] == long[split][:dialogs]


@given(arguments)
@few
def test_other_seeds_and_other_splits_give_other_dialogs(drawn: tuple[str, int, int]) -> None:
    kind, task, seed = drawn
    splits = simulate(kind, dialogs=6, seed=seed, task=task)
    others = simulate(kind, dialogs=6, seed=seed + 1, task=task)
    assert len({tuple(dialogs) for dialogs in [*splits.values(), *others.values()]}) == 2 * len(SPLITS)


def test_files_are_the_same_on_every_platform(tmp_path: Path) -> None:
    """Renew the digest only when the wording or the knowledge base is meant to change."""
    digest = hashlib.sha256()
    for kind, task in product(KINDS, TASKS):
        for path in write_simulation(simulate(kind, dialogs=3, seed=0, task=task), tmp_path):
            digest.update(path.read_bytes())
    assert digest.hexdigest() == DIGEST


@kinds_and_tasks
def test_written_dialogs_are_read_back(kind: str, task: int, tmp_path: Path) -> None:
    splits = simulate(kind, dialogs=20, seed=3, task=task)
    directory = tmp_path / "new" / "data"
    paths = write_simulation(splits, directory)
    assert [path.name for path in paths] == ["train.txt", "valid.txt", "test.txt", "test-oov.txt"]
    assert sorted(directory.iterdir()) == sorted(paths)
    for path, dialogs in zip(paths, splits.values(), strict=True):
        assert [Dialog(dialog.events, dialog.profile) for dialog in read_babi(path)] == dialogs


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (path, *_) = write_simulation(simulate("hotel", dialogs=2, seed=1), tmp_path)
    before, files = path.read_bytes(), sorted(tmp_path.iterdir())

    def write_half(dialogs: Iterable[Dialog], path: Path) -> None:
        path.write_text("1 hey th", encoding="utf-8")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tasksieve.dialogs.simulate.splits.write_babi", write_half)
    with pytest.raises(UserError, match="cannot be written: No space left on device"):
        write_simulation(simulate("hotel", dialogs=2, seed=2), tmp_path)
    assert path.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == files


def test_a_file_in_place_of_the_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="cannot be written"):
        write_simulation(simulate("hotel", dialogs=1, seed=1), tmp_path / "taken")


@pytest.mark.parametrize(
    ("kind", "dialogs", "task", "message"),
    [
        ("cinema", 5, 5, "found kind 'cinema'; expected one of restaurant, personalized-restaurant, hotel"),
        ("hotel", 5, 6, "found task 6; expected one from 1 to 5"),
        ("hotel", 5, 0, "found task 0; expected one from 1 to 5"),
        ("hotel", 0, 5, "found 0 as the number of dialogs; expected at least 1"),
    ],
)
def test_impossible_arguments(kind: str, dialogs: int, task: int, message: str) -> None:
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        simulate(kind, dialogs=dialogs, seed=0, task=task)


@given(arguments)
@few
def test_all_text_is_plain(drawn: tuple[str, int, int]) -> None:
    kind, task, seed = drawn
    for dialog in _all(kind, task, dialogs=5, seed=seed):
        for turn in dialog.turns:
            assert turn.user == SILENCE or re.fullmatch(r"[a-z0-9_'-]+( [a-z0-9_'-]+)*", turn.user)
            assert re.fullmatch(r"[a-z0-9_'-]+(:? [a-z0-9_'-]+)*", turn.system)


@kinds_and_tasks
def test_options_come_where_the_knowledge_base_answers(kind: str, task: int) -> None:
    fewest, most = (5, 8) if kind == "personalized-restaurant" else (3, 8)
    for dialog in _all(kind, task, dialogs=30):
        places = [place for place, event in enumerate(dialog.events) if isinstance(event, Record)]
        options = len(places)
        assert all(len(option) == VALUES_OF_ONE[kind] for option in _options(dialog).values())
        assert places == list(range(places[0], places[-1] + 1)) if places else task < 3
        if task == 4:
            assert options == 1
        if task in (3, 5):
            assert fewest <= options <= most
        if task in (3, 4):
            assert places[0] == 0
        if task == 5:
            before = dialog.events[places[0] - 1]
            assert isinstance(before, Turn)
            assert turn_kind(before.system) == "api call"


@given(arguments)
@few
def test_the_last_api_call_asks_for_what_all_options_offer(drawn: tuple[str, int, int]) -> None:
    kind, _, seed = drawn
    for dialog in _all(kind, 5, dialogs=5, seed=seed):
        calls = [turn.system.split()[1:] for turn in dialog.turns if turn.system.startswith("api_call ")]
        first, last = (dict(zip(SLOTS[kind], call, strict=True)) for call in calls)
        updates = [turn for turn in dialog.turns if turn_kind(turn.system) == "ask for updates"]
        assert sum(first[slot] != last[slot] for slot in first) == len(updates)
        for option in _options(dialog).values():
            assert {slot: option.get(slot, last[slot]) for slot in last} == last


@given(arguments)
@few
def test_options_are_proposed_by_appeal(drawn: tuple[str, int, int]) -> None:
    kind, _, seed = drawn
    for task in (3, 5):
        for dialog in _all(kind, task, dialogs=5, seed=seed):
            appeals = {name: _appeal(option, dialog.profile) for name, option in _options(dialog).items()}
            proposed = [turn.system.split(": ")[1] for turn in dialog.turns if ": " in turn.system]
            assert proposed == sorted(appeals, key=appeals.__getitem__, reverse=True)[: len(proposed)]


@kinds_and_tasks
def test_answers_are_values_of_the_reserved_option(kind: str, task: int) -> None:
    seen: set[str] = set()
    for dialog in _all(kind, task, dialogs=30):
        options = _options(dialog)
        reserved: dict[str, str] = {}
        for turn in dialog.turns:
            words = f"{turn.user} {turn.system}".split()
            reserved = next((options[word] for word in words if word in options), reserved)
            if turn_kind(turn.system) == "give information":
                given_values = [word for word in words if word.startswith(("table_", "inn_"))]
                seen.update(relation for relation, value in reserved.items() if value in given_values)
                assert set(given_values) <= set(reserved.values())
            if turn_kind(turn.system) == "answer facility":
                facility = next(each for each in ("pool", "gym", "breakfast") if each in words)
                answer = reserved[facility.replace("gym", "fitness")]
                assert turn.system.startswith({"yes": "yes ", "no": "sorry "}[answer])
                seen.add("facility")
    expected = {
        "restaurant": {"phone", "address"},
        "hotel": {"phone", "address", "facility"},
        "personalized-restaurant": {"phone", "address", "social_media", "parking", "public_transport"},
    }[kind]
    assert seen == (expected if task > 3 else set())


@pytest.mark.parametrize("task", TASKS)
def test_profiles(task: int) -> None:
    for dialog in _all("personalized-restaurant", task, dialogs=30):
        allowed = [GENDERS, AGES] if task < 3 else [GENDERS, AGES, DIETS, dialog.profile[3:]]
        assert len(dialog.profile) == len(allowed)
        assert all(word in words for word, words in zip(dialog.profile, allowed, strict=True))
    for kind in ("restaurant", "hotel"):
        assert all(dialog.profile == () for dialog in _all(kind, task, dialogs=5))


def test_every_style_has_its_own_wording() -> None:
    said: dict[tuple[str, ...], set[str]] = {}
    for dialog in _all("personalized-restaurant", 5, dialogs=60):
        kinds = [(turn_kind(turn.system), turn.system.split(": ")[0]) for turn in dialog.turns]
        wordings = {text for kind, text in kinds if kind not in ("api call", "give information")}
        said.setdefault(dialog.profile[:2], set()).update(wordings)
    assert set(said) == set(product(GENDERS, AGES))
    for style, wordings in said.items():
        others = set().union(*(said[other] for other in said if other != style))
        assert len(wordings - others) >= 7


@pytest.mark.parametrize("kind", KINDS)
def test_unseen_words_are_really_unseen(kind: str) -> None:
    words = [_vocabulary(dialogs) for dialogs in simulate(kind, dialogs=300, seed=5).values()]
    names = [{word for word in each if word.startswith(("table_", "inn_"))} for each in words]
    assert names[0] & names[1]
    assert names[0] & names[2]
    assert not names[3] & (names[0] | names[1] | names[2])
    plain = [each - names_in_it for each, names_in_it in zip(words, names, strict=True)]
    assert plain[0] == plain[1] == plain[2]
    new = plain[3] - plain[0]
    assert new >= {"nairobi", "lima", "montreal", "manila", "perth"}
    assert len(new) == (5 if kind == "hotel" else 10) + (15 if kind == "personalized-restaurant" else 0)
    assert len(new) == len(plain[0] - plain[3])


def test_the_kinds_share_words_but_not_all() -> None:
    words = {kind: _vocabulary(simulate(kind, dialogs=200, seed=6)["train"]) for kind in KINDS}
    assert {"lisbon", "cheap", "two", "greek"} <= words["restaurant"] & words["personalized-restaurant"]
    assert {"lisbon", "cheap", "phone", "street"} <= words["restaurant"] & words["hotel"]
    assert {"nights", "pool", "gym", "monday"} <= words["hotel"] - words["restaurant"]
    restaurant, hotel = (_sentences(simulate(kind, dialogs=50, seed=6)["train"]) for kind in KINDS[::2])
    shared = {turn_kind(text) for text in restaurant & hotel}
    assert shared >= {"greeting", "ask place", "ask price", "ask for updates", "anything else", "goodbye"}


@pytest.mark.parametrize(
    ("kind", "task", "turns", "values"),
    [
        ("restaurant", 1, (5.5, 6.5), (0, 0)),
        ("restaurant", 5, (17, 20), (22, 26)),
        ("personalized-restaurant", 3, (11, 13), (60, 84)),
        ("hotel", 5, (18, 21), (30, 37)),
    ],
)
def test_lengths_are_like_those_of_the_published_data(
    kind: str, task: int, turns: tuple[float, float], values: tuple[float, float]
) -> None:
    dialogs = simulate(kind, dialogs=400, seed=7, task=task)["train"]
    mean_turns = sum(len(dialog.turns) for dialog in dialogs) / len(dialogs)
    mean_values = sum(len(option) for dialog in dialogs for option in _options(dialog).values()) / len(dialogs)
    assert turns[0] <= mean_turns <= turns[1]
    assert values[0] <= mean_values <= values[1]


def test_no_sentence_is_copied_from_the_published_data(data_dir: Path) -> None:
    candidates = data_dir / "personalized-dialog-dataset" / "personalized-dialog-candidates.txt"
    published = set(read_sentences(candidates))
    for path in (data_dir / "dialog-bAbI-tasks").glob("*task[1-5]*-trn.txt"):
        published |= _sentences(read_babi(path))
    for kind, task in product(KINDS, TASKS):
        assert _sentences(_all(kind, task, dialogs=100)) & published <= {SILENCE}


def _all(kind: str, task: int, dialogs: int, seed: int = 11) -> list[Dialog]:
    splits = simulate(kind, dialogs=dialogs, seed=seed, task=task)
    return [dialog for split in splits.values() for dialog in split]


def _options(dialog: Dialog) -> dict[str, dict[str, str]]:
    options: dict[str, dict[str, str]] = {}
    for event in dialog.events:
        if isinstance(event, Record):
            (_, name), *values = event.flat()
            options[name] = {relation.removeprefix("R_"): value for relation, value in values}
    return options


def _appeal(option: dict[str, str], profile: tuple[str, ...]) -> list[int]:
    rating = [int(option["rating"])]
    return [option["type"] == profile[2], option["speciality"] == profile[3], *rating] if profile else rating


def _words(dialog: Dialog) -> Iterable[str]:
    yield from dialog.profile
    for event in dialog.events:
        if isinstance(event, Turn):
            yield from f"{event.user} {event.system}".split()
        elif isinstance(event, Record):
            yield from (word for pair in event.flat() for word in pair)


def _sentences(dialogs: Iterable[Dialog]) -> set[str]:
    return {text for dialog in dialogs for turn in dialog.turns for text in (turn.user, turn.system)}


def _vocabulary(dialogs: Iterable[Dialog]) -> set[str]:
    return {word for dialog in dialogs for word in _words(dialog)}
