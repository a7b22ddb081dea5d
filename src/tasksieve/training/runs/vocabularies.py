"""Which words a run knows: all of the primary task's, and of the related tasks' those that most dialogs say."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from tasksieve.encoding import Vocabulary
from tasksieve.encoding.reading import Reading
from tasksieve.encoding.vocabulary import SPEAKERS, WordCounts
from tasksieve.records.said_once import SAID_ONCE

_log = logging.getLogger("tasksieve")


def vocabulary_of(own: Iterable[Reading], related: WordCounts, most: int) -> Vocabulary:
    """The vocabulary of a run.

    A step of training takes as long as there are words. An archive has new ones without end, as names and numbers,
    and one that few dialogs say can be learned from little.

    Args:
        own: the primary task's dialogs, to learn from and to validate on; all their words are known.
        related: words of the related dialogs.
        most: how many words are known, if there are not more that have to be (``model.max_words``).
    """
    mine = WordCounts.of(own).all.union(SPEAKERS)
    words = related.most_said(most, mine)
    left = len(related.all - words)
    if left:
        told = f"{len(words):,}", f"{left:,}"
        _log.info(
            "the %s words of most dialogs are known, %s rarer ones of related dialogs are not", *told, extra=SAID_ONCE
        )
    return Vocabulary.of_words(words)
