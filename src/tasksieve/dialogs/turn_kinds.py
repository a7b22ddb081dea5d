"""What kind of turn a response is, told from its wording: reports break down accuracy and weights by it.

Covers dialog bAbI (Tasks 1 to 5), personalized bAbI and the simulated dialogs. In other data, what is worded
alike is recognised and the rest is ``other``.
"""

from __future__ import annotations

import re
from functools import lru_cache

OTHER = "other"

_GIVEN = r"\S+_(phone|address|social_media|parking|public_transport)"

# Tried in order: the first pattern found in the response decides.
_PATTERNS = (
    ("api call", r"^api_call "),
    ("give information", rf" {_GIVEN}$"),
    ("propose option", r": \S+$"),
    ("answer facility", r"^(yes|sorry) the hotel (has|serves) "),
    ("ask for updates", r"\b(to|other|you want to) (update|modify|change)\b"),
    ("ask for updates", r"\bany other (update|change)$|\bwish to change\b"),
    (
        "find another option",
        r"\b(an other|another|better|different|other) (suitable )?(option|place|hotel)\b",
    ),
    ("find another option", r"^(ok|sure) (looking for|finding) something else$"),
    ("look for options", r"\b(some|for|with|finding|you) options\b"),
    ("look for options", r"^(one moment|kindly wait) .*\b(tables|rooms)$|\ba few tables\b"),
    ("ask cuisine", r"^(what|any|may i know|could you tell me)\b.*\b(cuisine|food)( |$)"),
    ("ask cuisine", r"\b(kind of|which) cooking\b|\bhungry for$"),
    ("ask place", r"(^|tell me |may i know )where (should it|the restaurant should) be\b"),
    ("ask place", r"\bwhich (city|town)\b"),
    ("ask party size", r"\bhow many (are you|people would|guests|friends)\b"),
    ("ask party size", r"\bhow (big|large) (is )?your group\b"),
    ("ask price", r"^(which|what|may i|would you)\b.*\b(price range|price be)\b"),
    ("ask price", r"\b(like|want|wish) to spend\b"),
    ("ask nights", r"^how long will you stay$"),
    ("ask arrival day", r"^which day do you arrive$"),
    ("ask room", r"^which room would you like$"),
    (
        "make reservation",
        r"\blet me do the reservation$|\bfinish your reservation$|\bfinali[sz]e (the|your) request$",
    ),
    ("make reservation", r"^(awesome you are|cool its) done$|\btable is yours$"),
    ("make reservation", r"\bbooking (it|the room)\b|\breserve it at once$"),
    ("acknowledge request", r"^i'm on (it|your request)$|\bprocessing the (request|reservation)$"),
    ("acknowledge request", r"\bstart the (request|reservation) now$|^be right back with your reservation$"),
    ("acknowledge request", r"^let me (note that down|start on your stay)$|\battend to your wishes$"),
    ("acknowledge request", r"\b(starting on|writing|noting) that\b|\bopening your file$"),
    ("anything else", r"^is there anything i can help you with$|\b(need|want|with) (some|any)thing else$"),
    ("anything else", r"\bin (any other way|some other manner) (sir|madam)$"),
    ("anything else", r"\bdo something more\b|^what more can i do\b|\bbe of further service\b"),
    (
        "greeting",
        r"^(hello|hey|heya|yo|hi|greetings|welcome|good day|good to hear|a very fine day|what a joy)\b",
    ),
    (
        "goodbye",
        r"^you're welcome$|^no problem$|^happy to help$|\bpleasure to be of help\b|\bgrateful to assist\b",
    ),
    ("goodbye", r"^(have a lovely day|have fun|enjoy your meal|catch you later|it has been an honour)\b"),
)

TURN_KINDS = (*dict.fromkeys(kind for kind, _ in _PATTERNS), OTHER)
"""Every kind that :func:`turn_kind` can return."""

_COMPILED = tuple((kind, re.compile(pattern)) for kind, pattern in _PATTERNS)


@lru_cache(maxsize=1 << 16)
def turn_kind(response: str) -> str:
    """The kind of a system response.

    Args:
        response: the system's words as they stand in the data.
    Returns: one of :data:`TURN_KINDS`.

    >>> turn_kind("how many people would be in your party")
    'ask party size'
    >>> turn_kind("api_call italian paris six cheap")
    'api call'
    >>> turn_kind("once upon a time")
    'other'
    """
    for kind, pattern in _COMPILED:
        if pattern.search(response):
            return kind
    return OTHER
