"""YAML from strangers costs no more than its largest entry, however it is made."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.yaml_nodes import yaml_entries
from tasksieve.errors import UserError

STORY = "- story: {number}\n  steps:\n  - user: good morning\n  - bot: hello\n"


def test_entries_of_a_list_are_read_one_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "stories.yml"
    path.write_text("stories:\n" + "".join(STORY.format(number=number) for number in range(5000)))
    count = 0
    tracemalloc.start()
    try:
        for count, (key, node) in enumerate(yaml_entries(path, Journal(path), frozenset(("stories",)))):
            assert (key, node.line) == ("stories", 2 + 4 * count)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 4999
    assert peak < path.stat().st_size / 2


@pytest.mark.parametrize("opened", [" [", " {a: ", "\n- "])
def test_a_hundred_thousand_lists_in_one_another_end_in_a_sentence(tmp_path: Path, opened: str) -> None:
    path = tmp_path / "deep.yml"
    path.write_text("stories:" + opened[:1] + opened[1:] * 100_000)
    with pytest.raises(UserError, match=r"deep\.yml:[12]: is nested more than 32 deep"):
        list(yaml_entries(path, Journal(path), frozenset(("stories",))))
