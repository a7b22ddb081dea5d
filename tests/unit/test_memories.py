"""What a dialog leaves in the memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksieve.dialogs import Dialog, Fact, Turn
from tasksieve.encoding import Candidates, EncodedTask, MemoryLines, Vocabulary, responses_of
from tasksieve.errors import UserError
from tasksieve.records.model_config import Facts
from tasksieve.training.runs.dialog_tasks import Encoding

DIALOG = Dialog(
    (
        Fact("r1 R_price cheap"),
        Fact("r2 R_price dear"),
        Fact("r1 R_phone r1_phone"),
        Turn("a table", "how about r1"),
        Turn("is R2 any better", "no"),
        Fact("r2 R_phone r2_phone"),
        Fact("r3 R_phone r3_phone"),
    ),
    ("young",),
)
TABLE = ["<user> a table", "<system> how about r1"]
BETTER = ["<user> is R2 any better", "<system> no"]


def memory_of(dialog: Dialog, facts: Facts = "all", naming: frozenset[str] | None = None) -> MemoryLines:
    """What a dialog leaves in the memory at its end."""
    memory = MemoryLines(dialog, facts, naming)
    for _ in memory.turns():
        pass
    return memory


@pytest.mark.parametrize(
    ("facts", "lines"),
    [
        (
            "all",
            [
                "<fact> r1 R_price cheap",
                "<fact> r2 R_price dear",
                "<fact> r1 R_phone r1_phone",
                *TABLE,
                *BETTER,
                "<fact> r2 R_phone r2_phone",
                "<fact> r3 R_phone r3_phone",
            ],
        ),
        (
            "mentioned",
            [
                *TABLE,
                "<fact> r1 R_price cheap",
                "<fact> r1 R_phone r1_phone",
                "<fact> r2 R_price dear",
                *BETTER,
                "<fact> r2 R_phone r2_phone",
            ],
        ),
        ("none", [*TABLE, *BETTER]),
    ],
)
def test_facts_are_memories_as_chosen(facts: Facts, lines: list[str]) -> None:
    assert memory_of(DIALOG, facts).lines == ["<profile> young", *lines]


def test_what_the_user_mentions_is_recalled_before_the_response() -> None:
    memory = MemoryLines(DIALOG, "mentioned")
    for event in DIALOG.events[:3]:
        memory.add(event)
    assert memory.lines == ["<profile> young"]
    memory.hear(Turn("the phone of r1 please r1", "r1_phone"))
    recalled = ["<fact> r1 R_price cheap", "<fact> r1 R_phone r1_phone"]
    assert memory.lines == ["<profile> young", *recalled]
    memory.add(Turn("the phone of r1 please r1", "r1_phone"))
    assert memory.lines[1:] == [*recalled, "<user> the phone of r1 please r1", "<system> r1_phone"]


WORDS = st.sampled_from(["r1", "r2", "R3", "hello", ""])
EVENTS = st.lists(st.builds(Fact, WORDS.map(lambda word: f"{word} is")) | st.builds(Turn, WORDS, WORDS), max_size=8)


@given(EVENTS)
def test_mentioned_facts_are_some_of_all_and_what_is_said_stays_in_order(events: list[Turn | Fact]) -> None:
    dialog = Dialog((*events, Turn("r1 r2", "r3")))
    every, mentioned = memory_of(dialog).lines, memory_of(dialog, "mentioned").lines
    assert [line for line in mentioned if not line.startswith("<fact>")] == memory_of(dialog, "none").lines
    said = {word for turn in dialog.turns for word in f"{turn.user} {turn.system}".lower().split()}
    wanted = [line for line in every if not line.startswith("<fact>") or line.split()[1].lower() in said]
    assert sorted(mentioned) == sorted(wanted)


def test_an_example_has_the_facts_mentioned_up_to_its_utterance() -> None:
    vocabulary = Vocabulary.of([DIALOG], facts="mentioned")
    assert "r3_phone" not in vocabulary.words
    candidates = Candidates(responses_of([DIALOG]), vocabulary)
    task = EncodedTask([DIALOG], vocabulary, candidates, facts="mentioned")
    assert (task.end - task.start).tolist() == [1, 1 + 2 + 2 + 1]
    assert task.coverage.unknown_words == 0


def test_an_encoding_remembers_which_facts(tmp_path: Path) -> None:
    vocabulary = Vocabulary.of([DIALOG])
    candidates = {"primary": Candidates(responses_of([DIALOG]), vocabulary)}
    Encoding(vocabulary, candidates, 9, "none").write(tmp_path / "encoding.json")
    read = Encoding.read(tmp_path / "encoding.json", "cpu")
    assert read.facts == "none"
    assert read.encode([DIALOG]).end.tolist() == [1, 3]
    text = (tmp_path / "encoding.json").read_text()
    (tmp_path / "encoding.json").write_text(text.replace('"none"', '"some"'))
    with pytest.raises(UserError, match=r"a run's encoding .*facts: found some; expected all, mentioned, none"):
        Encoding.read(tmp_path / "encoding.json", "cpu")
