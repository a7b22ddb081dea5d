"""Small trainings, also in several processes that are started by test_weighted_trainer.py."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import torch

from tests.tiny_language_models import TEMPLATE, chat, llama, with_adapters, word_tokenizer

ESTIMATORS = ("approximate", "exact")


def arguments(folder: Path, *, size: int = 4, epochs: float = 1, **more: Any) -> Any:
    """In the order of the data, without what slows a small training down."""
    import transformers

    settings: dict[str, Any] = {
        "learning_rate": 1e-2,
        "lr_scheduler_type": "constant",
        "max_grad_norm": 0.0,
        "train_sampling_strategy": "sequential",
        "save_strategy": "no",
        "logging_steps": 1,
    }
    return transformers.TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=size,
        num_train_epochs=epochs,
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
        dataloader_pin_memory=False,
        seed=0,
        **{**settings, **more},
    )


def trainer(
    folder: Path,
    data: list[dict[str, Any]],
    *,
    model: Any = None,
    learn: Any = None,
    kind: Any = None,
    encoder_decoder: bool = False,
    compute_loss_func: Any = None,
    **how: Any,
) -> Any:
    """A ``WeightedTrainer``, or of another kind."""
    from tasksieve.integrations import ChatCollator, WeightedTrainer

    collate = ChatCollator(word_tokenizer(TEMPLATE), max_length=48, encoder_decoder=encoder_decoder)
    plain = kind is not None
    return (kind or WeightedTrainer)(
        model=model if model is not None else with_adapters(llama()),
        args=arguments(folder, **how, **({"remove_unused_columns": False} if plain else {})),
        train_dataset=data,
        data_collator=_Bare(collate) if plain else collate,
        callbacks=[learn] if learn is not None else [],
        compute_loss_func=compute_loss_func,
    )


class _Bare:
    """What a plain trainer's model has arguments for."""

    def __init__(self, collate: Any) -> None:
        self._collate = collate

    def __call__(self, examples: Any) -> Any:
        return {
            name: value
            for name, value in self._collate(examples).items()
            if name in ("input_ids", "attention_mask", "labels")
        }


def example(kind: int) -> dict[str, Any]:
    """Of kind 1 with the answer of the primary task, of kind 0 with another one."""
    return chat("a table please", ("phone is good two", "here you are .")[kind], group=kind)


def learner(**how: Any) -> Any:
    """With two groups unless told otherwise."""
    from tasksieve.integrations import LearnWeights

    primary = [{**example(1), "group": -1}] * 8
    settings = {"groups": 2} if "module" not in how else {}
    return LearnWeights(**{"primary": primary, **settings, **how})


def trained_params(model: Any) -> torch.Tensor:
    """All that is trained, in one piece."""
    return torch.cat([value.detach().reshape(-1).clone() for value in model.parameters() if value.requires_grad])


def learned(folder: Path, size: int, estimator: str) -> dict[str, torch.Tensor]:
    """A training with learned weights; in several processes each has a batch of this size."""
    data = [example(place % 2) for place in range(16)]
    learn = learner(estimator=estimator, weight_lr=0.3, check_every=2)
    made = trainer(folder, data, learn=learn, size=size, epochs=2, learning_rate=3e-3)
    made.train()
    return {"params": trained_params(made.model), "weights": torch.tensor(learn.weights())}


def work(rank: int, folder: str, port: int) -> None:
    """One of two processes."""
    torch.set_num_threads(1)
    os.environ |= {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": "2",
        "LOCAL_WORLD_SIZE": "2",
        "MASTER_ADDR": "localhost",
        "MASTER_PORT": str(port),
    }
    found = {estimator: learned(Path(folder) / "several", 2, estimator) for estimator in ESTIMATORS}
    torch.save(found, Path(folder) / f"rank-{rank}.pt")
    torch.distributed.destroy_process_group()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("localhost", 0))
        port: int = found.getsockname()[1]
        return port
