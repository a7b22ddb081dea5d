"""A dialog with a trained model that goes on turn by turn, and what may be told in it."""

from __future__ import annotations

from collections.abc import Sequence

from tasksieve.dialogs import SILENCE, Note, Record, Turn
from tasksieve.dialogs.formats.tellings import tellings
from tasksieve.records.counts import plural
from tasksieve.training.runs.answers import Answer
from tasksieve.training.runs.fact_example import fact_example
from tasksieve.training.runs.trained_model import Event, TrainedModel, acts_of_action

_COMMANDS = "/fact, /profile, /reset, /help, /quit"


class Conversation:
    """A dialog with a trained model that goes on turn by turn.

    Args:
        trained: who answers.
        fallback: said where the best answer is too uncertain, or there is none; None for nothing.
        profile: words that describe the user, if known.
    Raises: UserError: if there is a fallback and the run does not say when to use it.
    """

    def __init__(self, trained: TrainedModel, fallback: str | None = None, profile: Sequence[str] = ()) -> None:
        trained.check_fallback(fallback)
        self._trained, self._fallback = trained, fallback
        self._events: list[Event] = []
        self._profile = tuple(profile)

    @property
    def threshold(self) -> float | None:
        """The certainty below which the fallback is said; None if the run does not say."""
        return self._trained.threshold

    @property
    def place(self) -> int:
        """How many turns and facts came before the latest answer."""
        return max(0, len(self._events) - 1)

    def tell(self, event: Event) -> None:
        """What tools answered, as it is; or a turn that was taken by somebody else."""
        self._events.append(event)

    def say(self, user: str, top: int = 5) -> list[Answer]:
        """Say something (nothing at all counts as silence); the best answer becomes part of the dialog.

        Raises: NothingToSay: if there is no answer and no fallback; the dialog is as it was before.
        """
        utterance = user or SILENCE
        answers = self._trained.answer(
            self._events, utterance, profile=self._profile, top=top, fallback=self._fallback
        )
        self._events.append(Turn(utterance, answers[0].text, acts=acts_of_action(answers[0].action)))
        return answers

    def command(self, line: str) -> str:
        """Do ``/fact TEXT``, ``/profile WORDS``, ``/reset`` or ``/help``; returns what to tell the user."""
        name, _, rest = line.partition(" ")
        if name == "/help":
            return self.help()
        if name == "/profile":
            self._profile = tuple(rest.split())
            return f"profile: {rest}"
        if name == "/fact":
            return self._told(rest.strip()) if rest.strip() else f"/fact needs what is told; {self._example()}"
        if name == "/reset":
            self._events.clear()
            self._profile = ()
            return "a new dialog"
        return f"unknown command {name}; known: {_COMMANDS}"

    def help(self) -> str:
        """What may be typed, one command a line; the fact is one of those that this run reads."""
        return "\n".join(
            (
                f"What a tool or a knowledge base answered: {self._example()}",
                "Who the user is: /profile and words that describe them",
                "A new dialog: /reset   This help: /help   The end: /quit   Silence: Enter alone",
            )
        )

    def _example(self) -> str:
        return f"/fact {fact_example(self._trained.encoding)}, or /fact and any words"

    def _told(self, text: str) -> str:
        events = tellings(text)
        self._events += events
        turns = sum(isinstance(event, Turn) for event in self._events)
        facts = len(self._events) - turns
        so_far = " and ".join([plural(facts, "fact"), *([plural(turns, "turn")] if turns else [])])
        return f"{_taken_as(text, events)}; {so_far} so far"


def _taken_as(text: str, events: Sequence[Record | Note]) -> str:
    """What a line was taken as: a record, several, or prose, which broken JSON is too."""
    first = events[0]
    if isinstance(first, Note):
        return "taken as words, as it cannot be read as JSON" if text[-1] in "}]" else "taken as words"
    of_kind = f" of {first.kind}" if first.kind else ""
    return f"{'a record' if len(events) == 1 else plural(len(events), 'record')}{of_kind}"
