"""The responses of an archive on their way to the disk: which of them each turn chooses among, drawn as in memory.

What grows in memory is a digest and a number for each distinct response, and a number for each turn of one task.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from tasksieve.encoding.drawn import SEED, others_of
from tasksieve.encoding.kept_arrays import ArrayWriter
from tasksieve.encoding.phrases import bag_of

Numbers = NDArray[np.int64]
OFFERED_ARRAYS = {"responses": "int64", "offered": "int64", "offers": "int64", "counted": "int64"}
"""The sentence of each response; the responses that turns choose among, each turn's own first; where those of each
turn begin, and their end; and the sentences by which it is counted how many responses have a word."""


class OfferedWriter:
    """Numbers responses as :func:`~tasksieve.encoding.drawn.drawn_choices` does, and draws the same ones.

    Args:
        arrays: by the names of :data:`OFFERED_ARRAYS`; the last one is left to :meth:`counted`.
        among: responses that a turn chooses among, its own with them; fewer where its task has fewer.
    """

    def __init__(self, arrays: Mapping[str, ArrayWriter], among: int) -> None:
        self._responses, self._offered, self._offers = (arrays[name] for name in ("responses", "offered", "offers"))
        self._among, self._random = among, np.random.default_rng(SEED)
        self._first = 0
        self._bags: dict[bytes, int] = {}
        self._known: dict[int, int] = {}
        self._right = array("q")
        self._sentences, self._digests = array("q"), bytearray()

    def add(self, text: str, sentence: int) -> None:
        """Take the response of the task's next turn to learn from.

        Args:
            text: as it was said.
            sentence: its number, which no other text has.
        """
        number = self._known.get(sentence)
        if number is None:
            number = self._known[sentence] = self._number(text, sentence)
        self._right.append(number)

    def end_task(self) -> None:
        """Draw what the turns of the task choose among; what comes next is of another one."""
        numbers = range(self._first, self._responses.count)
        for number in self._right:
            self._offers.extend((self._offered.count,))
            self._offered.extend((number, *others_of(number, numbers, self._among, self._random)))
        self._first = self._responses.count
        self._bags, self._known, self._right = {}, {}, array("q")

    def finish(self) -> None:
        """Say where the last turn's responses end."""
        self._offers.extend((self._offered.count,))

    def counted(self, spoken: Numbers, texts_of: Callable[[Numbers], Iterable[tuple[int, str]]]) -> Numbers:
        """A sentence for each distinct response of all tasks: of twins the one said most often, the first in order.

        Args:
            spoken: the sentence of each turn's response.
            texts_of: gives the texts of some of these sentences, each of them once or more often.
        """
        sentences, places = np.unique(np.frombuffer(self._sentences, np.int64), return_index=True)
        digests = np.frombuffer(self._digests, np.uint64).reshape(-1, 2)[places]
        times = np.bincount(spoken, minlength=int(sentences.max(initial=-1)) + 1)[sentences]
        order = np.lexsort((-times, digests[:, 1], digests[:, 0]))
        sentences, digests, times = sentences[order], digests[order], times[order]
        begins = np.flatnonzero(np.r_[True, (digests[1:] != digests[:-1]).any(axis=1)][: len(order)])
        of_bag = np.repeat(np.arange(len(begins)), np.diff(np.r_[begins, len(order)]))
        chosen, best = sentences[begins].copy(), times == times[begins][of_bag]
        tied = best & (np.bincount(of_bag[best], minlength=len(begins)) > 1)[of_bag]
        bag_of_sentence = dict(zip(sentences[tied].tolist(), of_bag[tied].tolist(), strict=True))
        first: dict[int, str] = {}
        for sentence, text in texts_of(sentences[tied]) if bag_of_sentence else ():
            bag = bag_of_sentence[sentence]
            if bag not in first or text < first[bag]:
                first[bag], chosen[bag] = text, sentence
        return np.sort(chosen)

    def _number(self, text: str, sentence: int) -> int:
        bag = " ".join(bag_of(text)).encode("utf-8", "surrogatepass")
        digest = blake2b(bag, digest_size=16).digest()
        self._sentences.append(sentence)
        self._digests += digest
        if digest not in self._bags:
            self._bags[digest] = self._responses.count
            self._responses.extend((sentence,))
        return self._bags[digest]
