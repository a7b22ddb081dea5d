"""What predictions are worth: the record ``test.json``, all in per cent.

=====================  =======================================================================================
``accuracy``           turns whose right response (or set of acts) ranks first
``per_dialog_accuracy``  dialogs in which all turns are right
``micro-F1``           of actions: F1 over all single acts of all turns
``macro-F1``           of actions: the mean of each act's F1, over the acts that are right or predicted somewhere
``R_N@k``              turns whose right response is among the first k of N, the others drawn from responses of the
                       same test dialogs; ``R_N@k random``: from all test dialogs given; ``R@k given``: those that the
                       data give
``MRR_N``              the mean of 1 divided by the right response's rank among N
=====================  =======================================================================================
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import polars as pl

from tasksieve.encoding import Coverage
from tasksieve.records.model_config import Predicted

HITS = (1, 5, 10)
FIRST = (1, 3)
"""Of the ranks among distractors."""


def summary(frame: pl.DataFrame, coverage: Coverage, predict: Predicted) -> dict[str, Any]:
    """All measures of a test: the record ``test.json`` without its source.

    Args:
        frame: predictions. With fewer than k candidates, hits@k counts every answerable turn.
        coverage: of the test dialogs.
        predict: what was predicted.
    """
    record: dict[str, Any] = {
        "predict": predict,
        "turns": len(frame),
        "dialogs": frame["dialog"].n_unique(),
        "accuracy": _share(frame["hit"]),
        "per_dialog_accuracy": _share(frame.group_by("dialog").agg(pl.col("hit").all())["hit"]),
        "hits": _hits(frame),
        "by_kind": {
            str(kind): {"turns": len(part), "hits": _hits(part)} for (kind,), part in sorted(_by_kind(frame).items())
        },
        "coverage": {
            "candidate_ceiling": coverage.ceiling,
            "unseen_responses": coverage.unseen_responses,
            "unknown_words": 100.0 * coverage.unknown_words / max(1, coverage.words),
        },
    }
    if predict == "actions":
        record["acts"] = act_scores(frame["right"].to_list(), frame["predicted"].to_list())
    selection = _selection(frame)
    if selection:
        record["selection"] = selection
    record["measures"] = _flat(record)
    record["by_dialog"] = _by_dialog(frame)
    return record


def act_scores(right: Sequence[str], predicted: Sequence[str]) -> dict[str, float]:
    """F1 over single acts, the words of a label, in per cent.

    Args:
        right: the label of each turn.
        predicted: what was predicted instead or as well.
    Returns: ``micro_f1`` over all acts together; ``macro_f1``, the mean over the acts that occur on either side.

    >>> act_scores(["inform offer", "goodbye"], ["offer", "goodbye"])
    {'micro_f1': 80.0, 'macro_f1': 66.66666666666667}
    """
    both, wanted, said = Counter[str](), Counter[str](), Counter[str]()
    for one, other in zip(right, predicted, strict=True):
        acts, found = set(one.split()), set(other.split())
        wanted.update(acts)
        said.update(found)
        both.update(acts & found)
    every = {act: 200.0 * both[act] / (wanted[act] + said[act]) for act in sorted(wanted.keys() | said.keys())}
    total = wanted.total() + said.total()
    micro = 200.0 * both.total() / total if total else 0.0
    return {"micro_f1": micro, "macro_f1": sum(every.values()) / len(every) if every else 0.0}


def _by_kind(frame: pl.DataFrame) -> dict[tuple[object, ...], pl.DataFrame]:
    return frame.partition_by("kind", as_dict=True)


def _hits(frame: pl.DataFrame) -> dict[str, float]:
    return {str(k): _share((frame["rank"] <= k).fill_null(False)) for k in HITS}


def _share(holds: pl.Series) -> float:
    """How many hold, in per cent."""
    return 100.0 * float(holds.sum()) / len(holds) if len(holds) else 0.0


def _selection(frame: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Measures among distractors, by the name they have in the flat record without ``@k``: ``R_100``."""
    found: dict[str, dict[str, Any]] = {}
    for column in frame.columns:
        if not column.startswith("rank_"):
            continue
        label, ranks, among = column.removeprefix("rank_"), frame[column], frame[f"among_{column[5:]}"]
        found[label] = {
            **{f"recall@{k}": _share(ranks <= k) for k in FIRST},
            "mrr": 100.0 * float((1.0 / ranks).mean()),  # type: ignore[arg-type]
            "fewest_ranked": int(among.min()),  # type: ignore[arg-type]
            "mean_ranked": float(among.mean()),  # type: ignore[arg-type]
        }
    return found


def _flat(record: dict[str, Any]) -> dict[str, float]:
    flat = {"accuracy": record["accuracy"], "per_dialog_accuracy": record["per_dialog_accuracy"]}
    flat |= {f"hits@{k}": record["hits"][str(k)] for k in HITS[1:]}
    if "acts" in record:
        flat |= {"micro-F1": record["acts"]["micro_f1"], "macro-F1": record["acts"]["macro_f1"]}
    for label, found in record.get("selection", {}).items():
        for k in FIRST:
            flat[measure_name(label, k)] = found[f"recall@{k}"]
        flat[mrr_name(label)] = found["mrr"]
    return flat


def measure_name(label: str, k: int) -> str:
    """How a share of right responses among the first k is called.

    >>> measure_name("100", 1), measure_name("20_random", 3), measure_name("given", 1)
    ('R_100@1', 'R_20@3 random', 'R@1 given')
    """
    size, _, source = label.rpartition("_") if label.endswith("_random") else (label, "", "")
    if label == "given":
        return f"R@{k} given"
    return f"R_{size}@{k} {source}".strip()


def mrr_name(label: str) -> str:
    """How a mean reciprocal rank is called."""
    if label == "given":
        return "MRR given"
    return f"MRR_{label.replace('_', ' ')}"


def _by_dialog(frame: pl.DataFrame) -> dict[str, list[int]]:
    """Turns of each dialog, and how many of them are right, for intervals over dialogs."""
    right = [pl.col("hit").sum().alias("accuracy")]
    if "rank_100" in frame.columns:
        right.append((pl.col("rank_100") == 1).sum().alias("R_100@1"))
    counted = frame.group_by("dialog", maintain_order=True).agg(pl.len().alias("turns"), *right)
    return {column: counted[column].to_list() for column in counted.columns}
