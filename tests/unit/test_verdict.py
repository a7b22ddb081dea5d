"""What a comparison says: three questions, their intervals and what to do next."""

from __future__ import annotations

import pytest

from tasksieve.records.comparison import ComparisonRow, MeasuredSeed, SeedResult, comparison_row
from tasksieve.records.measures import RANKING, RESPONSES
from tasksieve.records.verdict import answers, verdict
from tasksieve.report import formatting as show


def seed_result(seed: int, test: float, valid: float = 50.0) -> SeedResult:
    return SeedResult(
        seed=seed, test_accuracy=test, valid_accuracy=valid, per_dialog_accuracy=0, iterations=1, seconds=1
    )


def row(method: str, tests: list[float], primary: list[float], valid: float = 50.0, size: int = 50) -> ComparisonRow:
    results = [seed_result(seed, test, valid) for seed, test in enumerate(tests)]
    return comparison_row(method, size, results, [seed_result(seed, test) for seed, test in enumerate(primary)])


@pytest.mark.parametrize(
    ("tests", "start"),
    [
        ([60.0, 61.1, 60.2], "Borrow: learned is +10.4 points against primary with 50 dialogs (95 % interval +"),
        ([40.0, 41.1, 40.2], "Do not borrow: learned is \N{MINUS SIGN}9.6 points"),
        ([40.0, 60.0, 51.0], "Undecided: learned is +0.3 points"),
        (
            [50.0, 50.0, 50.0],
            "Equal: with 50 dialogs all methods are right in 50.0 % of the test turns, each seed",
        ),
        ([50.0], "Equal: with 50 dialogs all methods are right in 50.0 %"),
        ([60.0], "Undecided: learned is +10.0 points against primary with 50 dialogs on one seed"),
    ],
)
def test_the_verdict_says_what_the_interval_says(tests: list[float], start: str) -> None:
    base = [50.0, 50.0, 50.0][: len(tests)]
    assert verdict([row("primary", base, base), row("learned", tests, base)]).startswith(start)


def test_methods_that_are_level_need_no_more_seeds() -> None:
    base = [100.0, 100.0]
    level = verdict([row("primary", base, base), row("multitask", base, base), row("learned", base, base)])
    assert level.endswith("stay with primary, or compare with fewer dialogs (--sizes) or on a harder test set.")
    assert "seeds" not in level
    worse = verdict([row("primary", base, base), row("multitask", [99.0, 98.0], base), row("learned", base, base)])
    assert worse.startswith("Undecided: ")


def test_the_verdict_judges_the_method_that_validation_chose() -> None:
    base = [50.0, 50.1, 49.9]
    lucky, chosen = row("joint", [70.0, 70.1, 69.8], base, 40.0), row("learned", [52.0, 52.2, 51.9], base, 60.0)
    assert verdict([row("primary", base, base), lucky, chosen]).startswith("Borrow: learned is +2.0")
    assert verdict([lucky]).startswith("No verdict")


def test_the_verdict_is_on_the_oracle_only_where_nothing_else_borrows() -> None:
    base = [50.0, 50.1, 49.9]
    primary, told = row("primary", base, base), row("oracle", [70.0, 70.1, 69.8], base, 90.0)
    assert verdict([primary, told, row("learned", [52.0, 52.2, 51.9], base)]).startswith("Borrow: learned is +2.0")
    assert verdict([primary, told]).startswith("Borrow: oracle is +20.0")


def measured(seed: int, hits: list[int], seedless: bool = False, valid: float = 50.0) -> MeasuredSeed:
    """A run on test dialogs of ten turns each."""
    accuracy = 10.0 * sum(hits) / len(hits)
    return MeasuredSeed(
        **seed_result(seed, accuracy, valid).model_dump(exclude={"seedless"}),
        seedless=seedless,
        by_dialog={"turns": [10] * len(hits), "accuracy": hits, "R_100@1": hits},
    )


def test_what_test_dialogs_say_decides_where_few_seeds_cannot() -> None:
    primary = [measured(0, [3, 4] * 50), measured(1, [4, 4] * 50)]
    learned = [measured(0, [6, 7] * 50), measured(1, [5, 5] * 50)]
    found = comparison_row("learned", 50, learned, primary)
    assert found.ci95 is not None and found.ci95[0] < 0
    assert found.ci95_bootstrap is not None and found.ci95_bootstrap[0] > 0
    assert not isinstance(found.seeds[0], MeasuredSeed)
    said = verdict([comparison_row("primary", 50, primary, primary), found])
    assert said.startswith("Borrow: learned is +20.0 points against primary with 50 dialogs (95 % interval +")
    assert "over dialogs and seeds, \N{MINUS SIGN}" in said
    assert said.endswith("over seeds alone).")


