"""Values of the arguments of calls that dialogs of related tasks know, and the primary task has not shown yet.

An older desk knows more colours and kinds of things than the few dialogs of a new one. A value of a related task's
call is known for the argument of the same name, if users of several dialogs said it and it has no digit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from tasksieve.dialogs import Dialog
from tasksieve.encoding.calls import arguments_of
from tasksieve.encoding.phrases import Said, phrase_of
from tasksieve.encoding.slots import Slots

_FEWEST_DIALOGS = 2
"""In so many dialogs a value was said, else it may be somebody's name."""
_MOST_VALUES = 500


def with_values_called(slots: Slots, dialogs: Iterable[Dialog]) -> Slots:
    """Gaps that know the values of arguments which other dialogs have, after their own.

    Args:
        slots: of the primary task.
        dialogs: of related tasks.
    """
    found: dict[tuple[str, str], set[int]] = defaultdict(set)
    for number, dialog in enumerate(dialogs):
        said = Said()
        for turn in dialog.turns:
            said.add(phrase_of(turn.user))
            for given in arguments_of(turn.system):
                phrase = phrase_of(given.text)
                if given.key in slots.known and phrase and not any(map(str.isdigit, given.text)) and phrase in said:
                    found[given.key, given.text].add(number)
    more = defaultdict[str, list[str]](list)
    for (key, text), numbers in sorted(found.items()):
        if len(numbers) >= _FEWEST_DIALOGS and text not in slots.known[key]:
            more[key].append(text)
    known = {key: (*own, *more[key])[:_MOST_VALUES] for key, own in slots.known.items()}
    lists = slots.values, slots.policy, slots.ordinary, slots.reserved, slots.shared
    return Slots(slots.kinds, known, *lists, slots.newest)
