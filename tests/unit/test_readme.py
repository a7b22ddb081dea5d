"""The README's numbers are those of the committed record."""

from __future__ import annotations

from benchmarks.readme import RECORD, ROOT, filled, remark, sections
from tasksieve.records.comparison import Comparison


def test_the_readme_shows_the_record() -> None:
    record = Comparison.model_validate_json(RECORD.read_text())
    readme = (ROOT / "README.md").read_text()
    assert filled(readme, sections()) == readme, "run python -m benchmarks.readme"
    for row in record.rows:
        assert f"`{row.method}` | {row.mean:.1f} ± " in readme


def test_the_remark_follows_the_numbers() -> None:
    record = Comparison.model_validate_json(RECORD.read_text())
    raised = [row.model_copy(update={"mean": row.mean + 9 * (row.method == "learned")}) for row in record.rows]
    assert "is not reached" in remark(record)
    assert remark(record.model_copy(update={"rows": tuple(raised)})).endswith("is reached.")
