"""Rasa's projects as their tool lays them out: domain, rules, forms, responses, and what is named as not read."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tasksieve.dialogs import SILENCE, Act, Dialog, Record, Turn
from tasksieve.dialogs.formats import FORMATS, dialog_file, find_splits, read_dialogs
from tasksieve.dialogs.formats.convert import convert
from tasksieve.dialogs.formats.validate import validate
from tasksieve.dialogs.record import Value
from tasksieve.errors import UserError

DOMAIN = """version: "3.1"
intents:
- greet
- faq
forms:
  table_form:
    required_slots: [people]
responses:
  utter_greet:
  - condition: [{type: slot, name: old, value: true}]
    text: hello again
  - text: 'hello {name}'
    buttons:
    - {title: a table, payload: /book}
  - text: hi
    channel: slack
  utter_faq/ask_name:
  - text: i am a bot
  utter_faq/ask_age:
  - text: two years
  utter_picture:
  - image: a.png
session_config:
  session_expiration_time: 60
  carry_over_slots_to_new_session: true
"""
STORIES = """version: "3.1"
stories:
- story: a table
  metadata: {author: me}
  steps:
  - checkpoint: known_user
    slot_was_set:
    - name: anna
  - intent: greet
  - action: utter_greet
  - intent: book
  - action: table_form
  - active_loop: table_form
  - slot_was_set:
    - requested_slot: people
  - active_loop: null
  - intent: faq/ask_age
  - action: utter_faq
  - action: utter_picture
  - action: utter_unknown
  - checkpoint: done
"""
RULES = """rules:
- rule: interrupted
  condition:
  - active_loop: table_form
  wait_for_user_input: false
  steps:
  - intent: faq
  - action: utter_faq
  - action: table_form
- rule: say goodbye
  steps:
  - intent: goodbye
  - action: utter_goodbye
"""
NLU = """nlu:
- intent: greet
  examples: |
    - hey
- lookup: city
  examples: |
    - rome
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    files = {"domain.yml": DOMAIN, "data/stories.yml": STORIES, "data/rules.yml": RULES, "data/nlu.yml": NLU}
    files["tests/test_stories.yml"] = (
        "stories:\n- story: a\n  steps:\n  - user: hello\n    intent: greet\n  - bot: hi\n"
    )
    files["config.yml"] = files["endpoints.yml"] = "recipe: default.v1\n"
    for name, text in files.items():
        (tmp_path / "bot" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "bot" / name).write_text(text)
    return tmp_path / "bot"


def said(action: str, words: str | None = None, user: str = SILENCE) -> Turn:
    name, _, slot = action.partition("/")
    return Turn(user, words or action, acts=(Act(name, slot),))


def test_stories_have_the_words_of_their_domain_and_say_what_is_not_read(project: Path) -> None:
    (dialog,) = read_dialogs(project / "data" / "stories.yml")
    assert dialog.events == (
        Record.of("slots", {"name": "anna"}),
        said("utter_greet", "hello {name}", "/greet"),
        said("table_form", user="/book"),
        Record.of("active_loop", {"name": "table_form"}),
        Record.of("slots", {"requested_slot": "people"}),
        Record.of("active_loop", {"name": None}),
        said("utter_faq/ask_age", "two years", "/faq/ask_age"),
        said("utter_picture"),
        said("utter_unknown"),
    )
    assert validate(project / "data" / "stories.yml").lost == {
        "'metadata' of a story": 1,
        "checkpoint that no story ends with": 1,
        "checkpoint that no story starts with": 1,
        "'buttons' of a response": 1,
        "further wording of a response": 3,
    }


def test_what_a_project_says_is_written_with_its_words(project: Path) -> None:
    source, target = project / "data" / "stories.yml", project.parent / "out.yml"
    convert(source, target)
    assert read_dialogs(target)[0].events == read_dialogs(source)[0].events
    assert "- active_loop: table_form" in target.read_text()


def test_rules_are_dialogs_with_their_conditions_first(project: Path) -> None:
    path = project / "data" / "rules.yml"
    one, two = read_dialogs(path)
    assert one.events == (
        Record.of("active_loop", {"name": "table_form"}),
        said("utter_faq", user="/faq"),
        said("table_form"),
    )
    assert two.events == (said("utter_goodbye", user="/goodbye"),)
    assert validate(path).lost == {"'wait_for_user_input' of a rule": 1}


