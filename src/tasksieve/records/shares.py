"""How dialogs are shared out among splits, as it is written: ``60/20/20``."""

from __future__ import annotations

import re

SHARES_EXAMPLE = "60/20/20"
"""What it looks like."""
_SHARES = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{1,2})")


def shares_of(split: str) -> tuple[int, ...]:
    """The shares of training, validation and test dialogs, in per cent.

    Raises: ValueError: if there are not three of them, one is 0, or they do not add up to 100.
    """
    found = _SHARES.fullmatch(split)
    shares = tuple(map(int, found.groups())) if found else (0,)
    if sum(shares) != 100 or min(shares) < 1:
        raise ValueError(
            f"expected per cent of training, validation and test dialogs, 100 together, e.g. {SHARES_EXAMPLE}"
        )
    return shares
