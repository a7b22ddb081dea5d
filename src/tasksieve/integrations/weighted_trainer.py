"""Transformers' Trainer with a weight for every turn and example."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from tasksieve.errors import UserError
from tasksieve.integrations.extra import needed
from tasksieve.integrations.passes import logits_of, shifts
from tasksieve.integrations.weighted_loss import (
    Targets,
    reweighted,
    targets_of,
    unit_count,
    weighted_nll,
)

if TYPE_CHECKING:
    Trainer = Any
else:
    Trainer = needed("transformers").Trainer


class WeightedTrainer(Trainer):  # type: ignore[misc]
    r"""A ``transformers.Trainer`` whose loss is :math:`\sum_t w_t \mathrm{nll}_t / \sum_t w_t`.

    The sums go over the whole accumulated batch of all processes, so that neither gradient accumulation nor the
    number of processes changes what is learned. Batches are as of :class:`ChatCollator`; one without weights is
    learned from as the plain Trainer does. With a :class:`LearnWeights` among the callbacks, the learned weights are
    multiplied in. Evaluation tells the same quotient with the weights of the data, over all of its batches and
    processes; nan, with a warning, where all weights are 0.

    Takes what a Trainer takes; ``args.remove_unused_columns`` is set to False, as the collator reads all columns.

    Raises: UserError: with a loss of one's own, label smoothing, ``torch.nn.DataParallel`` or DeepSpeed.
    """

    def __init__(self, model: Any = None, args: Any = None, *more: Any, **settings: Any) -> None:
        if settings.get("compute_loss_func") is not None:
            raise UserError("WeightedTrainer has its own loss; leave compute_loss_func out")
        if args is not None and args.label_smoothing_factor:
            raise UserError("label smoothing is no part of a weighted loss; set label_smoothing_factor = 0")
        super().__init__(model, args, *more, **settings)
        self.args.remove_unused_columns = False
        self._evaluated = torch.zeros(2, dtype=torch.float64)
        if self.args.n_gpu > 1:
            raise UserError("several GPUs in one process are not supported; start with torchrun or accelerate launch")
        self.model_accepts_loss_kwargs = True  # the loss is already that of the whole accumulated batch
        self.loss_is_scaled_for_ga = True
        self._learner = next((one for one in self.callback_handler.callbacks if hasattr(one, "unit_weights")), None)
        if self._learner is not None:
            self._learner.attach(self)

    def add_callback(self, callback: Any) -> None:
        """As the Trainer adds one. Raises: UserError: if it is a ``LearnWeights``, which is needed from the start."""
        if hasattr(callback, "unit_weights"):
            raise UserError("a LearnWeights cannot be added later; give it to WeightedTrainer in callbacks=[...]")
        super().add_callback(callback)

    def compute_loss(
        self,
        model: Any,
        inputs: Mapping[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """The weighted loss of a batch, over the weights' sum of the accumulated one."""
        targets = self._targets(inputs, learned=num_items_in_batch is not None)
        logits = logits_of(model, inputs)
        loss = weighted_nll(logits, targets, num_items_in_batch)
        if num_items_in_batch is not None:
            loss = loss * self.accelerator.num_processes  # gradients, and what is logged, are averaged over processes
        return (loss, {"loss": loss.detach(), "logits": logits}) if return_outputs else loss

    def _get_num_items_in_batch(self, batch_samples: Sequence[Any], device: Any = None) -> Tensor | None:
        """The sum of all labels' weights, over the accumulated batches of all processes."""
        if not batch_samples:
            return None
        device = device or self.args.device
        targets = [self._targets(self._prepare_inputs(batch), learned=True) for batch in batch_samples]
        total = torch.stack([one.weights.double().sum() for one in targets]).sum().to(device, torch.float32)
        return self.accelerator.gather(total.reshape(1)).sum() if self.args.world_size > 1 else total

    def prediction_step(
        self, model: Any, inputs: dict[str, Any], prediction_loss_only: bool, ignore_keys: list[str] | None = None
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """Loss of a batch by itself, and unless only that is wanted logits and labels."""
        inputs = self._prepare_inputs(inputs)
        with torch.no_grad(), self.compute_loss_context_manager():
            loss, found = self.compute_loss(model, inputs, return_outputs=True)
            self._evaluated += self._sums(inputs, loss, found["logits"])
        if prediction_loss_only:
            return loss.detach(), None, None
        return loss.detach(), found["logits"].detach(), inputs["labels"]

    def evaluation_loop(
        self,
        dataloader: Any,
        description: str,
        prediction_loss_only: bool | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> Any:
        """As the Trainer evaluates or predicts, with the weighted loss over all batches in place of their mean."""
        self._evaluated = torch.zeros(2, dtype=torch.float64)
        found = super().evaluation_loop(dataloader, description, prediction_loss_only, ignore_keys, metric_key_prefix)
        if self.args.world_size > 1:
            self._evaluated = self.accelerator.gather(self._evaluated.to(self.args.device)[None]).sum(0).cpu()
        loss, weight = self._evaluated.tolist()
        if not weight:
            warnings.warn(
                "the examples to evaluate on have no token with a weight above 0, so their loss is nan; give some",
                RuntimeWarning,
                stacklevel=3,
            )
        found.metrics[f"{metric_key_prefix}_loss"] = loss / weight if weight else math.nan
        return found

    def _sums(self, inputs: Mapping[str, Tensor], loss: Tensor, logits: Tensor) -> Tensor:
        """Weighted loss and weight of a batch in evaluation, without what only fills up the last one."""
        targets = self._targets(inputs, learned=False)
        state = self.accelerator.gradient_state
        if self.args.world_size > 1 and state.end_of_dataloader and state.remainder > 0:
            examples = inputs.get("examples")
            if examples is None:
                examples = torch.arange(unit_count(inputs), device=targets.weights.device)
            before = self.args.process_index * self.args.eval_batch_size
            targets = reweighted(targets, (examples + before < state.remainder).to(targets.weights))
            loss = weighted_nll(logits, targets)
        weight = targets.weights.cpu().double().sum()
        return torch.stack([loss.detach().cpu().double() * weight, weight])

    def log(self, logs: dict[str, float], *more: Any, **settings: Any) -> None:
        """As the Trainer logs, with the last meta-loss beside the loss."""
        found = None if self._learner is None or "loss" not in logs else self._learner.meta_loss
        super().log(logs if found is None else {**logs, "meta_loss": found}, *more, **settings)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)
        if self._learner is not None:
            self._learner.resumes_from = checkpoint

    def _targets(self, inputs: Mapping[str, Tensor], *, learned: bool) -> Targets:
        """With the learned weights in training, and with those of the data alone in evaluation."""
        targets = targets_of(inputs, shift=shifts(self.model))
        found = self._learner.unit_weights(inputs) if learned and self._learner is not None else None
        return targets if found is None else reweighted(targets, found)
