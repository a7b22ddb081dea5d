"""The record of turns that look wrongly answered: ``suspicious.parquet`` in a run folder."""

from __future__ import annotations

from typing import Any

import polars as pl

NAME = "suspicious.parquet"
PRIMARY, VALID, RELATED = "primary", "validation", "related"
SCHEMA: dict[str, Any] = {
    "score": pl.Float64,
    "part": pl.String,
    "service": pl.String,
    "file": pl.String,
    "line": pl.Int32,
    "dialog": pl.Int32,
    "turn": pl.Int32,
    "kind": pl.String,
    "before": pl.String,
    "user": pl.String,
    "response": pl.String,
    "expected": pl.String,
    "reason": pl.String,
    "weight": pl.Float64,
}
"""Its columns, a row a turn, the most suspicious first.

``score`` is in standard deviations of the turn's service; ``part`` is one of primary, validation and related, and
``service`` the name of a related task. ``line`` is where the dialog starts in its file, null where that has no lines;
``dialog`` and ``turn`` are counted from 0. ``before`` is the system's response before the user's utterance,
``expected`` what other dialogs let expect: an action, or a response of another turn. ``weight`` is null where the run
gave none.
"""
