"""An archive on the disk written over and over, as if so many times as many dialogs had been read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl

from tasksieve.encoding.archive_writing import arrays_of

ENDED = {"offsets", "memories", "offers"}
"""Arrays with a number more at their end."""


def write_copies(source: Path, target: Path, copies: int, *, vectors: int) -> None:
    """Write the one archive below a folder so many times over, with sentences and dialogs of its own each time.

    Args:
        source: the folder of archives.
        target: another one, for an archive of the same name.
        copies: how many times.
        vectors: how many numbers a vector has, where sentences have some.
    """
    (folder,) = [path.parent for path in source.glob("*/archive.json")]
    shutil.rmtree(target, ignore_errors=True)
    there = target / folder.name
    there.mkdir(parents=True)
    value = json.loads((folder / "archive.json").read_text())
    ranked = value.get("ranked", False)
    kinds = arrays_of(ranked=ranked)
    arrays = {name: np.fromfile(folder / f"{name}.bin", kind) for name, kind in kinds.items()}
    for name in ENDED & arrays.keys():
        arrays[name] = arrays[name][:-1]
    sentences, memories, words = len(arrays["offsets"]), len(arrays["memories"]), len(arrays["words"])
    shifts = {"offsets": words, "memories": sentences, "spoken": sentences, "start": memories, "end": memories}
    ends = {"offsets": copies * words, "memories": -1}
    if ranked:
        offered = len(arrays["offered"])
        shifts |= {
            "responses": sentences,
            "counted": sentences,
            "offered": len(arrays["responses"]),
            "offers": offered,
        }
        ends["offers"] = copies * offered
    for name, numbers in arrays.items():
        with (there / f"{name}.bin").open("wb") as file:
            for copy in range(copies):
                (numbers + numbers.dtype.type(copy * shifts.get(name, 0))).tofile(file)
            if name in ends:
                np.array([ends[name]], numbers.dtype).tofile(file)
        value["arrays"][name] = copies * len(numbers) + (name in ends)
    for path in (*folder.glob("vectors-*.bin"), *folder.glob("responses-*.bin")):
        rows = np.fromfile(path, np.float32)
        with (there / path.name).open("wb") as file:
            for _ in range(copies):
                rows.tofile(file)
        count = sentences if path.name.startswith("vectors") else len(arrays["responses"])
        assert len(rows) == count * vectors
    value["example_files"] = _examples(folder, there, value["example_files"], copies)
    value["counts"] = [{name: count * copies for name, count in counts.items()} for counts in value["counts"]]
    (there / "archive.json").write_text(json.dumps(value, ensure_ascii=False))


def _examples(folder: Path, there: Path, files: int, copies: int) -> int:
    frame = pl.concat([pl.read_ipc(folder / f"examples-{number:05}.arrow") for number in range(files)])
    dialogs = int(frame["dialog"].max()) + 1  # type: ignore[arg-type]
    for copy in range(copies):
        shifted = frame.with_columns((pl.col("dialog") + copy * dialogs).cast(pl.Int32))
        shifted.write_ipc(there / f"examples-{copy:05}.arrow", compression="uncompressed")
    return copies
