"""What turns dialogs into tensors, kept with a run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from tasksieve.dialogs import Dialog
from tasksieve.encoding import Candidates, EncodedTask, Names, Reader, Reading, Slots, Vocabulary
from tasksieve.encoding.actions import spelled
from tasksieve.encoding.candidates import CountedResponses
from tasksieve.encoding.sentences import CachedEncoder, Embed
from tasksieve.encoding.sentences.token_rows import TokenRows
from tasksieve.encoding.wordings import Wordings
from tasksieve.errors import UserError
from tasksieve.records.config import RunConfig
from tasksieve.records.files import read_json, write_text
from tasksieve.records.model_config import MOST_MEMORIES, SLOT_ACTS, Facts, Predicted, RankingConfig
from tasksieve.training.runs.encoders import encoder_kept, pieces_of
from tasksieve.training.runs.task_readings import PRIMARY_HEAD, gaps_of

AMONG = 64
"""So many responses each training example chooses among where they are ranked."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """What turns dialogs into tensors: kept with a run, so that its model can be used without its data.

    Attributes:
        vocabulary: numbers the words.
        candidates: what each head chooses among, by the head's name. Related responses that are ranked are only
            counted (:class:`~tasksieve.encoding.candidates.CountedResponses`), as theirs are drawn.
        max_memories: older memories are left out.
        reader: how dialogs of the primary task are read.
        related_names: which fields of records give names in each related task, as a record; the model does not need
            them.
        encoder: gives sentences dense vectors, if the model takes them.
        wordings: of the actions, if these are predicted; and the types of the gaps in them, or in the candidates.
        tuned: whether the model tunes how the encoder reads, and so needs word pieces.
    """

    vocabulary: Vocabulary
    candidates: dict[str, Candidates]
    max_memories: int
    reader: Reader
    related_names: tuple[Names, ...] = ()
    encoder: CachedEncoder | TokenRows | None = None
    wordings: Wordings = field(default_factory=Wordings)
    tuned: bool = False

    @property
    def vectors(self) -> Embed | None:
        """What gives sentences dense vectors; None for none."""
        return None if self.encoder is None else self.encoder.embed

    @property
    def pieces(self) -> Embed | None:
        """What gives sentences their word pieces; None for none."""
        return pieces_of(self.encoder.name) if self.tuned and self.encoder is not None else None

    def encode(
        self,
        readings: Sequence[Reading],
        head: str = PRIMARY_HEAD,
        tasks: Sequence[int] | None = None,
        *,
        to_learn: bool = False,
        beside: Sequence[str] | None = None,
    ) -> EncodedTask:
        """Encode dialogs that were read for a head.

        Args:
            readings: of the dialogs.
            head: what chooses.
            tasks: those of the dialogs, if they are of several.
            to_learn: whether to learn from them; responses as they were written are told from some others then.
            beside: responses of other tasks that are chosen among, too, where heads are shared; None where they are
                not.
        """
        candidates = self.candidates[head]
        device = candidates.table.device
        return EncodedTask(
            readings,
            self.vocabulary,
            candidates,
            head=head,
            max_memories=self.max_memories,
            device=device,
            vectors=self.vectors,
            pieces=self.pieces,
            tasks=tasks,
            among=AMONG if to_learn and self.reader.written else 0,
            beside=beside,
        )

    def encode_dialogs(self, dialogs: Sequence[Dialog]) -> EncodedTask:
        """Read and encode dialogs of the primary task."""
        return self.encode(self.reader.read(dialogs))

    def write(self, path: Path) -> None:
        """Write the encoding as JSON, without what is only counted."""
        said = [(head, one) for head, one in self.candidates.items() if not isinstance(one, CountedResponses)]
        texts = {head: candidates.texts for head, candidates in said}
        names = None if self.reader.names is None else self.reader.names.plain()
        tuned = {"tuned": True} if self.tuned else {}
        arguments = self.wordings.arguments.plain()
        encoder = self.encoder and {"name": self.encoder.name, "digest": self.encoder.digest, **tuned}
        value = {
            "max_memories": self.max_memories,
            "facts": self.reader.facts,
            "encoder": encoder,
            "predict": self.reader.predict,
            "slot_acts": self.reader.slot_acts,
            "written": self.reader.written,
            "names": names,
            "slots": None if self.reader.slots is None else self.reader.slots.plain(),
            "related_names": [found.plain() for found in self.related_names],
            "words": self.vocabulary.words,
            "candidates": texts,
            "wordings": self.wordings.plain(),
            **({"arguments": arguments} if arguments else {}),
            "types": self.wordings.types.plain(),
        }
        write_text(path, json.dumps(value, ensure_ascii=False) + "\n")

    @classmethod
    def read(cls, path: Path, device: str) -> Encoding:
        """Read what :meth:`write` wrote. Raises: UserError: if the file is missing or not of this form."""
        value = read_json(path)
        try:
            memories = value["max_memories"]
            if not isinstance(memories, int) or not 1 <= memories <= MOST_MEMORIES:
                raise ValueError(f"max_memories: found {str(memories)[:80]}; expected 1 to {MOST_MEMORIES}")
            facts = value.get("facts", "all")
            if facts not in get_args(Facts):
                raise ValueError(f"facts: found {str(facts)[:80]}; expected {', '.join(get_args(Facts))}")
            told = value.get("names", value.get("naming"))  # the second in older versions
            names = None if told is None else Names.read(told)
            related = tuple(map(Names.read, value.get("related_names", [])))
            vocabulary = Vocabulary(value["words"])
            gaps = gaps_of([names, *related])
            texts = value["candidates"].items()
            predict = value.get("predict", "responses")
            if predict not in get_args(Predicted):
                raise ValueError(f"predict: found {str(predict)[:80]}; expected {', '.join(get_args(Predicted))}")
            slot_acts = tuple(map(str, value.get("slot_acts", SLOT_ACTS)))
            told_slots = value.get("slots")
            slots = None if told_slots is None else Slots.read(told_slots)
            reader = Reader(facts, names, predict, slot_acts, slots, value.get("written") is True)
            encoder = encoder_kept(value.get("encoder"), path)
            tuned = (value.get("encoder") or {}).get("tuned") is True
            candidates = {
                head: candidates_of(list_, vocabulary, device, gaps, reader, encoder) for head, list_ in texts
            }
            known = (
                value.get(name, nothing) for name, nothing in (("wordings", ()), ("arguments", ()), ("types", None))
            )
            wordings = Wordings.read(*known)  # older runs have none
            return cls(vocabulary, candidates, memories, reader, related, encoder, wordings, tuned)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise UserError(f"is not a run's encoding ({error!r}); train again", path) from None


def candidates_of(
    texts: Sequence[str],
    vocabulary: Vocabulary,
    device: str,
    gaps: frozenset[str],
    reader: Reader,
    encoder: CachedEncoder | TokenRows | None,
) -> Candidates:
    """What a head chooses among.

    Args:
        texts: the responses or actions, in the order of their numbers.
        vocabulary: numbers their words.
        device: where the tensors live.
        gaps: names of gaps that may stand in them.
        reader: of the dialogs; actions are spelled out.
        encoder: gives them dense vectors; None for none.
    """
    vectors = None if encoder is None else encoder.embed
    return Candidates(texts, vocabulary, device, gaps, vectors, spelled if reader.predict == "actions" else str)


def only_counts(config: RunConfig, reader: Reader) -> bool:
    """Whether a run's related responses tell how rare words are and are never said by themselves.

    That is so where a model that ranks reads all as it was written: what its examples choose among is drawn, and how
    rare words are stands in its checkpoints.

    Args:
        config: of the run.
        reader: of its dialogs.
    """
    return reader.written and isinstance(config.model, RankingConfig)
