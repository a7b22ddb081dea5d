"""The pictures of a comparison or run as files beside its report."""

from __future__ import annotations

from pathlib import Path

from tasksieve.report.figures import learning_curves, save_figure, weight_histograms, weights_by_kind
from tasksieve.report.reading import read_comparison, read_runs, read_weights, run_to_show
from tasksieve.report.size_figures import accuracy_by_size
from tasksieve.report.weights import of_the_same_examples


def write_pictures(folder: Path) -> list[Path]:
    """Write ``pictures/*.png`` and ``.svg`` of a comparison: learning curves, accuracy by size if there are several,
    and the weights of the run that stands for it (:func:`tasksieve.report.reading.run_to_show`).

    Returns: the PNG files; those of weights are left out if no run recorded any.
    """
    comparison = read_comparison(folder)
    runs, _ = read_runs(folder, list(dict.fromkeys(row.method for row in comparison.rows)))
    figures = {"learning-curves": learning_curves(runs, comparison.measure)}
    if len({row.size for row in comparison.rows}) > 1:
        figures["accuracy-by-size"] = accuracy_by_size(comparison)
    shown = run_to_show(runs)
    if shown is not None:
        weights, examples = read_weights(shown)
        weights = of_the_same_examples(weights)
        figures["weight-histograms"] = weight_histograms(weights, examples)
        figures["weights-by-kind"] = weights_by_kind(weights, examples)
    return [save_figure(figure, folder / "pictures" / name)[0] for name, figure in figures.items()]
