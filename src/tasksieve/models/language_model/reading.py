"""What a language model makes of tokens: the loss of every learned token, and scores of candidates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cross_entropy

from tasksieve.models.language_model.tokens import Spoken

_CHUNK = 8192
"""Tokens whose scores over the vocabulary are held at a time where there is no gradient."""


def padded(rows: Sequence[Sequence[int]], device: torch.device, filler: int = 0) -> tuple[Tensor, Tensor]:
    """Rows of tokens side by side, filled up on the right, and where there is a token: both rows × longest."""
    longest = max(map(len, rows))
    ids = torch.tensor([[*row, *[filler] * (longest - len(row))] for row in rows], device=device)
    lengths = torch.tensor([len(row) for row in rows], device=device)
    return ids, torch.arange(longest, device=device) < lengths[:, None]


def token_losses(model: Any, spoken: Sequence[Spoken], device: torch.device) -> list[Float[Tensor, " tokens"]]:
    """The loss of every token of responses, in nats: of each dialog one after the other, in float32.

    Args:
        model: of transformers; a token's loss is read off the states before it, so that no score is computed of
            tokens that nobody learns.
        spoken: the dialogs, a row each.
        device: where the model is.
    """
    ids, there = padded([one.tokens for one in spoken], device)
    states = model.base_model(input_ids=ids, attention_mask=there, use_cache=False).last_hidden_state
    places = [[place for span in one.spans for place in range(*span)] for one in spoken]
    rows = torch.tensor([row for row, found in enumerate(places) for _ in found], device=device)
    columns = torch.tensor([place for found in places for place in found], device=device)
    losses = losses_at(model, states[rows, columns - 1], ids[rows, columns])
    return list(torch.split(losses, [len(found) for found in places]))


def losses_at(model: Any, states: Float[Tensor, "tokens width"], right: Tensor) -> Float[Tensor, " tokens"]:
    """The cross-entropy of tokens given the states that tell them, in float32."""
    head = model.get_output_embeddings()
    if torch.is_grad_enabled():
        return cross_entropy(head(states).float(), right, reduction="none")
    parts = zip(torch.split(states, _CHUNK), torch.split(right, _CHUNK), strict=True)
    return torch.cat([cross_entropy(head(part).float(), those, reduction="none") for part, those in parts])


def candidate_scores(
    model: Any,
    contexts: Sequence[Sequence[int]],
    candidates: Sequence[Sequence[Sequence[int]]],
    device: torch.device,
) -> list[Float[Tensor, " candidates"]]:
    """The mean log-likelihood a token of every candidate after its context.

    Candidates stand one after the other behind their context, each at the places right after it, and none sees
    another one: the context is read once.

    Args:
        model: of transformers.
        contexts: the tokens before the response, at least one, a row each.
        candidates: of each row the tokens of its candidates, at least one each.
        device: where the model is.
    """
    rows = [[*context, *(t for one in own for t in one)] for context, own in zip(contexts, candidates, strict=True)]
    ids, there = padded(rows, device)
    owner, places = _owners(contexts, candidates, ids.shape[1], device)
    sees = (owner[:, None, :] == owner[:, :, None]) | (owner[:, None, :] == 0)
    order = torch.arange(ids.shape[1], device=device)
    sees &= (order[None, :] <= order[:, None])[None]
    sees &= there[:, None, :] | torch.eye(ids.shape[1], dtype=torch.bool, device=device)
    dtype = next(iter(model.parameters())).dtype
    mask = torch.zeros(sees.shape, dtype=dtype, device=device).masked_fill_(~sees, torch.finfo(dtype).min)
    states = model.base_model(
        input_ids=ids, attention_mask=mask[:, None], position_ids=places, use_cache=False
    ).last_hidden_state
    return _scores(model, states, ids, contexts, candidates)


def _owners(
    contexts: Sequence[Sequence[int]],
    candidates: Sequence[Sequence[Sequence[int]]],
    longest: int,
    device: torch.device,
) -> tuple[Tensor, Tensor]:
    """Of every token the candidate it belongs to, 0 for the context, -1 for none; and its place in the reading."""
    owners, places = [], []
    for context, own in zip(contexts, candidates, strict=True):
        owner, place = [0] * len(context), list(range(len(context)))
        for number, one in enumerate(own, start=1):
            owner += [number] * len(one)
            place += range(len(context), len(context) + len(one))
        missing = longest - len(owner)
        owners.append(owner + [-1] * missing)
        places.append(place + [0] * missing)
    return torch.tensor(owners, device=device), torch.tensor(places, device=device)


def _scores(
    model: Any,
    states: Tensor,
    ids: Tensor,
    contexts: Sequence[Sequence[int]],
    candidates: Sequence[Sequence[Sequence[int]]],
) -> list[Tensor]:
    rows, told, tokens, lengths = list[int](), list[int](), list[int](), list[int]()
    for row, (context, own) in enumerate(zip(contexts, candidates, strict=True)):
        begin = len(context)
        for one in own:
            rows += [row] * len(one)
            tokens += range(begin, begin + len(one))
            told += [len(context) - 1, *range(begin, begin + len(one) - 1)]
            lengths.append(len(one))
            begin += len(one)
    at = torch.tensor(rows, device=ids.device)
    losses = losses_at(model, states[at, torch.tensor(told, device=ids.device)], ids[at, tokens])
    means = torch.stack([-part.mean() for part in torch.split(losses, lengths)])
    return list(torch.split(means, [len(own) for own in candidates]))
