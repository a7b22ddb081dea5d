"""A few dialogs in the shape of each public data set, written by hand."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent


def _whole(*names: str) -> tuple[bytes, ...]:
    return tuple((FOLDER / name).read_bytes() for name in names)


PUBLIC = {
    "abcd": _whole("abcd.json"),
    "camrest": _whole("camrest.json"),
    "convlab": _whole("convlab/data/dialogues.json"),
    "dstc2": _whole("dstc2/Mar13_S0A0/voip-1/log.json", "dstc2/Mar13_S0A0/voip-2/log.json"),
    "events": _whole("star/1.json", "star/2.json", "bitod.json"),
    "frames": _whole("frames.json"),
    "kvret": _whole("kvret.json"),
    "metalwoz": _whole("metalwoz/CATALOGUE_BOT.txt"),
    "microsoft-e2e": _whole("movie_all.tsv"),
    "multiwoz": _whole("multiwoz21/data.json"),
    "sgd": _whole("multiwoz22/train/dialogues_001.json"),
    "taskmaster": _whole("taskmaster1.json", "taskmaster3.json"),
}
"""Whole files of a format, by its name."""
