"""Adapters of a language model with batches, and what takes a meta-gradient of them: ours and other libraries'.

Every function here makes ``work() -> gradients of the weight module's logits`` from a :class:`Case`.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel

from tasksieve.integrations import AdapterWeights, GroupTable, targets_of, unit_totals, weighted_nll
from tasksieve.integrations.difference_error import DifferenceError
from tasksieve.integrations.passes import Batch, learned_params, logits_of, losses_of
from tasksieve.metagrad import Adam, Estimator, FiniteDifference, State, moments_of
from tests.real_language_model import packaged
from tests.tiny_language_models import llama, with_adapters

ROWS, LENGTH, RANK, LR = 8, 128, 8, 1e-3
TINY = "tiny"
Work = Callable[[], Tensor]


@dataclass
class Case:
    """What a meta-update is of.

    Attributes:
        name: of the model.
        weights: where the model's weights are from.
        model: with adapters, in training mode.
        optimizer: AdamW that has taken a step.
        module: a weight for each of the rows.
        related: batches, as many as the longest unroll.
        primary: a batch.
        radius: of central differences; None for the default of the number type.
    """

    name: str
    weights: str
    model: Any
    optimizer: torch.optim.Optimizer
    module: GroupTable
    related: Sequence[Batch]
    primary: Batch
    radius: float | None = None

    def first_update(self) -> DifferenceError:
        """An update that chooses the radius of its differences; what it measured of them."""
        sieve = self.sieve(1, "approximate", check_every=1)
        sieve.update(self.related[:1], self.primary)
        assert sieve.error is not None
        return sieve.error

    def sieve(self, steps: int, estimator: str | Estimator, check_every: int = 0) -> AdapterWeights:
        """What learns the weights; an update leaves them as they are, so that all are of the same ones."""
        return AdapterWeights(
            self.model,
            self.module,
            optimizer=self.optimizer,
            estimator=estimator,
            unroll_length=steps,
            weight_lr=0.0,
            check_every=check_every,
        )


def case_of(name: str, device: str, longest: int, dtype: torch.dtype = torch.float32) -> Case:
    """A model of this name with LoRA of rank 8 on all its linear layers, and batches of 8 rows of 128 tokens.

    Args:
        name: :data:`TINY`, or the real one's, which without its package has its shape and weights at random; that
            costs the same.
        device: ``cpu`` or ``cuda``.
        longest: unroll.
        dtype: of the body; adapters are in float32.
    """
    model, weights = _tiny() if name == TINY else _real()
    adapted = with_adapters(model.to(device, dtype), rank=RANK, spread=0.0, on="all-linear").train()
    optimizer = torch.optim.AdamW(learned_params(adapted).values(), lr=LR)
    generator = torch.Generator().manual_seed(0)
    batches = [_batch(adapted.config.vocab_size, generator, device) for _ in range(longest + 1)]
    found = Case(name, weights, adapted, optimizer, GroupTable(ROWS).to(device), batches[:-1], batches[-1])
    plain_step(found)()
    return found


def _tiny() -> tuple[Any, str]:
    shape = {"vocab_size": 512, "intermediate_size": 192, "num_attention_heads": 4, "num_key_value_heads": 4}
    return llama(hidden=64, max_position_embeddings=2048, initializer_range=0.02, **shape), "random"


def _real() -> tuple[Any, str]:
    import transformers

    if (file := packaged()) is not None:
        read = transformers.AutoModelForCausalLM.from_pretrained
        return read(file.parent, gguf_file=file.name, dtype=torch.float32), file.name
    shape = {"vocab_size": 49152, "intermediate_size": 1536, "num_attention_heads": 9, "num_key_value_heads": 3}
    model = llama(
        hidden=576,
        num_hidden_layers=30,
        max_position_embeddings=2048,
        initializer_range=0.02,
        tie_word_embeddings=True,
        **shape,
    )
    return model, "random, in the model's shape"


def _batch(vocabulary: int, generator: torch.Generator, device: str) -> Batch:
    tokens = torch.randint(vocabulary, (ROWS, LENGTH), generator=generator).to(device)
    return {
        "input_ids": tokens,
        "attention_mask": torch.ones_like(tokens),
        "labels": tokens,
        "groups": torch.arange(ROWS, device=device),
    }


def plain_step(case: Case) -> Work:
    """A step of the trainer: forward, backward, AdamW."""

    def work() -> Tensor:
        (batch,) = case.related[:1]
        loss = weighted_nll(logits_of(case.model, batch), targets_of(batch))
        loss.backward()
        case.optimizer.step()
        case.optimizer.zero_grad()
        return loss.detach()

    return work


def forward_pass(case: Case) -> Work:
    """A forward pass without a graph."""

    @torch.no_grad()
    def work() -> Tensor:
        return losses_of(case.model, case.related[0])

    return work


def ours(case: Case, steps: int, name: str) -> Work:
    """A meta-update. The approximate one is without the measuring of differences, whose radius is chosen before."""
    sieve = case.sieve(steps, FiniteDifference(case.radius) if name == "approximate" else name)

    def work() -> Tensor:
        return sieve.update(case.related[:steps], case.primary).gradients["logits"]

    return work


def naive(case: Case, steps: int) -> Work:
    """A plain functional unroll, what one would write by hand, with attention in operations."""

    def work() -> Tensor:
        sizes = Adam(LR).preconditioner(learned_params(case.model), _moments(case))
        theta: dict[str, Tensor] = learned_params(case.model)
        eta = case.module.logits
        with sdpa_kernel(SDPBackend.MATH):
            for batch in case.related[:steps]:
                loss = _loss(lambda b, p=theta: _called(case.model, p, b), batch, torch.sigmoid(eta))
                gradients = torch.autograd.grad(loss, list(theta.values()), create_graph=True)
                theta = {n: v - sizes[n] * g for (n, v), g in zip(theta.items(), gradients, strict=True)}
            meta = _loss(lambda b: _called(case.model, theta, b), case.primary, torch.ones_like(eta))
        return torch.autograd.grad(meta, eta)[0]

    return work


def higher(case: Case, steps: int) -> Work:
    """facebookresearch/higher, of the adapters alone as far as it allows."""
    import higher as library

    optimizer = torch.optim.SGD(learned_params(case.model).values(), lr=LR)

    def work() -> Tensor:
        eta = case.module.logits
        with (
            sdpa_kernel(SDPBackend.MATH),
            library.innerloop_ctx(case.model, optimizer, copy_initial_weights=False) as (model, inner),
        ):
            for batch in case.related[:steps]:
                inner.step(_loss(lambda b: logits_of(model, b), batch, torch.sigmoid(eta)))
            meta = _loss(lambda b: logits_of(model, b), case.primary, torch.ones_like(eta))
            return torch.autograd.grad(meta, eta)[0]

    return work


def torchopt(case: Case, steps: int) -> Work:
    """metaopt/torchopt, of the adapters alone."""
    import torchopt as library

    own = torch.nn.ModuleList(  # it wants a module all of whose parameters are learned
        module for module in case.model.modules() if any(p.requires_grad for p in module.parameters(recurse=False))
    )

    def work() -> Tensor:
        eta = case.module.logits
        inner = library.MetaSGD(own, lr=LR)
        before = library.extract_state_dict(own, by="reference")
        try:
            with sdpa_kernel(SDPBackend.MATH):
                for batch in case.related[:steps]:
                    inner.step(_loss(lambda b: logits_of(case.model, b), batch, torch.sigmoid(eta)))
                meta = _loss(lambda b: logits_of(case.model, b), case.primary, torch.ones_like(eta))
            return torch.autograd.grad(meta, eta)[0]
        finally:
            library.recover_state_dict(own, before)

    return work


PEERS: dict[str, Callable[[Case, int], Work]] = {"naive": naive, "higher": higher, "torchopt": torchopt}


def refusal(work: Work) -> str:
    """Why a library cannot do this, in its own words; empty if it can."""
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(None):
            warnings.simplefilter("ignore")
            work()
    except Exception as error:  # whatever a library says of a model that it does not expect
        return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"[:200]
    return ""


def _moments(case: Case) -> State:
    return moments_of(case.optimizer, learned_params(case.model))


def _called(model: Any, params: dict[str, Tensor], batch: Batch) -> Tensor:
    inputs = {"input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"], "use_cache": False}
    found: Tensor = functional_call(model, params, (), inputs).logits
    return found


def _loss(logits: Callable[[Batch], Tensor], batch: Batch, weights: Tensor) -> Tensor:
    targets = targets_of(batch)
    losses = torch.nn.functional.cross_entropy(
        logits(batch).float().transpose(1, 2), targets.labels, reduction="none"
    ).sum(dim=1)
    return (weights * losses).sum() / (weights * unit_totals(targets, ROWS)).sum()
