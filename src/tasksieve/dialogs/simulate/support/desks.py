"""The two desks: which services they have, how they act and how they talk.

Both know the same acts, so that what users mean and what acts are for can be learned from the older desk. What
changed is *when* the newer one does what: the policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tasksieve.dialogs.simulate.support.newer_tone import NEWER_TONE
from tasksieve.dialogs.simulate.support.older_tone import OLDER_TONE
from tasksieve.dialogs.simulate.support.tone import Tone
from tasksieve.dialogs.simulate.support.values import Notation


@dataclass(frozen=True, slots=True)
class Policy:
    """When agents do what.

    Attributes:
        identify: what customers are known by, in the order in which it is asked for.
        instead: what is asked for if they do not have the first of it.
        greets: whether users who come with their errand are greeted first.
        verifies: whether customers confirm their name.
        texts_code: whether customers are sent a code that they have to type.
        backwards: whether slots are asked for from the last to the first.
        looks_up_first: whether what is told is looked up first; what is then needless is never asked.
        confirms: whether customers confirm before something is changed.
        holds: whether customers are told to wait before something is changed.
        asks_again: whether an answer to something aside ends with the question that was open.
        tells_all: whether all that was looked up is told, or only the first of it.
        refers: whether customers are told a reference unasked.
        asks_more: whether customers are asked at once whether there is anything else.
        calls_back: whether a call back is offered after a refusal.
        retains: whether customers who leave are offered a discount.
        recaps: whether a summary by e-mail is offered at the end.
    """

    identify: tuple[str, ...]
    instead: str
    greets: bool
    verifies: bool
    texts_code: bool
    backwards: bool
    looks_up_first: bool
    confirms: bool
    holds: bool
    asks_again: bool
    tells_all: bool
    refers: bool
    asks_more: bool
    calls_back: bool
    retains: bool
    recaps: bool


@dataclass(frozen=True, slots=True)
class Desk:
    """A support desk.

    Attributes:
        policies: of each of its services.
        tone: how its agents talk.
        notation: how its databases write.
    """

    policies: Mapping[str, Policy]
    tone: Tone
    notation: Notation


_OLDER = Policy(
    identify=("customer_number", "last_name"),
    instead="postcode",
    greets=True,
    verifies=True,
    texts_code=False,
    backwards=False,
    looks_up_first=False,
    confirms=True,
    holds=True,
    asks_again=True,
    tells_all=True,
    refers=True,
    asks_more=True,
    calls_back=True,
    retains=False,
    recaps=False,
)
_BETWEEN = replace(
    _OLDER,
    identify=("email",),
    instead="customer_number",
    greets=False,
    verifies=False,
    backwards=True,
    confirms=False,
    holds=False,
    asks_again=False,
    refers=False,
    asks_more=False,
    calls_back=False,
)
"""Services of the older desk that were modern in their time: much of what the newer desk does."""
_NEWER = Policy(
    identify=("email",),
    instead="customer_number",
    greets=False,
    verifies=False,
    texts_code=True,
    backwards=True,
    looks_up_first=True,
    confirms=False,
    holds=False,
    asks_again=False,
    tells_all=False,
    refers=False,
    asks_more=False,
    calls_back=False,
    retains=True,
    recaps=False,
)
_CAREFUL = replace(_NEWER, confirms=True, refers=True, recaps=True)
"""Where money moves the newer desk asks twice, and offers it in writing."""

DESKS = {
    "old": Desk(
        policies={
            "billing": _OLDER,
            "payments": replace(
                _OLDER, identify=("customer_number", "postcode"), instead="last_name", confirms=False
            ),
            "meter_readings": replace(_BETWEEN, identify=("customer_number",), instead="email", refers=True),
            "moving": replace(_BETWEEN, identify=("email", "last_name"), backwards=False, texts_code=True),
            "outages": replace(_BETWEEN, looks_up_first=True),
            "tariffs": replace(_BETWEEN, texts_code=True),
            "appointments": _BETWEEN,
            "account_data": replace(_BETWEEN, texts_code=True, confirms=True, recaps=True),
            "cancellations": replace(_OLDER, confirms=False, calls_back=False),
        },
        tone=OLDER_TONE,
        notation=Notation(numeric=False, currency="{} euros"),
    ),
    "new": Desk(
        policies={
            "billing": _NEWER,
            "payments": _CAREFUL,
            "moving": _NEWER,
            "outages": _NEWER,
            "appointments": _NEWER,
            "cancellations": _CAREFUL,
            "charging": _NEWER,
        },
        tone=NEWER_TONE,
        notation=Notation(numeric=True, currency="€{}"),
    ),
}
"""The older desk, ``old``, and the newer one, ``new``."""
