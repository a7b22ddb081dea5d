"""What kinds of value an utterance mentions, told from its form alone: dates, times, numbers, amounts, names."""

from __future__ import annotations

import re
from collections import Counter

_MONTHS = (
    "january|february|march|april|may|june|july|august|september|october|november|december|"
    "jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
)
_DAYS = "monday|tuesday|wednesday|thursday|friday|saturday|sunday|today|tomorrow|tonight|weekend|week"
_NUMBERS = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|couple|alone|single|myself"
_DATE = re.compile(
    rf"\b(?:(?:{_MONTHS})\b|(?:{_DAYS})\b|\d{{1,2}}(?:st|nd|rd|th)\b|day after|\d+[-/.]\d+[-/.]\d+)", re.I
)
_TIME = re.compile(
    r"\b(?:\d{1,2}(?::\d\d)? ?(?:[ap]\.?m\b|o.clock)|\d{1,2}:\d\d\b|(?:morning|afternoon|evening|noon|midnight)\b|"
    r"half past|quarter (?:to|past))",
    re.I,
)
_AMOUNT = re.compile(r"[$€£]\s?\d+(?:[.,]\d+)*|\b\d+(?:\.\d+)? ?(?:dollars|euros?|pounds|bucks|usd|eur)\b", re.I)
_NUMBER = re.compile(rf"\b(?:\d+|{_NUMBERS})\b", re.I)
_NAME = re.compile(r"(?<![.!?…] )(?<!^)\b[A-Z][\w'&-]+(?: [A-Z][\w'&-]+)*")
_ADDRESS = re.compile(r"\S+@\S+\.\w+|\bhttps?://\S+", re.I)
_NO_NAMES = frozenset(("I'm", "I'd", "I'll", "I've", "Yes", "No", "OK"))
_PLAIN = {
    "place-from": re.compile(r"\b(?:from|leav\w+|depart\w*)\s+(?:from\s+)?[A-Z]"),
    "place-to": re.compile(r"\b(?:to|in|at|near)\s+[A-Z]"),
    "question": re.compile(r"\?"),
    "yes": re.compile(r"\b(?:yes|yeah|yep|yup|sure|correct|right|great|good|perfect|okay|ok|fine)\b", re.I),
    "no": re.compile(r"\b(?:no|nope|not|nah|never)\b|n't\b", re.I),
    "thanks": re.compile(r"\bthank|\bcheers\b", re.I),
}


def mentions_in(utterance: str) -> Counter[str]:
    """How often an utterance mentions each kind of value; agreement, refusal and thanks are kinds too.

    Each part of it counts as one kind: what is a date is no number.

    >>> sorted(mentions_in("Leaving from Fresno on March 7th at 10:30 am, for two, please").items())
    [('date', 2), ('name', 1), ('number', 1), ('place-from', 1), ('time', 1)]
    """
    found: Counter[str] = Counter()
    for kind, form in _PLAIN.items():
        found[kind] = int(bool(form.search(utterance)))
    rest = utterance
    for kind, form in (("address", _ADDRESS), ("amount", _AMOUNT), ("date", _DATE), ("time", _TIME)):
        rest, found[kind] = form.subn(" ", rest)
    found["number"] = len(_NUMBER.findall(rest))
    found["name"] = sum(name not in _NO_NAMES for name in _NAME.findall(rest))
    return +found
