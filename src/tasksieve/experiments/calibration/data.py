"""The files of a calibration: each draw's own dialogs, and its archives, written by whoever needs them first.

::

    data/draw-0/train.jsonl, valid.jsonl, test.jsonl
    data/draw-0/near/SERVICE.jsonl
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tasksieve.dialogs import Dialog
from tasksieve.dialogs.formats.chat import write_chat
from tasksieve.experiments.calibration.archives import PLANTED, primary_dialogs, services_of
from tasksieve.records.files import write_whole


@dataclass(frozen=True, slots=True)
class Numbers:
    """How many dialogs a draw has.

    Attributes:
        train, valid: of the primary task.
        judging: test dialogs that the verdict is from.
        truth: further test dialogs that tell whether it is right.
        archive: about so many related ones.
    """

    train: int = 10
    valid: int = 10
    judging: int = 50
    truth: int = 200
    archive: int = 150


@dataclass(frozen=True, slots=True)
class DrawData:
    """The files of one draw.

    Attributes:
        folder: of the calibration's data.
        draw: its number, from which everything drawn follows.
        numbers: how many dialogs.
    """

    folder: Path
    draw: int
    numbers: Numbers

    def split(self, name: str) -> Path:
        """The file of ``train``, ``valid`` or ``test``: the judging dialogs, then those for the truth."""
        return self._own / f"{name}.jsonl"

    def related(self, archive: str) -> tuple[Path, ...]:
        """The files of an archive."""
        return tuple(self._own / archive / f"{service}.jsonl" for service in services_of(archive))

    def write(self, archive: str | None) -> None:
        """Write what is missing of the draw's own dialogs, and of an archive. Two who do it write the same."""
        numbers = self.numbers
        if not all(self.split(name).exists() for name in ("train", "valid", "test")):
            test = numbers.judging + numbers.truth
            own = primary_dialogs(numbers.train, numbers.valid, test, self.draw)
            _write(own, {name: self.split(name) for name in own})
        if archive is not None and not all(path.exists() for path in self.related(archive)):
            made = PLANTED[archive].make(numbers.archive, self.draw)
            _write(made, dict(zip(services_of(archive), self.related(archive), strict=True)))

    @property
    def _own(self) -> Path:
        return self.folder / f"draw-{self.draw}"


def _write(dialogs: Mapping[str, Sequence[Dialog]], paths: Mapping[str, Path]) -> None:
    for name, path in paths.items():
        write_whole(path, partial(write_chat, dialogs[name]))
