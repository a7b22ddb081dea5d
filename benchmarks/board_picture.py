"""The board as a picture, for the README: what borrowing gains with few dialogs, and what weights add to it.

    python -m benchmarks.board_picture

It is drawn from the records of the board's tables (:mod:`benchmarks.readme`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.board import shown
from benchmarks.readme import ARCHIVE_RECORD, ROOT, WEIGHTS_RECORDS

PICTURE = ROOT / "docs" / "images" / "board.png"
NAMES = {"primary": "your task alone", "multitask": "everything borrowed", "encoder-all": "the best simple baseline"}
COLORS = {"primary": "#8a8f98", "multitask": "#2f6fde", "encoder-all": "#d9822b"}
ARCHIVES = ("noisy", "stale", "clean")
_BARS = {10: "#2f6fde", 50: "#a9c4f5"}
"""Colours of bars, by the number of dialogs."""


def records() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What :func:`draw` is given, as committed."""
    return json.loads(ARCHIVE_RECORD.read_text()), [json.loads(path.read_text()) for path in WEIGHTS_RECORDS]


def draw(board: Mapping[str, Any], weights: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw accuracy over dialogs, and what weights add in each archive.

    Args:
        board: ``archive.json`` of actions in a clean archive, with several sizes.
        weights: ``archive.json`` of ranked responses and of actions, with `learned`, in all archives.
        path: of the picture.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"font.size": 11, "axes.spines.top": False, "axes.spines.right": False})
    figure, (left, *right) = plt.subplots(1, 3, figsize=(13, 4), layout="constrained", width_ratios=(1.25, 1, 1))
    _curves(left, board["means"])
    for axis, record in zip(right, weights, strict=True):
        _gains(axis, record["means"])
    low = min(axis.get_ylim()[0] for axis in right)
    for axis in right:
        axis.set_ylim(low, max(one.get_ylim()[1] for one in right))
    figure.savefig(path, dpi=130, metadata={"Software": None})
    plt.close(figure)


def _curves(axis: Any, means: Sequence[Mapping[str, Any]]) -> None:
    for method in (name for name in NAMES if name in shown(means)):
        mine = [mean for mean in means if mean["method"] == method]
        sizes, reached = [mean["size"] for mean in mine], [mean["mean"] for mean in mine]
        spread = [mean["sd"] or 0.0 for mean in mine]
        axis.errorbar(sizes, reached, spread, marker="o", capsize=3, color=COLORS[method], label=NAMES[method])
    alone = {mean["size"]: mean["mean"] for mean in means if mean["method"] == "primary"}
    most = max(alone)
    axis.axhline(alone[most], color=COLORS["primary"], linewidth=0.8, linestyle=":")
    axis.annotate(f"{most} dialogs alone", (min(alone), alone[most] + 0.15), color="#5f646d", fontsize=10)
    axis.set(xscale="log", xticks=sorted(alone), xticklabels=sorted(alone), xlabel="dialogs of the new task")
    axis.minorticks_off()
    axis.set_title("Actions: accuracy, %", loc="left")
    axis.legend(frameon=False, loc="lower right")


def _gains(axis: Any, means: Sequence[Mapping[str, Any]]) -> None:
    axis.axhline(0, color="black", linewidth=0.8)
    learned = {(mean["archive"], mean["size"]): mean for mean in means if mean["method"] == "learned"}
    for number, (size, color) in enumerate(_BARS.items()):
        here = [learned[archive, size] for archive in ARCHIVES]
        places = [place + 0.4 * (number - 0.5) for place in range(len(ARCHIVES))]
        gains, ends = [mean["minus_multitask"] for mean in here], [mean["ci95"]["minus_multitask"] for mean in here]
        errors = [[gain - end[0] for gain, end in zip(gains, ends, strict=True)]]
        errors += [[end[1] - gain for gain, end in zip(gains, ends, strict=True)]]
        axis.bar(places, gains, 0.36, yerr=errors, color=color, capsize=3, label=f"{size} dialogs")
    axis.set_xticks(range(len(ARCHIVES)), [f"{archive} archive" for archive in ARCHIVES])
    axis.set_title(f"{means[0]['predict'].capitalize()}: gain of weights, points", loc="left")
    axis.legend(frameon=False, loc="upper right")


if __name__ == "__main__":
    draw(*records(), PICTURE)
