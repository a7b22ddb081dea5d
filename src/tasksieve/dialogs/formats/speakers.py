"""The names under which files let the user, the system and the knowledge base speak."""

from __future__ import annotations

from collections.abc import Iterable

USER, SYSTEM, FACT = "user", "system", "fact"

_NAMES = {
    USER: (
        *("user", "customer", "client", "caller", "human", "usr", "apprentice", "prompter", "requester"),
        *("visitor", "guest", "lead", "contact", "end-user", "end user", "end_user", "enduser"),
        *("kunde", "kundin", "nutzer", "nutzerin", "benutzer", "benutzerin", "anrufer", "anruferin", "besucher"),
    ),
    SYSTEM: (
        *(
            "system",
            "assistant",
            "agent",
            "bot",
            "chatbot",
            "model",
            "wizard",
            "sys",
            "operator",
            "gpt",
            "chatgpt",
            "ai",
        ),
        *("support", "representative", "advisor", "admin", "staff"),
        *("mitarbeiter", "mitarbeiterin", "berater", "beraterin", "agentin", "assistent", "assistentin"),
    ),
    FACT: ("fact", "facts", "context", "kb", "knowledge", "developer", "tool", "function", "observation"),
}
_SPEAKERS = {name: speaker for speaker, names in _NAMES.items() for name in names}
_ASSISTANTS = ("assistant", "gpt", "chatgpt", "model", "ai")
_TOOLS = ("tool", "function", "observation")
_PROMPTS = ("system",)
"""Who speaks for the system, unless another does: then it gives prompts, as in chat messages."""


def speaker_named(name: str, *, prompts: bool = False) -> str | None:
    """Whether a name is the user's, the system's or that of records and notes; None if it is not known.

    Args:
        name: as it stands in the file.
        prompts: whether ``system`` gives prompts there, which are notes; see :func:`has_prompts`.

    >>> speaker_named("Agent"), speaker_named("system"), speaker_named("system", prompts=True)
    ('system', 'system', 'fact')
    """
    plain = name.strip().lower()
    return FACT if prompts and plain in _PROMPTS else _SPEAKERS.get(plain)


def is_tool(name: str) -> bool:
    """Whether a name is that of a tool, whose words are what it answered."""
    return name.strip().lower() in _TOOLS


def has_prompts(names: Iterable[str], *, of_chats: bool = False) -> bool:
    """Whether ``system`` gives prompts in a dialog: another, such as ``assistant``, responds in it.

    Args:
        names: of who speaks, in the order of the dialog.
        of_chats: whether assistants respond in other dialogs of the file; then ``system`` gives prompts here too, if
            it does not speak after the user.

    >>> has_prompts(["system", "user", "assistant"]), has_prompts(["system", "user", "system"])
    (True, False)
    """
    plain = [name.strip().lower() for name in names]
    if not set(plain) & set(_PROMPTS):
        return False
    if any(_SPEAKERS.get(name) == SYSTEM and name not in _PROMPTS for name in plain):
        return True
    asked = next((place for place, name in enumerate(plain) if _SPEAKERS.get(name) == USER), None)
    return of_chats and asked is not None and not set(plain[asked:]) & set(_PROMPTS)


def are_of_chats(names: Iterable[str]) -> bool:
    """Whether names are those of chats with an assistant, where ``system`` gives prompts."""
    return any(name.strip().lower() in _ASSISTANTS for name in names)
