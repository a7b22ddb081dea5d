r"""What a response has in common with its context: shares of its terms that stand in each source.

For each set of sources, as :data:`TOLD` has them, the terms of a response that stand there count with three weights:
their inverse document frequency as a share of the whole response's, the same as a sum, and the number of those that
are numbers. Then come rare terms and numbers that stand nowhere, the number of terms, and of numbers.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from tasksieve.encoding import SentenceTable
from tasksieve.encoding.terms import in_terms
from tasksieve.models.matching.sources import COME, EARLIER, FACTS, KNOWN, PATTERNS, SAID, SYSTEM, USER

RARE = 3
"""Terms of fewer responses are rare."""
_PIECE = 1 << 16
"""Responses whose terms are counted at once."""
TOLD = ("user", "system", "earlier", "come and new", "come and said", "known and new", "known and said", "anywhere")
"""Sets of sources. New is what nobody has said yet."""
FEATURES = 3 * len(TOLD) + 4


def term_weights(table: SentenceTable, terms: SentenceTable, numbers: Tensor) -> Float[Tensor, "terms 3"]:
    """Of each term the inverse document frequency, whether it is a number, and its frequency if it is a rare word.

    Args:
        table: responses, on the CPU.
        terms: of each word of the vocabulary.
        numbers: which terms are numbers.
    """
    size = terms.vocabulary_size
    having = torch.zeros(size, dtype=torch.long)
    for piece in torch.split(torch.arange(len(table)), _PIECE):
        bags = in_terms(table.select(piece), terms)
        distinct = torch.unique(bags.owners * size + bags.words) % max(1, size)
        having += torch.bincount(distinct, minlength=size)
    having = having.double()
    count = len(table)
    scale = torch.log(torch.tensor(1 + count / 0.5, dtype=torch.float64))
    frequency = torch.log1p((count - having + 0.5) / (having + 0.5)) / scale
    is_number = numbers.double()
    rare = (having < RARE).double() * (1 - is_number)
    return torch.stack([frequency, is_number, rare * frequency], dim=1).float()


def overlaps(
    found: UInt8[Tensor, "batch terms"],
    choices: SentenceTable,
    terms: SentenceTable,
    owners: Int[Tensor, " pairs"],
    numbers: Int[Tensor, " pairs"],
    weights: Float[Tensor, "terms 3"],
) -> Float[Tensor, "pairs features"]:
    """The features of pairs of a context and a response.

    Args:
        found: by context the bits of the sources that each term stands in.
        choices: responses as bags of words.
        terms: of each word of the vocabulary.
        owners: the context of each pair.
        numbers: the response of each pair.
        weights: from :func:`term_weights`.
    """
    bags = SentenceTable(choices.words, choices.offsets, choices.vocabulary_size).select(numbers)
    bags = in_terms(bags, terms)
    pairs = bags.owners
    there = _indicators(weights)[found[owners[pairs], bags.words].long()]
    weighed = weights[bags.words]
    ones = weights.new_ones(len(pairs), 1)
    parts = [there * weighed[:, :1], there * weighed[:, 1:2], there[:, -1:] * weighed[:, 2:], weighed, ones]
    entries = torch.cat(parts, dim=1)
    sums = weights.new_zeros(len(numbers), entries.shape[1]).index_add_(0, pairs, entries)
    told = len(TOLD)
    frequency, number, rare, whole, count = torch.split(sums, [told, told, 1, 3, 1], dim=1)
    nowhere = torch.cat([whole[:, 2:] - rare, (whole[:, 1:2] - number[:, -1:]) / 2], dim=1)
    shares = frequency / (whole[:, :1] + 0.3)
    features = torch.cat([shares, frequency / 3, number / 3, nowhere, count / 20, whole[:, 1:2] / 3], dim=1)
    return features * SCALE


SCALE = 4.0
"""Makes the spread of most features about 1."""


def _indicators(like: Tensor) -> Float[Tensor, "patterns told"]:
    """By the bits of a term, which sets of sources it stands in."""
    bits = torch.arange(PATTERNS, device=like.device)
    said, come = bits & SAID > 0, bits & COME > 0
    known = (bits & KNOWN > 0) & ~come
    columns = [bits & bit > 0 for bit in (USER, SYSTEM, EARLIER)]
    columns += [come & ~said, come & said, known & ~said, known & said, bits & (SAID | FACTS) > 0]
    return torch.stack(columns, dim=1).to(like.dtype)
