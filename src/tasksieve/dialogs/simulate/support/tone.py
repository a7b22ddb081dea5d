"""A tone: how the agents of a desk talk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasksieve.dialogs.act import Act
from tasksieve.dialogs.simulate.support.fields import FIELDS
from tasksieve.dialogs.simulate.support.slots import SLOTS


@dataclass(frozen=True, slots=True)
class Tone:
    """How agents put their acts into words.

    Attributes:
        acts: templates by name of the act, or by the whole act where it has words of its own.
        requests: ways to ask for something, ``NOUN`` standing for it.
        informs: ways to tell something, ``NOUN`` and ``VALUE`` standing for it.
        openers: what a response to something given starts with.
        asides: answers to what users ask aside, by topic.
    """

    acts: Mapping[str, Sequence[str]]
    requests: Sequence[str]
    informs: Sequence[str]
    openers: Sequence[str]
    asides: Mapping[str, Sequence[str]]

    def templates(self, act: Act, summary: str = "") -> Sequence[str]:
        """The templates of an act; ``summary`` says what is going to be done."""
        if act.name == "request":
            slot = SLOTS[act.slot]
            asked = tuple(frame.replace("NOUN", f"[{slot.nouns}]") for frame in self.requests)
            return (*asked, *(slot.questions * 3))
        if act.name == "explain":
            return tuple(template.replace("WHERE", SLOTS[act.slot].where) for template in self.acts["explain"])
        if act.name == "inform" and act.slot in self.asides:
            return self.asides[act.slot]
        if act.name == "inform":
            nouns, value = FIELDS[act.slot][0], f"{{{act.slot}}}"
            return tuple(frame.replace("NOUN", f"[{nouns}]").replace("VALUE", value) for frame in self.informs)
        return tuple(each.replace("SUMMARY", summary) for each in self.acts.get(act.text) or self.acts[act.name])
