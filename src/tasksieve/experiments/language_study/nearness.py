r"""How near turns of an archive are to those of the primary task by a language model's own states.

A turn is the mean of the last states over the tokens of its response, later ones counting more (the :math:`j`-th
:math:`j` times), of length 1; its score is the cosine with the nearest primary turn's.

Reference: Ivison et al., 2025: RDS+, here with the nearest example instead of rounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from tasksieve.experiments.language_study.measures import batches
from tasksieve.experiments.language_study.rows import Part
from tasksieve.models.language_model.reading import padded

_CHUNK = 1024


@torch.no_grad()
def nearness(model: Any, primary: Sequence[Part], related: Sequence[Part], at_once: int) -> list[float]:
    """The score of every related turn, one after the other.

    Args:
        model: of transformers, without adapters.
        primary: of the primary task.
        related: of the archive, with all of its turns.
        at_once: so many tokens go through it together.
    """
    own, others = _vectors(model, primary, at_once), _vectors(model, related, at_once)
    best = [(part @ own.T).max(dim=1).values for part in torch.split(others, _CHUNK)]
    return [float(score) for score in torch.cat(best).tolist()]


def _vectors(model: Any, parts: Sequence[Part], at_once: int) -> Tensor:
    device = next(iter(model.parameters())).device
    found: dict[int, list[Tensor]] = {}
    work = [(0, number) for number in range(len(parts))]
    for batch in batches(work, lambda one: len(parts[one[1]].spoken.tokens), at_once):
        ids, there = padded([parts[number].spoken.tokens for _, number in batch], device)
        states = model.base_model(input_ids=ids, attention_mask=there, use_cache=False).last_hidden_state.float()
        for row, (_, number) in enumerate(batch):
            found[number] = [_mean(states[row, first:end]) for first, end in parts[number].spoken.spans]
    return torch.stack([vector for number in range(len(parts)) for vector in found[number]])


def _mean(states: Tensor) -> Tensor:
    counts = torch.arange(1, len(states) + 1, device=states.device, dtype=states.dtype)
    mean: Tensor = counts @ states / counts.sum()
    unit: Tensor = mean / mean.norm().clamp(min=1e-12)
    return unit
