"""Stories are parsed once, which takes most of the time of reading them, whatever they need of their file before."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasksieve.dialogs.formats import read_dialogs, yaml_nodes

STORY = "- story: {number}\n  steps:\n  - user: good morning\n  - action: utter_hi\n"
STORIES = "stories:\n" + "".join(STORY.format(number=number) for number in range(20))
RESPONSES = "responses:\n  utter_hi:\n  - text: hello\n"


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines that YAML's parser is given, from now on."""
    lines: list[str] = []
    read = yaml_nodes._Text.read

    def recorded(text: yaml_nodes._Text, size: int = -1) -> str:
        lines.append(read(text, size))
        return lines[-1]

    monkeypatch.setattr(yaml_nodes._Text, "read", recorded)
    return lines


@pytest.mark.parametrize("text", [f"{STORIES}{RESPONSES}", f"{RESPONSES}{STORIES}", f"{STORIES}\n# end\n{RESPONSES}"])
def test_stories_with_their_responses_are_parsed_once(tmp_path: Path, parsed: list[str], text: str) -> None:
    path = tmp_path / "stories.yml"
    path.write_text(text)
    dialogs = read_dialogs(path)
    assert [turn.system for dialog in dialogs for turn in dialog.turns] == ["hello"] * 20
    assert sum("story:" in line for line in parsed) == 20


def test_stories_of_a_project_are_parsed_once(tmp_path: Path, parsed: list[str]) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "stories.yml").write_text(STORIES)
    (tmp_path / "domain.yml").write_text(RESPONSES)
    assert len(read_dialogs(tmp_path)) == 20
    assert sum("story:" in line for line in parsed) == 20


@pytest.mark.parametrize(
    "text",
    [
        "? stories\n: - {story: a, steps: [{user: good morning}, {action: utter_hi}]}\n" + RESPONSES,
        '"stories":\n- story: a\n  steps:\n  - user: good morning\n  - action: utter_hi\n' + RESPONSES,
        "stories: [{story: a, steps: [{user: good morning}, {action: utter_hi}]}]\n" + RESPONSES,
    ],
)
def test_stories_in_other_notations_find_their_responses_too(tmp_path: Path, text: str) -> None:
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "stories.yml"
    path.write_text(text)
    for given in (path, tmp_path):
        assert [turn.system for turn in read_dialogs(given)[0].turns] == ["hello"]
