"""What a dialog leaves in the memory: the sentences said, and those facts that are wanted."""

from __future__ import annotations

from collections.abc import Iterator

from tasksieve.dialogs import Dialog, Fact, Turn
from tasksieve.encoding.entities import KnownEntities
from tasksieve.records.model_config import Facts

USER, SYSTEM, FACT, PROFILE = "<user>", "<system>", "<fact>", "<profile>"
"""Words that tell who speaks; one is put before every memory."""


def words_of(sentence: str) -> list[str]:
    """Split a sentence at white space, in lower case."""
    return sentence.lower().split()


class MemoryLines:
    """The memory of one dialog, event by event.

    Args:
        dialog: its profile, if it is known, is the first memory.
        facts: which facts are memories.
        naming: relations whose values are names; sentences then have placeholders for names. None for sentences as
            they are.

    Attributes:
        lines: the sentences so far, oldest first, each led by its speaker.
        originals: the same without placeholders.
        entities: those that the dialog knows; none of them without ``naming``.
    """

    def __init__(self, dialog: Dialog, facts: Facts = "all", naming: frozenset[str] | None = None) -> None:
        self.lines: list[str] = []
        self.originals: list[str] = []
        self.entities = KnownEntities(naming or frozenset(), dialog.profile)
        self._dialog, self._named = dialog, naming is not None
        self._facts = facts
        self._said: set[str] = set()
        self._waiting: dict[str, list[Fact]] = {}
        if dialog.profile:
            self._remember(PROFILE, " ".join(dialog.profile))

    def turns(self) -> Iterator[Turn]:
        """Go through the dialog: each of its turns, when its response is due; at the end everything is remembered."""
        for event in self._dialog.events:
            if isinstance(event, Turn):
                self.hear(event)
                yield event
            self.add(event)

    def hear(self, turn: Turn) -> None:
        """Recall what the response may need: the facts about what the user mentions."""
        self._recall(turn.user)
        self.entities.hear(turn.user)

    def add(self, event: Turn | Fact) -> None:
        """Remember a turn, with the facts about what is mentioned in it, or a fact, if and when it is wanted."""
        if isinstance(event, Fact):
            self._add_fact(event)
            return
        self.hear(event)
        self._remember(USER, event.user)
        self._remember(SYSTEM, event.system)
        self.entities.name(event.system)
        self._recall(event.system)

    def _add_fact(self, fact: Fact) -> None:
        if self._named:
            self.entities.learn(fact)
        subject = next(iter(words_of(fact.text)), "")
        if self._facts == "all" or (self._facts == "mentioned" and subject in self._said):
            self._remember(FACT, fact.text)
        elif self._facts == "mentioned":
            self._waiting.setdefault(subject, []).append(fact)

    def _remember(self, speaker: str, text: str) -> None:
        self.lines.append(f"{speaker} {self.entities.replaced(text)}")
        self.originals.append(f"{speaker} {text}")

    def _recall(self, sentence: str) -> None:
        if self._facts == "mentioned":
            for word in words_of(sentence):
                self._said.add(word)
                for fact in self._waiting.pop(word, ()):
                    self._remember(FACT, fact.text)


def memory_due(dialog: Dialog, facts: Facts = "all", naming: frozenset[str] | None = None) -> MemoryLines:
    """The memory of a dialog that ends with a turn, when the response of that turn is due."""
    memory = MemoryLines(dialog, facts, naming)
    for event in dialog.events[:-1]:
        memory.add(event)
    memory.hear(dialog.turns[-1])
    return memory
