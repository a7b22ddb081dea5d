"""The numbers in README and docs/results.md are those of the committed records."""

from __future__ import annotations

import copy

from benchmarks.readme import RESULTS, pages, records, table2


def test_the_pages_show_the_records() -> None:
    for path, wanted in pages().items():
        assert path.read_text() == wanted, "run python -m benchmarks.readme"
    of_table2, of_names, _ = records()
    shown = RESULTS.read_text()
    for row in [*of_table2["rows"], *of_names["rows"]]:
        spread = "" if len(row["seeds"]) == 1 else f" ± {row['sd']:.1f}"
        assert f"| {row['mean']:.1f}{spread} |" in shown


def test_what_is_said_of_the_gains_follows_the_numbers() -> None:
    _, of_names, _ = records()
    assert "The paper's gain with 50, 100 and 150 dialogs is not reached" in table2(of_names)
    raised = copy.deepcopy(of_names)
    for row in raised["rows"]:
        if row["method"] == "learned":
            row["minus_primary"] += 9
    assert "not reached" not in table2(raised)
