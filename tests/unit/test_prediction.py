"""What is predicted: responses, or the actions that turns are annotated with."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tasksieve.dialogs import Act, Dialog, Turn
from tasksieve.dialogs.formats import archive_files
from tasksieve.encoding import Reader, action_of, suited
from tasksieve.errors import UserError
from tasksieve.records.config import DataConfig
from tasksieve.training.runs.read_files import data_files, read_files

ASK, BYE = (Act("request", "city"),), (Act("goodbye"),)


def written(*responses: str, acts: tuple[Act, ...] = ()) -> list[Dialog]:
    """A dialog of one turn for each response."""
    return [Dialog((Turn("hi", response, acts=acts),)) for response in responses]


def test_an_action_is_a_set_of_acts_in_which_some_take_their_slot_along() -> None:
    acts = [Act("request", "time"), Act("inform", "price"), Act("inform", "city"), Act("offer", "name")]
    random.Random(0).shuffle(acts)
    assert action_of(acts) == "inform offer request_time"
    assert action_of(acts, ["offer"]) == "inform offer_name request"
    assert action_of([Act("request", "party size")]) == "request_party_size"
    assert action_of([]) == ""


def test_annotated_dialogs_that_hardly_repeat_a_response_are_predicted_by_their_actions() -> None:
    found = suited(written("one", "two", acts=ASK), written("three", "two", "four", acts=ASK))
    assert found.what == "actions"
    assert "only 33 % of the validation responses" in found.why


def test_responses_are_predicted_where_they_repeat_and_where_nothing_is_annotated() -> None:
    assert suited(written("One!", "two", acts=ASK), written("one", "two", acts=ASK)).what == "responses"
    found = suited(written("one", "two"), written("three", "four"))
    assert found.what == "responses"
    assert found.why.startswith("only 0 % of the turns say what the system does")


def test_how_many_turns_say_what_the_system_does_is_told_where_these_are_too_few() -> None:
    half = [*written("one", "two", acts=ASK), *written("three")]
    found = suited(half, [*written("four", acts=ASK), *written("five")])
    assert (found.what, found.partly) == ("responses", True)
    assert found.why.startswith(
        "only 3 of 5 turns say what the system does (90 % are wanted for actions; --predict actions learns from "
        "these alone); but only 0 % of the validation responses"
    )
    assert not suited(written("one"), written("two")).partly


def test_the_systems_own_earlier_actions_are_remembered_and_turns_without_one_are_context_alone() -> None:
    dialog = Dialog((Turn("hi", "where to", acts=ASK), Turn("rome", "one moment"), Turn("thanks", "bye", acts=BYE)))
    reading = Reader(predict="actions").read_one(dialog)
    assert [line.seen for line in reading.memory(reading.turns[-1])] == [
        "<state> last:request_city done:request_city now:thanks heard:thanks result:none",
        "<user> hi",
        "<system> where to",
        "<action> request_city",
        "<user> rome",
        "<system> one moment",
    ]
    assert [turn.response for turn in reading.learned] == ["request_city", "goodbye"]
    assert [turn.response for turn in Reader().read_one(dialog).learned] == ["where to", "one moment", "bye"]


def test_a_file_that_says_of_no_turn_what_the_system_does_is_refused_by_its_name(tmp_path: Path) -> None:
    for name in ("train", "valid"):
        (tmp_path / f"{name}.txt").write_text("1 hi\thello\n")
    with pytest.raises(UserError, match=r"train\.txt: says of no turn what the system does"):
        read_files(DataConfig(primary=str(tmp_path), valid=str(tmp_path), predict="actions"))


def test_a_folder_of_files_is_a_related_task_for_each_but_for_the_primary_tasks_own(tmp_path: Path) -> None:
    for name in ("a.txt", "b.jsonl", "mine.txt", "held.txt", "notes.md"):
        (tmp_path / name).write_text("1 hi\thello\n")
    (tmp_path / "other").mkdir()
    for split in ("train", "valid"):
        (tmp_path / "other" / f"{split}.txt").write_text("1 hi\thello\n")
    found = data_files(
        DataConfig(
            primary=str(tmp_path / "mine.txt"),
            valid=str(tmp_path / "held.txt"),
            related=(str(tmp_path), str(tmp_path / "other")),
        )
    )
    assert [path.relative_to(tmp_path).as_posix() for path in found.related] == [
        "a.txt",
        "b.jsonl",
        "other/train.txt",
    ]


def test_the_primary_tasks_own_dialogs_alone_are_nothing_to_borrow_from(tmp_path: Path) -> None:
    for split in ("train", "valid"):
        (tmp_path / f"{split}.txt").write_text("1 hi\thello\n")
    own = str(tmp_path)
    with pytest.raises(UserError, match=r"train\.txt: holds the primary task's own dialogs alone; give other ones"):
        data_files(DataConfig(primary=own, valid=own, related=(own,)))
    assert data_files(DataConfig(primary=own, valid=own)).related == ()


def test_a_folder_without_dialogs_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "readme.md").write_text("nothing")
    with pytest.raises(UserError, match="holds no dialog file; expected files that end in"):
        archive_files(tmp_path)
