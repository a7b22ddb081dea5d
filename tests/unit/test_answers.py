"""Answers, best first: the same text is one answer, and no number depends on how many answers are wanted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.overrides import TorchFunctionMode

from tasksieve.training.runs.answers import Answer, NothingToSay, ranked, worded_actions

TEXTS = st.sampled_from([None, "yes", "no", "which one?", "bye"])
SCORES = st.floats(-12, 6, width=32) | st.integers(-2, 2).map(float)
SCORED = st.lists(st.tuples(SCORES, TEXTS), min_size=1, max_size=9).filter(
    lambda rows: any(text is not None for _, text in rows)
)
Rows = Sequence[tuple[float, str | None]]


def of_actions(rows: Rows, top: int, asked: list[str] | None = None) -> list[Answer]:
    """The best wordings of actions 0, 1, …, each with its score and the text that it is worded as."""

    def word(action: str) -> str | None:
        if asked is not None:
            asked.append(action)
        return rows[int(action)][1]

    return worded_actions(torch.tensor([score for score, _ in rows]), [*map(str, range(len(rows)))], word, top)


def of_doubtful_actions(rows: Rows, top: int) -> list[Answer]:
    """The same where the right values of some wordings are anything but likely."""
    scores = torch.tensor([score for score, _ in rows])
    worth = {"yes": 1e-6, "no": 0.3}
    return worded_actions(
        scores,
        [*map(str, range(len(rows)))],
        lambda action: rows[int(action)][1],
        top,
        lambda text: worth.get(text, 1.0),
    )


def of_texts(rows: Rows, top: int) -> list[Answer]:
    return ranked(torch.tensor([score for score, _ in rows]), [text for _, text in rows], top)


def expected(rows: Rows) -> tuple[dict[str, float], float]:
    """Each text's share of all candidates, and that of all texts that can be said."""
    shares = torch.softmax(torch.tensor([score for score, _ in rows]).double(), 0).tolist()
    found: dict[str, float] = defaultdict(float)
    for share, (_, text) in zip(shares, rows, strict=True):
        if text is not None:
            found[text] += share
    return found, sum(found.values())


@given(SCORED)
def test_candidates_that_end_as_one_text_are_one_answer_with_their_whole_probability(rows: Rows) -> None:
    shares, sayable = expected(rows)
    for found in (of_texts(rows, 9), of_actions(rows, 9)):
        assert {answer.text for answer in found} == set(shares)
        assert len(found) == len(shares)
        for answer in found:
            assert answer.certainty == pytest.approx(shares[answer.text], rel=1e-3, abs=1e-4 * sayable)
            assert answer.probability == pytest.approx(shares[answer.text] / sayable, rel=1e-3, abs=2e-4)
        certain = [answer.certainty for answer in found]
        assert certain == sorted(certain, reverse=True)


@given(SCORED)
def test_no_number_depends_on_how_many_answers_are_wanted(rows: Rows) -> None:
    for answers in (of_texts, of_actions, of_doubtful_actions):
        every = answers(rows, 9)
        certain = [answer.certainty for answer in every]
        assert certain == sorted(certain, reverse=True)
        for top in range(1, 9):
            assert list(map(asdict, answers(rows, top))) == list(map(asdict, every[:top]))


def test_an_action_that_cannot_be_worded_counts_for_nothing_even_where_one_answer_is_wanted() -> None:
    rows = [(2.0, "Open."), (1.0, None), (0.0, "Closed.")]
    (best,) = of_actions(rows, 1)
    assert best.probability == pytest.approx(0.881, abs=1e-3)  # 72.5 % with the one that cannot be said
    assert best.certainty == pytest.approx(0.665, abs=1e-3)


def test_the_action_of_an_answer_is_the_best_one_that_ends_as_its_text() -> None:
    first, second = of_actions([(1.0, "yes"), (1.4, "no"), (0.9, "yes")], 5)
    assert (first.text, first.action) == ("yes", "0")
    assert first.score == pytest.approx(1.644, abs=1e-3)
    assert (second.text, second.action) == ("no", "1")
    assert second.score == pytest.approx(1.4)


def test_actions_are_worded_no_further_than_they_matter() -> None:
    asked: list[str] = []
    rows = [(20.0, "yes"), *((0.0, f"text {n}") for n in range(50))]
    assert len(of_actions(rows, 1, asked)) == 1
    assert asked == ["0"]
    assert len(of_actions(rows, 3)) == 3


class Sums(TorchFunctionMode):
    """How often shares are summed."""

    count = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += func is torch.Tensor.sum
        return func(*args, **(kwargs or {}))


def test_what_is_found_is_summed_twice_however_many_actions_come_after() -> None:
    rows = [(20.0, "yes"), *((-float(n), f"text {n}") for n in range(50))]
    with Sums() as sums:
        assert len(of_actions(rows, 60)) == 51
    assert sums.count == 1 + 51


def test_candidates_with_scores_of_minus_infinity_have_no_part() -> None:
    low = float("-inf")
    found = of_texts([(low, "no"), (1.0, "yes"), (low, "no"), (1.0, "yes")], 5)
    assert [(answer.text, answer.probability) for answer in found] == [("yes", pytest.approx(1.0)), ("no", 0.0)]


def test_a_text_that_leads_comes_first_with_its_own_probability() -> None:
    scores, texts = torch.tensor([0.0, 2.0, 1.0, 0.0]), ["a bus", "a train", None, "a bus"]
    alone, every = (ranked(scores, texts, top, leads=True) for top in (1, 4))
    assert [answer.text for answer in every] == ["a bus", "a train"]
    assert alone == every[:1]
    assert sum(answer.probability for answer in every) == pytest.approx(1)
    assert every[0].probability == pytest.approx(2 / (2 + torch.e**2))


def test_where_nothing_can_be_said_that_is_told() -> None:
    for answers in (of_texts, of_actions):
        with pytest.raises(NothingToSay, match="give it facts first"):
            answers([(1.0, None), (0.0, None)], 2)