@pytest.mark.parametrize(
    ("simple", "says", "start"),
    [
        (
            [2] * 100,
            "better",
            "Better than simple: learned is +35.0 points against tfidf-all, the best simple baseline (95 % interval",
        ),
        ([6, 5] * 50, "open", "Better than simple, undecided: learned is +0.0 points against tfidf-all, the"),
        ([9] * 100, "worse", "Simple is better: learned is \N{MINUS SIGN}35.0 points against tfidf-all, the"),
    ],
)
def test_the_verdict_names_the_best_simple_baseline(simple: list[int], says: str, start: str) -> None:
    primary, learned = ([measured(seed, hits) for seed in (0, 1)] for hits in ([3] * 100, [5, 6] * 50))
    others = {"tfidf": [measured(0, [1] * 100, True)], "tfidf-all": [measured(0, simple, True)]}
    rows = [
        comparison_row(name, 50, seeds, primary, RESPONSES, others)
        for name, seeds in {"primary": primary, "learned": learned, **others}.items()
    ]
    assert [row.best_simple for row in rows] == ["tfidf-all", "tfidf-all", None, None]
    assert [row.simple for row in rows] == [False, False, True, True]
    assert rows[3].ci95_bootstrap is not None  # one run, paired with both seeds of primary
    borrow, against = answers(rows)
    assert borrow.sentence.startswith("Borrow: learned is +25.0 points against primary")
    assert (against.question, against.says, against.against) == ("simple", says, "tfidf-all")
    assert against.sentence.startswith(start)


def three(
    learned: list[int],
    multitask: list[int],
    primary: list[int],
    simple: list[int],
    chosen_by: list[int] | None = None,
) -> list[ComparisonRow]:
    """Rows of three methods on three seeds and of a simple baseline, each with what it gets right of ten turns.

    Validation chooses `multitask`, or whichever has the hits ``chosen_by``.
    """
    runs = {
        name: [measured(seed, hits, valid=60.0 if hits is chosen_by else 50.0) for seed in range(3)]
        for name, hits in {"primary": primary, "multitask": multitask, "learned": learned}.items()
    }
    others = {"tfidf": [measured(0, simple, True)]}
    return [
        comparison_row(name, 50, seeds, runs["primary"], RESPONSES, others, runs["multitask"])
        for name, seeds in {**runs, **others}.items()
    ]


@pytest.mark.parametrize(
    ("learned", "says", "start"),
    [
        ([7] * 100, "better", "Weights: learned is +10.0 points against multitask (the same on each seed)"),
        ([6] * 100, "same", "Everything is enough: learned is +0.0 points against multitask ("),
        ([5] * 100, "worse", "Everything is enough: learned is \N{MINUS SIGN}10.0 points against multitask ("),
        ([9, 3] * 50, "open", "Weights or everything, undecided: learned is +0.0 points against multitask ("),
    ],
)
def test_weights_are_judged_against_everything(learned: list[int], says: str, start: str) -> None:
    rows = three(learned, [6] * 100, [3] * 100, [1] * 100)
    _, weights, _ = answers(rows)
    assert (weights.question, weights.says, weights.method, weights.against) == (
        "weights",
        says,
        "learned",
        "multitask",
    )
    assert weights.sentence.startswith(start)
    assert weights.ci95 is not None and weights.ci95_seeds is not None
    assert rows[1].minus_multitask is None


def test_the_simple_baseline_is_what_the_advised_method_is_compared_with() -> None:
    assert answers(three([8] * 100, [6] * 100, [3] * 100, [1] * 100))[2].method in ("learned", "multitask")
    harmful = answers(three([2] * 100, [1] * 100, [3] * 100, [3] * 100))
    assert [(one.says, one.method) for one in harmful[::2]] == [("worse", "multitask"), ("same", "primary")]
    assert harmful[0].sentence.endswith("use primary, or look for related dialogs that are nearer to the new task.")
    assert harmful[2].sentence.startswith("Simple is as good: primary is +0.0 points against tfidf")


def test_a_difference_too_small_to_choose_by_is_no_difference() -> None:
    turns = [6] * 100
    one_more = [7, *turns[1:]]
    (borrow, *_) = answers(three(one_more, turns, turns, [1] * 100))
    assert borrow.says == "same"
    assert borrow.sentence.startswith("Equal: ")
    seeds = [60.4, 60.1, 59.7]
    rows = [row("primary", [60.0] * 3, [60.0] * 3), row("joint", seeds, [60.0] * 3)]
    assert "less than 1 point either way: all methods are equal; stay with primary" in verdict(rows)


