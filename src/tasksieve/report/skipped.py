"""How many meta-updates were left out, as their gradient was not finite, in words."""

from __future__ import annotations

from tasksieve.records.comparison import Comparison


def skipped_sentence(skipped: int, updates: int) -> str:
    """The counts of a run, or of several.

    >>> skipped_sentence(3, 1200)
    '3 of 1,200 meta-updates were skipped, as their gradient was not finite.'
    """
    return f"{skipped:,} of {updates:,} meta-updates were skipped, as their gradient was not finite."


def skipped_in(comparison: Comparison) -> list[str]:
    """A sentence for each row of a comparison in whose runs some were skipped."""
    several = len({row.size for row in comparison.rows}) > 1
    sentences = []
    for row in comparison.rows:
        skipped, updates = (sum(getattr(seed, name) for seed in row.seeds) for name in _COUNTS)
        if skipped:
            name = f"{row.method}, size {row.size}" if several else row.method
            sentences.append(f"{name}: {skipped_sentence(skipped, updates)}")
    return sentences


_COUNTS = ("meta_updates_skipped", "meta_updates")
