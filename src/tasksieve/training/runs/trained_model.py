"""A trained model at work: on a test set, or on a dialog that is going on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import torch
from jaxtyping import Float
from torch import Tensor

from tasksieve.dialogs import Act, Dialog, Note, Record, Turn
from tasksieve.dialogs.formats import dialog_file, read_dialogs
from tasksieve.dialogs.formats.split_names import split_meant
from tasksieve.encoding import Batch, Coverage, Reading, Slots
from tasksieve.encoding.offers import offered
from tasksieve.encoding.sentences.cache import CachedEncoder
from tasksieve.errors import UserError
from tasksieve.models import DialogModel
from tasksieve.records.changed_files import digests_differ
from tasksieve.records.parted_paths import data_sha256, with_part
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.state import load_module
from tasksieve.training.loop.tensor_files import read_tensors
from tasksieve.training.methods import method_named
from tasksieve.training.runs.answers import Answer, best_answers, or_fallback, ranked, worded_actions
from tasksieve.training.runs.called import called
from tasksieve.training.runs.dialogs import build_model
from tasksieve.training.runs.encoding import Encoding
from tasksieve.training.runs.fallback import Fallback
from tasksieve.training.runs.foreign import answered, foreign_among
from tasksieve.training.runs.lacking import not_measured
from tasksieve.training.runs.measures import summary
from tasksieve.training.runs.predictions import (
    check_ending,
    distractors_of,
    predict,
    responses_said,
    with_answers,
    write_predictions,
)
from tasksieve.training.runs.read_files import data_files, read_test, require_files
from tasksieve.training.runs.simple import SimpleModel
from tasksieve.training.runs.task_readings import PRIMARY_HEAD
from tasksieve.training.runs.worded import due, worded

Event = Turn | Record | Note
"""What a dialog is made of."""


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """The best model of a run, with what it needs to read dialogs.

    Attributes:
        threshold: the probability below which an answer had better not be given; None if the run does not say.
        fallback_note: what to know before one relies on that, in a sentence; empty if there is nothing.
    """

    model: DialogModel
    encoding: Encoding
    threshold: float | None = None
    fallback_note: str = ""

    @classmethod
    def load(cls, path: Path | str, device: str = "cpu") -> TrainedModel:
        """Load from a run folder, without the run's data.

        Raises: UserError: if it is no run folder, or the run has no validated checkpoint yet.
        """
        folder = RunFolder(Path(path))
        config = folder.read_config()
        if _is_simple(path):
            what = f"was fitted by '{config.training.method}', a simple baseline, which is only measured"
            raise UserError(f"{what}; give the folder of another method's run", folder.path)
        tensors, _ = read_tensors(folder.best_checkpoint)
        encoding = Encoding.read(folder.encoding, device)
        model = build_model(config, len(encoding.vocabulary), encoding.candidates).to(device)
        load_module(model, tensors, "model.", folder.best_checkpoint)
        model.eval()
        found = Fallback.read(folder.read_record("result").get("fallback")) if folder.finished else None
        return cls(model, encoding) if found is None else cls(model, encoding, found.threshold, found.note)

    def falling_back_below(self, certainty: float | None) -> TrainedModel:
        """The same, but that an answer had better not be given below another certainty; None changes nothing."""
        return self if certainty is None else replace(self, threshold=certainty, fallback_note="")

    def warm_up(self) -> None:
        """Load what the first answer would wait for: a pretrained sentence encoder, if there is one."""
        if isinstance(self.encoding.encoder, CachedEncoder):
            self.encoding.encoder.fresh(["hello"])

    def check_fallback(self, text: str | None) -> None:
        """Raise UserError if a fallback is asked for and the run does not say when it is better than an answer."""
        if text is not None and self.threshold is None:
            raise UserError(
                "the run does not say below which probability to fall back, as it is of an older version or not "
                "finished; train again, give it with --fallback-below, or leave --fallback out"
            )

    def evaluate(self, dialogs: Sequence[Dialog]) -> dict[str, Any]:
        """All measures of :mod:`tasksieve.training.runs.measures` on dialogs."""
        frame, coverage = self.predict(dialogs)
        return summary(frame, coverage, self.encoding.reader.predict)

    def predict(
        self, dialogs: Sequence[Dialog], others: Sequence[Sequence[str]] = ()
    ) -> tuple[pl.DataFrame, Coverage]:
        """What the model says at every turn of dialogs, as :mod:`tasksieve.training.runs.predictions` has it.

        Args:
            dialogs: of the primary task.
            others: responses of other services; the right response is ranked among theirs too.
        """
        readings = self.encoding.reader.read(dialogs)
        task = self.encoding.encode(readings)
        drawn = {}
        if self.encoding.reader.predict == "responses":
            drawn = distractors_of(task.examples, readings, others)
        return predict(self.model, self.encoding, readings, task, drawn), task.coverage

    @torch.no_grad()
    def answer(
        self,
        events: Sequence[Event],
        user: str,
        *,
        profile: Sequence[str] = (),
        top: int = 5,
        fallback: str | None = None,
    ) -> list[Answer]:
        """The best candidate responses to an utterance, best first.

        Args:
            events: the dialog so far.
            user: what the user says now.
            profile: words that describe the user, if known.
            top: how many candidates to return.
            fallback: said before them where the best one is too uncertain; None for nothing.
        Raises: NothingToSay: if no response can be given, and there is no fallback.
        """
        batch, reading = self.waiting(events, user, profile)
        return or_fallback(lambda: self.respond(batch, reading, top), fallback, self.threshold)

    @torch.no_grad()
    def respond(self, batch: Batch, reading: Reading, top: int) -> list[Answer]:
        """The best responses at the last turn of a dialog: one that the model words itself first, if it may be said.

        A generated response is given where responses are as people wrote them, if it holds no value that the
        conversation does not hold; its score is its own, beside those of the known responses, with that of a known
        one which is the same text.

        Raises: NothingToSay: if none can be given.
        """
        scores = self.model.responses(batch)[0][0]
        worded = self.model.generated(batch) if self.encoding.reader.written else None
        text, score = worded[0] if worded else ("", 0.0)
        slots = self.encoding.reader.slots or Slots()
        if not text or slots.foreign(text, reading.held, filled=True):
            return self.best(scores, reading, top)
        candidates, types = self.encoding.candidates[PRIMARY_HEAD], self.encoding.wordings.types
        known = offered(candidates, reading.entities, reading.held, slots, types)
        scores = torch.cat([scores.new_tensor([score]), scores])
        return ranked(scores, [text, *known[: len(scores) - 1]], top, leads=True)

    def best(self, scores: Float[Tensor, " responses"], reading: Reading, top: int) -> list[Answer]:
        """The best responses that can be given at the last turn of a dialog, from the scores of all."""
        candidates, slots = self.encoding.candidates[PRIMARY_HEAD], self.encoding.reader.slots
        if self.encoding.reader.predict == "actions" and len(self.encoding.wordings):
            return worded_actions(
                scores,
                candidates.texts,
                lambda action: worded(self.encoding, action, reading),
                top,
                lambda text: self.encoding.wordings.likely(text, reading.held),
            )
        types = self.encoding.wordings.types
        return best_answers(scores, candidates, reading.entities, top, reading.held, slots, types)

    def waiting(self, events: Sequence[Event], user: str, profile: Sequence[str]) -> tuple[Batch, Reading]:
        """A dialog whose next response is due, as a batch of one, and as it was read; that turn is its last."""
        reading = self.encoding.reader.read_one(due(events, user, profile))
        task = self.encoding.encode([reading])
        return task.batch(torch.tensor([len(task) - 1], device=task.device)), reading


def acts_of_action(action: str) -> tuple[Act, ...]:
    """Acts that are read as an action again."""
    return tuple(Act(word) for word in action.split())


def evaluate_run(
    path: Path | str,
    data: Path | str | None = None,
    split: str | None = None,
    *,
    predictions: Path | None = None,
    others: Sequence[Path | str] = (),
    answers: bool = False,
    strict: bool = False,
) -> dict[str, Any]:
    """Measure a run's best model on dialogs.

    Args:
        path: the run folder.
        data: a file, or a directory with the split; None for the test dialogs of a run that drew its own.
        split: the one to take of a file or a directory; of a directory by default ``test``.
        predictions: where to write what was predicted at every turn, and with ``answers`` what was said: Parquet, CSV
            or JSON lines.
        others: the same of other services, for distractors from all of them.
        answers: whether to answer every turn, too, and to count the answers with somebody else's values, and the
            calls of tools with the right ones.
        strict: refuse turns without a response.
    Returns: the record ``test.json``.
    Raises: UserError: if the folder is not of a trained run, or a file cannot be read or written.
    """
    if predictions is not None:
        check_ending(predictions)
    file, dialogs, drawn = _test_dialogs(RunFolder(Path(path)), data, split, strict)
    if not _is_simple(path):
        trained: TrainedModel | SimpleModel = TrainedModel.load(path)
    elif answers:
        raise UserError("is of a simple baseline, which gives no answers; measure it without them", Path(path))
    else:
        trained = SimpleModel.read(path)
    left_out = not_measured(file, dialogs, trained.encoding.reader.predict)
    elsewhere = [responses_said(read_dialogs(_test_file(other, split), strict=strict)) for other in others]
    frame, coverage = trained.predict(dialogs, elsewhere)
    measured = summary(frame, coverage, trained.encoding.reader.predict)
    if isinstance(trained, TrainedModel) and answers:
        given = list(answered(trained, dialogs))
        measured["answers"] = asdict(foreign_among(given, trained.encoding.reader.slots))
        slots = trained.encoding.reader.slots or Slots()
        measured["calls"] = asdict(called(((one.turn.system, one.text) for one in given), slots.newest.written))
        frame = with_answers(frame, {(one.number, one.place): one.answer for one in given})
    if predictions is not None:
        write_predictions(predictions, frame)
    return {"data": str(file), "sha256": data_sha256(file), **drawn, **left_out, **measured}


def _is_simple(path: Path | str) -> bool:
    return method_named(RunFolder(Path(path)).read_config().training.method).simple


def _test_file(path: Path | str, split: str | None) -> Path:
    return dialog_file(with_part(Path(path), split), split_meant(split or "test"))


def _test_dialogs(
    folder: RunFolder, data: Path | str | None, split: str | None, strict: bool
) -> tuple[Path, list[Dialog], dict[str, Any]]:
    """The file, its test dialogs, and how they were drawn from it, if they were.

    Raises: UserError: if there are none to draw, or the file is not what the run was trained on.
    """
    if data is not None:
        file = _test_file(data, split)
        return file, read_dialogs(file, strict=strict), {}
    config = folder.read_config().data
    if config.split is None:
        raise UserError("was trained without --split, so it has no test dialogs; give some with --data", folder.path)
    require_files([data_files(config).primary], "run the command where it is, or give test dialogs with --data")
    file, dialogs = read_test(config)
    known, now = folder.read_record("environment", "data")["data"], data_sha256(file)
    before = known.get(str(file)) if isinstance(known, dict) else None
    if before != now:
        found = f"has changed since the run was trained on a part of it ({digests_differ(before, now)})"
        raise UserError(f"{found}; give it as it was, or other test dialogs with --data", file)
    return file, dialogs, {"split": config.split, "split_seed": config.split_seed}