def test_one_seed_decides_nothing() -> None:
    rows = [row("primary", [50.0], [50.0]), row("learned", [90.0], [50.0])]
    (borrow,) = answers(rows)
    assert (borrow.says, borrow.ci95) == ("open", None)
    assert borrow.sentence.endswith("on one seed; run more seeds (--seeds 3), or stay with primary.")


def test_the_verdict_says_which_measure_it_is_of() -> None:
    primary, learned = ([measured(seed, hits) for seed in (0, 1)] for hits in ([3] * 100, [5, 6] * 50))
    rows = [comparison_row("primary", 50, primary, primary, RANKING), comparison_row("learned", 50, learned, primary)]
    assert verdict(rows, RANKING).startswith("Borrow: learned is +25.0 points of R_100@1 against primary")


def test_the_simple_rows_that_rank_responses_are_said_to_learn_nothing() -> None:
    rows = three([7] * 100, [6] * 100, [3] * 100, [1] * 100)
    assert "against tfidf, the best simple baseline, which learns nothing" in answers(rows, RANKING)[-1].sentence
    assert "learns nothing" not in answers(rows, RESPONSES)[-1].sentence


def test_an_interval_without_width_is_not_shown_as_one() -> None:
    learned = [9, 3] * 50
    borrow, *_ = answers(three(learned, [1] * 100, [3] * 100, [1] * 100, chosen_by=learned))
    assert "over dialogs and seeds; the same on each seed)" in borrow.sentence
    assert show.interval((9.26, 9.26)) == "no spread"
    assert show.gain(9.26, (9.26, 9.26)) == "+9.3 (no spread)"


OPEN = [9, 1] * 50
"""Hardly more often right than :data:`PRIMARY_HITS`, and not surely so."""
PRIMARY_HITS = [4, 5] * 50


@pytest.mark.parametrize(
    ("learned", "multitask", "end"),
    [
        (OPEN, [0] * 100, "; see first whether to borrow, and if so use learned."),
        (OPEN, PRIMARY_HITS, "; see first whether to borrow."),
        ([0] * 100, OPEN, "; see first whether to borrow, and if so use multitask."),
    ],
)
def test_while_it_is_open_whether_to_borrow_nothing_that_borrows_is_advised(
    learned: list[int], multitask: list[int], end: str
) -> None:
    borrow, weights, simple = answers(three(learned, multitask, PRIMARY_HITS, [1] * 100, chosen_by=OPEN))
    assert borrow.sentence.startswith("Undecided: ") and borrow.sentence.endswith("or stay with primary.")
    assert weights.sentence.endswith(end)
    assert simple.method == "primary"


def test_no_simple_row_is_advised_as_none_can_be_used() -> None:
    for simple in ([8] * 100, PRIMARY_HITS, [7, 2] * 50, [0] * 100):
        *_, last = answers(three(OPEN, PRIMARY_HITS, PRIMARY_HITS, simple, chosen_by=OPEN))
        assert last.question == "simple"
        assert not any(word in last.sentence for word in ("use tfidf", "either will do", "costs least"))
    *_, better = answers(three(OPEN, PRIMARY_HITS, PRIMARY_HITS, [8] * 100, chosen_by=OPEN))
    assert better.says == "worse"
    assert "; tfidf is only measured, and a sign that primary gets too little out of its dialogs" in better.sentence


def with_simple(simple: dict[str, list[int]], primary: list[int], learned: list[int]) -> list[ComparisonRow]:
    runs = {
        name: [measured(seed, hits) for seed in range(3)]
        for name, hits in (("primary", primary), ("learned", learned))
    }
    others = {name: [measured(0, hits, True)] for name, hits in simple.items()}
    return [
        comparison_row(name, 50, seeds, runs["primary"], RESPONSES, others)
        for name, seeds in {**runs, **others}.items()
    ]


def test_primary_is_held_against_the_simple_row_that_borrows_nothing_either() -> None:
    simple = {"tfidf": [4] * 100, "encoder": [3, 4] * 50, "encoder-all": [8] * 100}
    borrow, last = answers(with_simple(simple, [4, 5] * 50, [9, 1] * 50))
    assert (borrow.says, last.method, last.against, last.says) == ("open", "primary", "tfidf", "better")
    assert last.sentence.startswith(
        "Better than simple: primary is +5.0 points against tfidf, the best simple baseline that"
    )
    assert "; encoder-all, which borrows too, is +35.0 (+3" in last.sentence
    assert last.sentence.endswith("against primary, a sign that the related dialogs help.")
    assert last.ci95 is not None and last.ci95[0] <= 5.0 <= last.ci95[1]
    *_, alone = answers(with_simple({"encoder-all": [8] * 100}, [4, 5] * 50, [9, 1] * 50))
    assert "against encoder-all, the best simple baseline, which borrows too (" in alone.sentence
    *_, borrowing = answers(with_simple(simple, [4, 5] * 50, [9] * 100))
    assert (borrowing.method, borrowing.against) == ("learned", "encoder-all")


