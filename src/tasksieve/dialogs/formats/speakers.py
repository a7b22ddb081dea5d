"""The names under which files let the user, the system and the knowledge base speak."""

from __future__ import annotations

USER, SYSTEM, FACT = "user", "system", "fact"

_NAMES = {
    USER: ("user", "customer", "client", "caller", "human", "usr", "apprentice"),
    SYSTEM: ("system", "assistant", "agent", "bot", "chatbot", "model", "wizard", "sys", "operator"),
    FACT: ("fact", "facts", "context", "kb", "knowledge", "tool"),
}
_SPEAKERS = {name: speaker for speaker, names in _NAMES.items() for name in names}


def speaker_named(name: str) -> str | None:
    """Whether a name is the user's, the system's or that of records and notes; None if it is not known.

    >>> speaker_named("Agent")
    'system'
    """
    return _SPEAKERS.get(name.strip().lower())
