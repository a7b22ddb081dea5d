"""Options that several commands share are written once, in ``tasksieve.cli.options``."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import tasksieve.cli


def test_no_option_is_written_twice() -> None:
    files = sorted(Path(tasksieve.cli.__file__).parent.glob("*.py"))
    calls = [node for file in files for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    written = Counter(
        ast.unparse(call) for call in calls if ast.unparse(call.func) in ("typer.Option", "typer.Argument")
    )
    assert len(written) > 100
    assert [words for words, times in written.items() if times > 1] == []
