"""What is said of a file each time that it is read is shown once a command."""

from __future__ import annotations

import json
from pathlib import Path

from tests.commands import call, small_options

HI = {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}], "id": 7}


def test_losses_of_a_file_that_is_read_again_are_told_once(tmp_path: Path) -> None:
    path = tmp_path / "dialogs.jsonl"
    path.write_text("".join(json.dumps({**HI, "id": number}) + "\n" for number in range(8)))
    line = f"{path}: 8 dialogs. Not read: 'id' of a dialog (8)\n"
    options = ["--method=primary", "--no-audit", *small_options()]
    for run in ("one", "two"):
        ended = call("train", "--primary", path, "--valid", path, "--out", tmp_path / run, *options)
        assert (ended.code, ended.err.count(line)) == (0, 1)
        assert ended.err.count("predicting responses") == 1