def test_a_difference_turned_round_is_that_of_the_other_row() -> None:
    simple = {"tfidf": [3, 5] * 50}
    primary, _, other = with_simple(simple, [4, 6] * 50, [9, 1] * 50)
    *_, last = answers([primary, primary.model_copy(update={"method": "learned"}), other])
    assert last.points == pytest.approx(primary.minus_simple)
    assert last.ci95 is not None and primary.ci95_simple is not None
    assert last.ci95 == pytest.approx(primary.ci95_simple, abs=0.2)


@pytest.mark.parametrize(
    ("learned", "start", "end"),
    [
        (
            OPEN,
            "Undecided: learned, which validation chose, is ",
            "(--seeds 6) to see whether that holds, or take multitask.",
        ),
        ([1] * 100, "Do not borrow: learned, which validation chose, is ", ", and use primary until then."),
        (PRIMARY_HITS, "Equal: learned, which validation chose, is ", ", and use primary until then."),
    ],
)
def test_a_method_that_validation_did_not_choose_is_named_where_the_table_shows_it_better(
    learned: list[int], start: str, end: str
) -> None:
    borrow, *others = answers(three(learned, [9] * 100, PRIMARY_HITS, [1] * 100, chosen_by=learned))
    assert borrow.method == "learned" and borrow.says != "better"
    assert borrow.sentence.startswith(start) and borrow.sentence.endswith(end)
    assert "; multitask, which it did not choose, is +45.0 (95 % interval +4" in borrow.sentence
    assert "or stay with primary" not in borrow.sentence
    assert others[-1].method == "primary"  # what is picked on the test dialogs advises nothing


@pytest.mark.parametrize(("learned", "start"), [([2] * 100, "Weights: "), ([1] * 100, "Weights gain nothing: ")])
def test_where_borrowing_harms_the_second_answer_stays_with_primary(learned: list[int], start: str) -> None:
    borrow, weights, simple = answers(three(learned, [1] * 100, [5] * 100, [1] * 100))
    assert borrow.sentence.startswith("Do not borrow: ")
    assert weights.sentence.startswith(start) and weights.sentence.endswith("; use primary all the same.")
    assert simple.method == "primary"


def test_what_the_second_answer_advises_is_what_the_third_is_about() -> None:
    base = [3] * 100
    for learned, multitask, advised in (
        ([8] * 100, [6] * 100, "learned"),
        ([6] * 100, [6] * 100, "multitask"),
        ([6] * 100, [9, 3] * 50, "multitask"),
        ([6] * 100, [9, 2] * 50, "multitask"),
        ([9, 3] * 50, [3, 4] * 50, "learned"),
    ):
        _, weights, simple = answers(three(learned, multitask, base, [1] * 100))
        assert simple.method == advised, (learned[:2], multitask[:2])
        assert f"use {advised}" in weights.sentence or weights.says == "better"


def test_undecided_between_the_two_the_one_that_is_known_to_pay_is_advised() -> None:
    learned = [5, 6] * 50
    _, weights, simple = answers(three(learned, [0, 10] * 50, PRIMARY_HITS, [1] * 100, chosen_by=learned))
    assert weights.says == "open"
    assert weights.sentence.endswith("; until more seeds tell (--seeds 6), use learned.")
    assert simple.method == "learned"


def on_few(count: int) -> list[ComparisonRow]:
    runs = {
        name: [measured(seed, [hits] * count) for seed in range(2)]
        for name, hits in (("primary", 3), ("multitask", 7))
    }
    learned = [measured(seed, [7] * count) for seed in range(2)]
    return [
        comparison_row(name, 50, seeds, runs["primary"], RESPONSES, {}, runs["multitask"])
        for name, seeds in {**runs, "learned": learned}.items()
    ]


def test_few_test_dialogs_decide_nothing() -> None:
    borrow, weights = answers(on_few(1))
    assert (borrow.says, weights.says) == ("open", "open")
    assert borrow.sentence.endswith("; measure on more test dialogs (10 or more; here 1), or stay with primary.")
    assert on_few(1)[0].test_dialogs == 1
    assert [answer.says for answer in answers(on_few(10))] == ["better", "same"]


def test_seeds_that_all_found_the_same_are_no_proof_where_dialogs_are_not_known() -> None:
    borrow, *_ = answers([row("primary", [50.0] * 3, [50.0] * 3), row("learned", [60.0] * 3, [50.0] * 3)])
    assert borrow.says == "open"
