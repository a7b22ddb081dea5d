"""Rasa's stories that are joined at checkpoints, and those with alternatives."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasksieve.dialogs.formats import rasa_responses, rasa_stories, read_dialogs
from tasksieve.dialogs.formats.validate import validate


def stories(folder: Path, *steps: str) -> Path:
    """A file of stories, each a line of what it says: ``>a`` is a checkpoint, ``a|b`` an ``or``."""
    path = folder / "stories.yml"
    path.write_text(f"stories:\n{''.join(map(story, steps))}")
    return path


def story(line: str) -> str:
    return "- story: s\n  steps:\n" + "".join(f"  - {step}\n" for word in line.split() for step in written(word))


def written(word: str) -> list[str]:
    if word.startswith(">"):
        return [f"checkpoint: {word[1:]}"]
    if "|" in word:
        return [f"or: [{', '.join(f'{{intent: {one}}}' for one in word.split('|'))}]"]
    return [f"user: {word}", f"bot: {word}"]


def told(path: Path) -> list[str]:
    return sorted(" ".join(turn.system for turn in dialog.turns) for dialog in read_dialogs(path))


@pytest.mark.parametrize(
    ("lines", "dialogs"),
    [
        (["a >x", ">x b", ">x c"], ["a b", "a c"]),
        (["a >x", "b >x", ">x c"], ["a c", "b c"]),
        (["a >x", ">x b >y", ">y c"], ["a b c"]),
        (["a >x b", ">x c"], ["a b", "a c"]),
        (["a >x", ">x >y b", "c >y"], ["a b", "c b"]),
        (["a", ">x b"], ["a", "b"]),
        (["a >x"], ["a"]),
        ([">x a >y", ">y b >x"], ["a b"]),
        (["a >x", ">x b >x"], ["a b"]),
    ],
)
def test_stories_are_joined_at_checkpoints(tmp_path: Path, lines: list[str], dialogs: list[str]) -> None:
    path = stories(tmp_path, *lines)
    assert told(path) == dialogs
    assert validate(path).problems == ()


MORE = "stories joined at checkpoints after the first 1,000 dialogs or 100,000 steps"


def test_what_a_checkpoint_says_besides_is_heard_and_losses_are_counted_once(tmp_path: Path) -> None:
    path = tmp_path / "stories.yml"
    path.write_text(
        stories(tmp_path, "a >x", ">x b", ">x c").read_text().replace("user: a", 'user: "[a](city)"')
        + "- story: d\n  steps:\n  - checkpoint: x\n    slot_was_set: [name: anna]\n"
        + "  - {user: d, mood: sad}\n  - bot: d\n"
    )
    assert told(path) == ["a b", "a c", "a d"]
    assert [len(dialog.events) for dialog in read_dialogs(path)] == [2, 2, 3]
    assert validate(path).lost == {"entity marked in a user's own words": 1, "'mood' of a user's own words": 1}


def test_checkpoints_that_lead_nowhere_are_named(tmp_path: Path) -> None:
    assert validate(stories(tmp_path, "a >x", ">y b")).lost == {
        "checkpoint that no story ends with": 1,
        "checkpoint that no story starts with": 1,
    }


def test_each_alternative_makes_a_dialog(tmp_path: Path) -> None:
    path = stories(tmp_path, "yes|no a yes|no|maybe b")
    users = sorted(tuple(turn.user for turn in dialog.turns) for dialog in read_dialogs(path))
    chosen = itertools.product(("yes", "no"), ("yes", "no", "maybe"))
    assert users == sorted((f"/{one}\na", f"/{two}\nb") for one, two in chosen)
    assert validate(path).dialogs == 6


def test_what_is_too_much_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = validate(stories(tmp_path, "a|b a|b a|b a|b a|b a|b end"))
    assert found.dialogs == 32
    assert found.lost["dialog of an 'or' step after the first 32"] == 32
    monkeypatch.setattr(rasa_stories, "MOST_JOINED", 10)
    found = validate(stories(tmp_path, *[f"{n} >x" for n in range(4)], *[f">x {n}" for n in range(4)]))
    assert (found.dialogs, list(found.lost)) == (10, [MORE])


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from(["a", "b", ">x", ">y", ">z", "p|q"]), max_size=6), max_size=6))
def test_whatever_the_checkpoints_every_step_is_in_a_dialog(
    tmp_path_factory: pytest.TempPathFactory, lines: list[list[str]]
) -> None:
    numbered = [
        " ".join(f"{w}{n}{m}" if w in "ab" else w for m, w in enumerate(line)) for n, line in enumerate(lines)
    ]
    path = stories(tmp_path_factory.mktemp("s"), *(f"{line} end" for line in numbered), "last")
    said = {turn.system for dialog in read_dialogs(path) for turn in dialog.turns}
    assert {word for line in numbered for word in line.split() if word[0] in "ab"} <= said


def test_a_file_without_responses_is_parsed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = []
    entries = rasa_responses.yaml_entries
    monkeypatch.setattr(
        rasa_responses, "yaml_entries", lambda path, *rest: parsed.append(path) or entries(path, *rest)
    )
    path = stories(tmp_path, "a")
    read_dialogs(path)
    assert parsed == []
    path.write_text(path.read_text() + "responses: {}\n")
    read_dialogs(path)
    assert parsed == [path]


def test_checkpoints_in_many_loops_are_read_up_to_a_number_of_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rasa_stories, "MOST_STEPS", 200)
    found = validate(stories(tmp_path, *30 * [">x so p|q bye >x"]))
    assert list(found.lost)[-1] == MORE
    assert 0 < found.dialogs <= 64
