"""What a dialog leaves in the memory: the sentences said, and those facts that are wanted."""

from __future__ import annotations

from tasksieve.dialogs import Dialog, Fact, Turn
from tasksieve.records.config import Facts

USER, SYSTEM, FACT, PROFILE = "<user>", "<system>", "<fact>", "<profile>"
"""Words that tell who speaks; one is put before every memory."""


def words_of(sentence: str) -> list[str]:
    """Split a sentence at white space, in lower case."""
    return sentence.lower().split()


class MemoryLines:
    """The memory of one dialog, event by event.

    Args:
        dialog: whose profile is the first memory, if it is known.
        facts: which facts are memories.

    Attributes:
        lines: the sentences so far, oldest first, each led by its speaker.
    """

    def __init__(self, dialog: Dialog, facts: Facts = "all") -> None:
        self.lines = [f"{PROFILE} {' '.join(dialog.profile)}"] if dialog.profile else []
        self._facts = facts
        self._said: set[str] = set()
        self._waiting: dict[str, list[str]] = {}

    def hear(self, turn: Turn) -> None:
        """Recall what the response may need: the facts about what the user mentions."""
        self._recall(turn.user)

    def add(self, event: Turn | Fact) -> None:
        """Remember a turn, with the facts about what is mentioned in it, or a fact, if and when it is wanted."""
        if isinstance(event, Fact):
            self._add_fact(event)
            return
        self.hear(event)
        self.lines += (f"{USER} {event.user}", f"{SYSTEM} {event.system}")
        self._recall(event.system)

    def _add_fact(self, fact: Fact) -> None:
        line = f"{FACT} {fact.text}"
        subject = next(iter(words_of(fact.text)), "")
        if self._facts == "all" or (self._facts == "mentioned" and subject in self._said):
            self.lines.append(line)
        elif self._facts == "mentioned":
            self._waiting.setdefault(subject, []).append(line)

    def _recall(self, sentence: str) -> None:
        if self._facts == "mentioned":
            for word in words_of(sentence):
                self._said.add(word)
                self.lines += self._waiting.pop(word, ())


def memory_of(dialog: Dialog, facts: Facts = "all") -> MemoryLines:
    """What a dialog leaves in the memory at its end."""
    memory = MemoryLines(dialog, facts)
    for event in dialog.events:
        memory.add(event)
    return memory
