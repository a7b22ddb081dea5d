"""Predictions turn by turn: the table that all measures of a test come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from jaxtyping import Float
from torch import Tensor

from tasksieve.dialogs import Dialog
from tasksieve.encoding import Candidates, EncodedTask, Example, Reading, chunks
from tasksieve.errors import UserError
from tasksieve.models import DialogModel
from tasksieve.records.files import write_whole
from tasksieve.records.model_config import Predicted
from tasksieve.records.tables import write_table
from tasksieve.training.runs.answers import Answer
from tasksieve.training.runs.encoding import Encoding
from tasksieve.training.runs.evaluation import UNANSWERABLE, ranks
from tasksieve.training.runs.in_use import in_use
from tasksieve.training.runs.selection import SIZES, Distractors, Ranking, selection_ranks
from tasksieve.training.runs.task_readings import PRIMARY_HEAD

PREDICTIONS = "predictions.parquet"
"""The file in a run folder."""
SCHEMA: dict[str, Any] = {
    "dialog": pl.Int32,
    "turn": pl.Int32,
    "kind": pl.String,
    "user": pl.String,
    "right": pl.String,
    "predicted": pl.String,
    "score": pl.Float32,
    "probability": pl.Float32,
    "rank": pl.Int32,
    "hit": pl.Boolean,
}
"""The columns of all predictions; ``rank`` is null where the right one is no candidate. There may be more, those of
:func:`selection_columns`: ``rank_100`` with ``among_100``, the number of responses ranked, and so on."""
_CHUNK = 256


@dataclass(frozen=True, slots=True)
class Said:
    """The best response or action to a turn.

    Attributes:
        text: of the candidate, which may be a template.
        entity: the number of the entity that it names, -1 for none.
        score, probability: of it, among all that could be said.
    """

    text: str
    entity: int
    score: float
    probability: float


_ENDINGS = {".parquet": "write_parquet", ".csv": "write_csv", ".jsonl": "write_ndjson"}


def predict(
    model: DialogModel,
    encoding: Encoding,
    readings: Sequence[Reading],
    task: EncodedTask,
    distractors: Mapping[str, Distractors],
) -> pl.DataFrame:
    """What a model says at every turn, as :data:`SCHEMA`.

    Args:
        model: of the run.
        encoding: of the run.
        readings: dialogs.
        task: the same, encoded.
        distractors: by the ending of their columns, "" for those of the same service; see :func:`distractors_of`.
    """
    rows: list[dict[str, Any]] = []
    candidates = encoding.candidates[PRIMARY_HEAD]
    with in_use(model):
        for numbers in chunks(task, _CHUNK):
            batch = task.batch(numbers)
            scores, targets = model.responses(batch)
            most = 0 if batch.entities is None else batch.entities.most
            said = _said(scores, candidates, most)
            for number, rank, best in zip(numbers.tolist(), ranks(scores, targets).tolist(), said, strict=True):
                example = task.examples[number]
                rows.append(turn_row(readings[example.dialog], example, encoding.reader.predict, best, rank))
    frame = pl.DataFrame(rows, schema=SCHEMA)
    for name, drawn in distractors.items():
        found = Ranking(encoding, readings, task, drawn).scores(model)
        frame = frame.hstack(selection_columns(name, found, drawn))
    return frame


def selection_columns(name: str, scores: Float[Tensor, "examples most"], drawn: Distractors) -> list[pl.Series]:
    """The columns of ranks among distractors, and of how many responses were ranked.

    Args:
        name: the ending of the columns: "" or "_random" for drawn ones, "_given" for those that the data give.
        scores: of the right response, then of its distractors.
        drawn: those distractors.
    """
    columns = []
    for size in [scores.shape[1]] if name == "_given" else SIZES:
        label = name if name == "_given" else f"_{size}{name}"
        among = [1 + min(len(those), size - 1) for those in drawn.drawn]
        columns.append(pl.Series(f"rank{label}", selection_ranks(scores, size).tolist(), dtype=pl.Int32))
        columns.append(pl.Series(f"among{label}", among, dtype=pl.Int32))
    return columns


def distractors_of(
    examples: Sequence[Example], readings: Sequence[Reading], others: Sequence[Sequence[str]] = ()
) -> dict[str, Distractors]:
    """What the right responses are ranked among, by the ending of their columns.

    Args:
        examples: the turns of test dialogs of one service.
        readings: these dialogs.
        others: the responses of other services' test dialogs, if there are any to draw from.
    """
    right = [example.system for example in examples]
    found = {"": Distractors.draw(right, right)}
    if others:
        found["_random"] = Distractors.draw(right, [*right, *(text for texts in others for text in texts)])
    given = [readings[e.dialog].turns[e.turn].said.candidates for e in examples]
    if any(given):
        found["_given"] = Distractors.given(right, given)
    return found


def with_answers(frame: pl.DataFrame, answers: Mapping[tuple[int, int], Answer | None]) -> pl.DataFrame:
    """Predictions with what was said at each turn: columns ``answer`` and ``certainty``, null for nothing.

    Args:
        frame: as :func:`predict` gives it.
        answers: by dialog and turn.
    """
    said = [answers.get(key) for key in frame.select("dialog", "turn").iter_rows()]
    return frame.with_columns(
        pl.Series("answer", [None if one is None else one.text for one in said], dtype=pl.String),
        pl.Series("certainty", [None if one is None else one.certainty for one in said], dtype=pl.Float32),
    )


def responses_said(dialogs: Sequence[Dialog]) -> list[str]:
    """The responses to learn from in dialogs."""
    return [turn.system for dialog in dialogs for turn in dialog.turns if turn.learned]


def write_predictions(path: Path, frame: pl.DataFrame) -> None:
    """Write predictions whole, as Parquet, CSV or JSON lines by the file's ending.

    Raises: UserError: if it has another ending, or the disk does not take it.
    """
    check_ending(path)
    if path.suffix == ".parquet":
        write_table(path, frame)
    else:
        write_whole(path, getattr(frame, _ENDINGS[path.suffix]))


def check_ending(path: Path) -> None:
    """Raise UserError if no predictions can be written to a file of this name."""
    if path.suffix not in _ENDINGS:
        raise UserError(f"ends in '{path.suffix}'; expected {', '.join(_ENDINGS)}", path)


def _said(scores: Float[Tensor, "batch responses"], candidates: Candidates, most: int) -> list[Said]:
    """The best response of each example."""
    best = scores.max(dim=1)
    shares = (best.values - scores.logsumexp(dim=1)).exp().nan_to_num(0.0)
    gaps, found = candidates.gaps.tolist(), []
    for column, score, share in zip(best.indices.tolist(), best.values.tolist(), shares.tolist(), strict=True):
        number, entity = column, -1
        if column >= len(candidates):
            place, entity = divmod(column - len(candidates), most)
            number = gaps[place]
        possible = score > float("-inf")
        found.append(Said(candidates.texts[number] if possible else "", entity, score, share))
    return found


def turn_row(reading: Reading, example: Example, what: Predicted, said: Said, rank: int) -> dict[str, Any]:
    """A row of predictions.

    Args:
        reading: the dialog.
        example: the turn.
        what: is predicted.
        said: the best response or action.
        rank: of the right one; :data:`UNANSWERABLE` if it is no candidate.
    """
    turn = reading.turns[example.turn]
    text = said.text if said.entity < 0 else reading.entities.filled(said.text, said.entity) or said.text
    return {
        "dialog": example.dialog,
        "turn": example.turn,
        "kind": example.kind,
        "user": turn.said.user,
        "right": turn.said.system if what == "responses" else turn.response,
        "predicted": text,
        "score": said.score,
        "probability": said.probability,
        "rank": rank if rank < UNANSWERABLE else None,
        "hit": rank == 1,
    }
