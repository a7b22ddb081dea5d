"""Where the terms of a response may come from: of each context, which terms stand in what was said and in facts."""

from __future__ import annotations

import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from tasksieve.encoding import SentenceTable
from tasksieve.encoding.terms import in_terms
from tasksieve.models.matching.contexts import Contexts

USER, SYSTEM, EARLIER, COME, KNOWN = (1 << bit for bit in range(5))
"""Bits: the last utterance, the system's last one, all those before, facts that have just come, and all others."""
SAID, FACTS = USER | SYSTEM | EARLIER, COME | KNOWN
PATTERNS = 32


class Sources:
    """Tells the memories of contexts apart.

    Facts that have just come stand before all utterances, latest first, or where they are remembered for one turn
    alone, behind them.

    Args:
        contexts: of a batch.
        result: the number of the word that leads the counts of what has come; -1 if there is none.
    """

    def __init__(self, contexts: Contexts, result: int) -> None:
        self.contexts = contexts
        speakers, said = contexts.speakers, contexts.said
        system = contexts.latest_of_system()
        slots = torch.arange(said.shape[1], device=said.device)
        newest = torch.where(said, slots, said.shape[1]).amin(dim=1, keepdim=True)
        oldest = torch.where(said, slots, -1).amax(dim=1, keepdim=True)
        counted = (speakers == result).any(dim=1, keepdim=True) & (result >= 0)
        facts = (speakers >= 0) & ~said & (speakers != result)
        self.system = said & (slots == system[:, None])
        self.earlier = said & ~self.system
        self.come = facts & ((slots < newest) | (counted & (slots > oldest)))
        self.known = facts & ~self.come

    def terms(self, terms: SentenceTable) -> UInt8[Tensor, "batch terms"]:
        """The bits of the sources that each term stands in.

        Args:
            terms: of each word of the vocabulary.
        """
        batch = self.contexts.batch
        sentences = in_terms(batch.table, terms)
        found = torch.zeros(len(batch), terms.vocabulary_size, dtype=torch.uint8, device=sentences.device)
        examples = torch.arange(len(batch), device=sentences.device)
        _mark(found, sentences, examples, batch.utterances, USER)
        for bit, among in ((SYSTEM, self.system), (EARLIER, self.earlier), (COME, self.come), (KNOWN, self.known)):
            owners, places = among.nonzero(as_tuple=True)
            _mark(found, sentences, owners, batch.memories[owners, places], bit)
        return found


def _mark(
    found: UInt8[Tensor, "batch terms"],
    sentences: SentenceTable,
    owners: Int[Tensor, " pairs"],
    numbers: Int[Tensor, " pairs"],
    bit: int,
) -> None:
    """Set a bit of the terms in sentences, each of which is one of an example's."""
    chosen = sentences.select(numbers)
    places = owners[chosen.owners] * found.shape[1] + chosen.words
    flat = found.view(-1)
    flat[places] = flat[places] | bit
