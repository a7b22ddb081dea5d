"""Messages of the log that are the same each time that a file is read: whoever shows them may show them once."""

from __future__ import annotations

from collections.abc import Mapping

ONCE = "said_once"
"""The attribute of such a log record."""
SAID_ONCE: Mapping[str, bool] = {ONCE: True}
"""What makes a message one, as the ``extra`` of a logger's methods."""
