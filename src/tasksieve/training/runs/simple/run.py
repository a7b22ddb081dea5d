"""A whole run by a simple method: read, fit, keep in the run folder, measure later."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from tasksieve.dialogs import Dialog
from tasksieve.encoding import Candidates, Coverage, Reading, Vocabulary, bag_of, responses_of
from tasksieve.errors import UserError
from tasksieve.records.config import RunConfig
from tasksieve.records.files import read_json, write_text
from tasksieve.records.measures import RANKING, VALID_AMONG
from tasksieve.records.run_folder import RunFolder
from tasksieve.records.said_once import SAID_ONCE
from tasksieve.training.loop.method import Method
from tasksieve.training.loop.tensor_files import read_tensors, write_tensors
from tasksieve.training.methods import method_named
from tasksieve.training.methods.simple import SimpleMethod
from tasksieve.training.runs.archives import is_large
from tasksieve.training.runs.encoding import Encoding
from tasksieve.training.runs.lacking import left_out_of, told_left_out
from tasksieve.training.runs.measured import measure_of
from tasksieve.training.runs.predictions import SCHEMA, distractors_of, turn_row
from tasksieve.training.runs.read_files import read_files
from tasksieve.training.runs.simple.answers import classified, ranked, selection
from tasksieve.training.runs.simple.choosing import MOST_AS_WORDS, MOST_LABELS, MOST_RELATED, fit_classifier
from tasksieve.training.runs.simple.classifier import Classifier, Features
from tasksieve.training.runs.simple.contexts import SeenTurn, seen_turns
from tasksieve.training.runs.simple.ranker import QUERIES, Ranker
from tasksieve.training.runs.simple.texts import Terms
from tasksieve.training.runs.simple.vectors import sentence_vectors
from tasksieve.training.runs.task_readings import PRIMARY_HEAD, read_tasks

_log = logging.getLogger("tasksieve")
_TERMS = "simple.json"


@dataclass(frozen=True, slots=True)
class SimpleModel:
    """A simple method, fitted.

    Attributes:
        encoding: how dialogs are read, and the responses or actions to choose among.
        ranker: ranks responses; None for a classifier.
        features, classifier: of a classifier.
    """

    encoding: Encoding
    ranker: Ranker | None = None
    features: Features | None = None
    classifier: Classifier | None = None

    @property
    def candidates(self) -> Candidates:
        """What is chosen among."""
        return self.encoding.candidates[PRIMARY_HEAD]

    def predict(
        self, dialogs: Sequence[Dialog], others: Sequence[Sequence[str]] = ()
    ) -> tuple[pl.DataFrame, Coverage]:
        """What it says at every turn of dialogs, as a trained model's predictions.

        Args:
            dialogs: of the primary task.
            others: responses of other services; the right response is ranked among theirs too.
        """
        reader = self.encoding.reader
        readings = reader.read(dialogs)
        return self.predict_seen(seen_turns(dialogs, readings, self.encoding.max_memories), readings, others)

    def predict_seen(
        self, turns: Sequence[SeenTurn], readings: Sequence[Reading], others: Sequence[Sequence[str]] = ()
    ) -> tuple[pl.DataFrame, Coverage]:
        """The same of turns that were seen already."""
        if not turns:
            raise UserError("no dialog has a turn to measure on")
        if self.ranker is not None:
            answers = ranked(self.ranker, self.candidates, turns)
        else:
            assert self.features is not None and self.classifier is not None
            logits = self.classifier.logits(self.features.rows([turn.context for turn in turns]))
            answers = classified(logits, self.candidates, turns)
        what = self.encoding.reader.predict
        rows = [
            turn_row(readings[turn.example.dialog], turn.example, what, said, rank)
            for turn, (said, rank) in zip(turns, answers, strict=True)
        ]
        frame = pl.DataFrame(rows, schema=SCHEMA)
        if self.ranker is not None:
            drawn = distractors_of([turn.example for turn in turns], readings, others)
            frame = frame.hstack([c for name in drawn for c in selection(self.ranker, turns, name, drawn[name])])
        unseen = sum(self.candidates.number(self._right(turn)) < 0 for turn in turns)
        return frame, Coverage(len(turns), unseen, 0, 0)

    def _right(self, turn: SeenTurn) -> str:
        return turn.turn.response if self.ranker is None else turn.example.system

    def write(self, folder: RunFolder, config: RunConfig) -> None:
        """Keep it in a run folder: words as JSON, numbers as safetensors."""
        self.encoding.write(folder.encoding)
        parts = self.features.terms if self.features else {"": self.ranker.terms if self.ranker else None}
        known = {view: terms for view, terms in parts.items() if terms is not None}
        value = {
            "query": self.ranker.query if self.ranker else None,
            "views": {
                view: {"terms": t.terms, "texts": t.texts, "words": t.words, "pairs": t.pairs}
                for view, t in known.items()
            },
        }
        write_text(folder.path / _TERMS, json.dumps(value, ensure_ascii=False) + "\n")
        tensors = {f"holders.{view}": torch.tensor(terms.holders) for view, terms in known.items() if terms.terms}
        if self.classifier is not None:
            tensors |= {
                "weights": torch.tensor(self.classifier.weights, dtype=torch.float32),
                "bias": torch.tensor(self.classifier.bias, dtype=torch.float32),
            }
        write_tensors(folder.best_checkpoint, tensors, {"method": config.training.method}, "model")

    @classmethod
    def read(cls, path: Path | str) -> SimpleModel:
        """Read what :meth:`write` wrote. Raises: UserError: if it is missing or damaged."""
        folder = RunFolder(Path(path))
        config = folder.read_config()
        method = method_named(config.training.method)
        assert isinstance(method, SimpleMethod)
        encoding, file = Encoding.read(folder.encoding, "cpu"), folder.path / _TERMS
        tensors, _ = read_tensors(folder.best_checkpoint)
        value = read_json(file)
        try:
            terms = {
                view: Terms(tuple(v["terms"]), _holders(tensors, view), v["texts"], v["words"], v["pairs"])
                for view, v in value["views"].items()
            }
            vectors = sentence_vectors(config) if method.sees == "encoder" else None
            if not method.classifies:
                return cls(encoding, Ranker(method.sees, terms.get(""), vectors, value["query"]))
            classifier = Classifier(tensors["weights"].double().numpy(), tensors["bias"].double().numpy())
        except (KeyError, TypeError, AttributeError) as error:
            raise UserError(f"is not what a simple method leaves ({error!r}); train again", file) from None
        return cls(encoding, None, Features(terms, vectors), classifier)


def fit(config: RunConfig, method: Method, folder: RunFolder) -> dict[str, Any]:
    """Fit a simple method and keep it in a run folder.

    Returns: what ``result.json`` says of it: size, validation, settings.
    Raises: UserError: if files cannot be read, or the method does not suit what is predicted.
    """
    assert isinstance(method, SimpleMethod)
    data = config.data
    if not method.borrows and is_large(config):
        data = data.model_copy(update={"related": ()})
    read = read_files(data)
    measure, what = measure_of(config, read), read.prediction.what
    check_suits(method, measure)
    (reader, primary), (_, valid), *related = read_tasks(config, read, measure)
    left_out = told_left_out(left_out_of(config.data, read))
    most = config.model.max_memories
    own, held_out = seen_turns(read.primary, primary, most), seen_turns(read.valid, valid, most)
    if not own or not held_out:
        raise UserError("no dialog has a response to learn from: all of them have weight 0")
    vectors = sentence_vectors(config) if method.sees == "encoder" else None
    settings: dict[str, Any]
    if method.classifies:
        borrowed: list[SeenTurn] = []
        if method.borrows:
            for dialogs, (_, readings) in zip(read.related, related, strict=True):
                borrowed += seen_turns(dialogs, readings, most)
            most_related = MOST_AS_WORDS if vectors is None else MOST_RELATED
            borrowed = _drawn(borrowed, config.training.seed, most_related)
        of_its_own = responses_of(primary, valid)
        labels = [*of_its_own, *_labels(of_its_own, borrowed)]
        encoding = Encoding(_NO_WORDS, {PRIMARY_HEAD: _candidates(labels, reader)}, most, reader)
        model, settings = _classifier(encoding, len(of_its_own), (own, borrowed), held_out, vectors)
    else:
        texts = [turn.example.system for turn in [*own, *held_out]]
        encoding = Encoding(_NO_WORDS, {PRIMARY_HEAD: Candidates(sorted(set(texts)), _NO_WORDS)}, most, reader)
        ranker = Ranker.of(method.sees, [turn.example.system for turn in own], vectors)
        model = max(
            (SimpleModel(encoding, ranker.looking_for(query)) for query in QUERIES),
            key=lambda one: _value(one, held_out, valid, measure),
        )
        assert model.ranker is not None
        settings = {"query": model.ranker.query}
    model.write(folder, config)
    judged = [turn.example for turn in held_out]
    ranked_among = {VALID_AMONG: distractors_of(judged, valid)[""].fewest} if measure == RANKING else {}
    return {
        "predict": what,
        "measure": measure,
        "size": len(primary),
        "coverage": {"valid_ceiling": model.predict_seen(held_out, valid)[1].ceiling},
        "valid_accuracy": _value(model, held_out, valid, measure),
        "settings": settings,
        **ranked_among,
        **({"left_out": [asdict(one) for one in left_out]} if left_out else {}),
    }


def check_suits(method: Method, measure: str) -> None:
    """Raise UserError if a method cannot be judged by a measure."""
    if not isinstance(method, SimpleMethod):
        return
    if method.classifies and measure == RANKING:
        what = "learns responses that repeat, and here each one is said once"
        raise UserError(f"method '{method.name}' {what}; use bm25 or cosine, or predict actions (--predict actions)")
    if not method.classifies and measure.endswith("actions"):
        raise UserError(f"method '{method.name}' ranks responses, and actions are predicted; use tfidf")


_NO_WORDS = Vocabulary(())


def _holders(tensors: dict[str, torch.Tensor], view: str) -> Any:
    """How many texts have each term; a view without terms has nothing in the file."""
    name = f"holders.{view}"
    return tensors[name].numpy() if name in tensors else np.zeros(0)


def _candidates(labels: Sequence[str], reader: Any) -> Candidates:
    return Candidates(labels, _NO_WORDS, "cpu", frozenset() if reader.names is None else reader.names.gaps())


def _drawn(turns: list[SeenTurn], seed: int, most: int) -> list[SeenTurn]:
    """At most so many of the related turns, in an order drawn by the seed."""
    order = np.random.default_rng(seed).permutation(len(turns))
    if len(turns) > most:
        _log.info("%s of %s related turns are learned from", f"{most:,}", f"{len(turns):,}", extra=SAID_ONCE)
    return [turns[number] for number in order[:most]]


def _labels(known: Sequence[str], related: Sequence[SeenTurn]) -> list[str]:
    """The commonest labels of those that related tasks alone have; known ones and their twins are none."""
    bags = set(map(bag_of, known))
    others = Counter(turn.turn.response for turn in related)
    common = [label for label, _ in others.most_common() if bag_of(label) not in bags]
    return sorted(common[:MOST_LABELS])


def _classifier(
    encoding: Encoding,
    own_labels: int,
    learned: tuple[Sequence[SeenTurn], Sequence[SeenTurn]],
    held_out: Sequence[SeenTurn],
    vectors: Any,
) -> tuple[SimpleModel, dict[str, Any]]:
    """Fit a classifier to primary and related turns; the primary task's labels come first."""
    own, related = learned
    candidates = encoding.candidates[PRIMARY_HEAD]
    numbers = [[candidates.number(turn.turn.response) for turn in part] for part in (own, related)]
    borrowed = [turn for turn, number in zip(related, numbers[1], strict=True) if number >= 0]
    examples = [
        (
            [turn.context for turn in part],
            np.array([number for number in those if number >= 0], dtype=np.int64),
            np.array([turn.turn.learned for turn in part], dtype=np.float64),
        )
        for part, those in zip((own, borrowed), numbers, strict=True)
    ]

    def judge(logits: Any) -> float:
        return float(np.mean([rank == 1 for _, rank in classified(logits, candidates, held_out)]))

    features, classifier, settings = fit_classifier(
        examples[0], examples[1], [turn.context for turn in held_out], judge, (own_labels, len(candidates)), vectors
    )
    return SimpleModel(encoding, None, features, classifier), {**settings, "related_turns": len(borrowed)}


def _value(model: SimpleModel, turns: Sequence[SeenTurn], readings: Sequence[Reading], measure: str) -> float:
    frame, _ = model.predict_seen(turns, readings)
    right = frame["rank_100"] == 1 if measure == RANKING else frame["hit"]
    return 100.0 * float(right.sum()) / len(frame)
