"""An errand: what a user wants of a service, and what it takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Errand:
    """One thing that users want.

    Attributes:
        openings: how they say so.
        slots: what has to be known, in the order in which the older desk asks.
        look_up: the tool that is asked first; empty if none is.
        tells: of what it answers, what the agent says unasked.
        offers: the field of its answers that the user chooses by; empty if there is nothing to choose.
        change: the tool that does it; empty if telling is all.
        unless_found: whether the change is needed only if nothing was found.
        summary: what is going to be done, as agents put it: "that I {summary}".
        refusals: why it may be refused.
        asides: fields that users may ask for besides.
    """

    openings: tuple[str, ...]
    slots: tuple[str, ...]
    look_up: str = ""
    tells: tuple[str, ...] = ()
    offers: str = ""
    change: str = ""
    unless_found: bool = False
    summary: str = ""
    refusals: tuple[str, ...] = ()
    asides: tuple[str, ...] = ()


WANT = "[I'd like to|I want to|I need to|can I|could I|is it possible to|how do I]"
"""How users begin to say so."""