@pytest.mark.parametrize("given", ["", "data"])
def test_a_project_is_named_by_its_folder(project: Path, given: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tasksieve")
    folder = project / given
    assert dialog_file(folder, "train") == project / "data" / "stories.yml"
    dialog_file(folder, "train")
    inner = "" if given else "data/"
    assert caplog.messages == [f"{folder}: Not read: {inner}nlu.yml (nlu: 2); {inner}rules.yml (rules: 2)"]
    tests = {} if given else {"test": project / "tests" / "test_stories.yml"}
    assert find_splits(folder)[0] == {"train": project / "data" / "stories.yml"} | tests


def test_several_files_with_stories_are_named(project: Path) -> None:
    (project / "data" / "more").mkdir()
    (project / "data" / "more" / "b.yml").write_text(STORIES)
    with pytest.raises(UserError, match=r"holds stories in 2 files \(data/more/b\.yml, data/stories\.yml\)"):
        dialog_file(project, "train")
    (dialog,) = read_dialogs(project / "data" / "more" / "b.yml")
    assert dialog.turns[0].system == "hello {name}"


def test_a_folder_without_stories_is_no_project(tmp_path: Path) -> None:
    (tmp_path / "domain.yml").write_text(DOMAIN)
    with pytest.raises(UserError, match="holds no dialog file"):
        dialog_file(tmp_path, "train")


def test_a_domain_alone_holds_no_dialog_and_a_broken_one_is_named(project: Path) -> None:
    found = validate(project / "domain.yml")
    assert "holds no dialog" in str(found.problems[0])
    assert {"entry under 'intents'": 2, "entry under 'forms'": 1, "response that no story uses": 4}.items() <= (
        found.lost.items()
    )
    (project / "domain.yml").write_text("responses: [\n")
    found = validate(project / "data" / "stories.yml")
    assert found.lost["words of actions in domain.yml, which cannot be read as YAML"] == 1


def test_the_file_s_own_words_come_before_those_of_the_domain(project: Path) -> None:
    path = project / "data" / "stories.yml"
    path.write_text(STORIES + "responses:\n  utter_greet:\n  - text: good day\n  utter_bye:\n  - text: bye\n")
    assert read_dialogs(path)[0].turns[0].system == "good day"
    assert validate(path).lost["response that no story uses"] == 1


def test_a_domain_may_be_a_folder_of_files(project: Path) -> None:
    (project / "domain.yml").unlink()
    (project / "domain").mkdir()
    (project / "domain" / "words.yml").write_text("responses:\n  utter_greet:\n  - text: good morning\n")
    assert read_dialogs(project / "data" / "stories.yml")[0].turns[0].system == "good morning"


@pytest.mark.parametrize(
    ("steps", "lost"),
    [
        ("- user: in [Rome](city)\n    entities: [{city: Rome}]\n", ["entity marked", "'entities' of a user's own"]),
        ("- intent: a\n    entities: {city: Rome, city: Oslo}\n", ["value of 'city', which stands twice"]),
        ("- intent: a\n    action: utter_b\n", ["'action' in a story"]),
        ("- intent: a\n  - followup: b\n", ["'followup' in a story"]),
        ("- or: [{or: [{intent: a}, {intent: b}]}]\n", ["alternative of an 'or' step in another"]),
    ],
)
def test_what_a_step_has_besides_is_named(tmp_path: Path, steps: str, lost: list[str]) -> None:
    path = tmp_path / "stories.yml"
    path.write_text(f"stories:\n- story: a\n  steps:\n  {steps}  - bot: done\n")
    found = validate(path)
    assert (found.problems, found.dialogs) == ((), 1)
    assert [any(name.startswith(start) for name in found.lost) for start in lost] == [True] * len(lost)
    assert sum(found.lost.values()) == len(lost)


def test_an_intent_without_a_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "stories.yml"
    path.write_text("stories:\n- story: a\n  steps:\n  - intent: [b]\n  - bot: done\n")
    assert "stories.yml:4: intent: found None; expected text" in str(validate(path).problems[0])


def test_forms_survive_a_round_trip_whatever_their_fields(tmp_path: Path) -> None:
    loops: list[tuple[tuple[str, Value], ...]] = [
        (("name", "a"),),
        (("name", ("a", "b")),),
        (("other", "a"),),
        (),
        (("name", "a"), ("name", "b")),
    ]
    dialog = Dialog((*(Record("active_loop", fields) for fields in loops), Turn("hi", "hello")))
    FORMATS["rasa"].write([dialog], tmp_path / "a.yml")
    assert read_dialogs(tmp_path / "a.yml")[0].events == dialog.events
