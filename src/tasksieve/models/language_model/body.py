"""A pretrained model with adapted maps, which several dialog models may share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from torch import Tensor

from tasksieve.errors import UserError
from tasksieve.models.language_model.adapters import Adapters
from tasksieve.models.language_model.loading import Pretrained, load_pretrained
from tasksieve.models.language_model.sharding import Whole, several_processes, shard
from tasksieve.models.language_model.tokens import DialogTokens

Found = TypeVar("Found")


class Body:
    """A pretrained model that several dialog models may share: one uses it at a time.

    Args:
        pretrained: frozen; its maps of attention are adapted.
        rank, alpha: of the adapters.
        sharded: whether its weights lie in parts over the processes of a run, from the first pass on.
    Raises: ValueError: if the model has no map of a known name.

    Attributes:
        adapters: the adapted maps.
        tokens: makes tokens of texts.
        tokenizer: of transformers.
        sharded: as given.
        whole: the model as one module.
    """

    def __init__(self, pretrained: Pretrained, rank: int, alpha: float, *, sharded: bool = False) -> None:
        self.adapters, self.tokens = Adapters(pretrained.model, rank, alpha), DialogTokens(pretrained.tokenizer)
        self.tokenizer, self.whole, self.sharded = pretrained.tokenizer, Whole(pretrained.model), sharded
        self._pretrained, self._lies_in_parts = pretrained, False
        self._lock = threading.RLock()

    def read(self, work: Callable[[Any], Found], params: Sequence[Tensor]) -> Found:
        """What some work finds in the model.

        Args:
            work: takes the model, where the adapters are; with sharded weights all processes do it at the same time.
            params: one set of adapters, as :meth:`Adapters.use` takes them.
        """
        device = params[0].device
        with self._lock:
            if self.sharded and not self._lies_in_parts:
                shard(self.whole, device)
                self._lies_in_parts = True
            elif not self.sharded and self._pretrained.device != device:
                self._pretrained.model.to(device)
            self.adapters.use(params)
            found: Found = self.whole(work)
            return found


def body_of(name: str, rank: int, alpha: float, sharded: bool = False) -> Body:
    """The pretrained model of a name, read once in a process; attention as plain products, which differentiate twice.

    Args:
        name: of the model.
        rank, alpha: of the adapters.
        sharded: whether the weights are to lie in parts over the processes of a run; where there is one, as when a
            trained model is used, they are whole.
    Raises: UserError: if there is no such model, or it has no attention of a known kind.
    """
    return _body_of(name, rank, alpha, sharded and several_processes())


@lru_cache(maxsize=2)
def _body_of(name: str, rank: int, alpha: float, sharded: bool) -> Body:
    pretrained = load_pretrained(name)
    pretrained.model.set_attn_implementation("eager")
    try:
        return Body(pretrained, rank, alpha, sharded=sharded)
    except ValueError as error:
        raise UserError(f"model '{name}' cannot be fine-tuned: {error}") from None
