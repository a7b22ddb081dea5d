"""The cases and rules of the comparisons, by name, and the truth for each, computed once."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import torch

from tasksieve.metagrad import Adam, InnerRule, Moments, Sgd, State
from tests.gradients.matching_cases import matching_case
from tests.gradients.naive import NaiveRule, naive_meta_gradient
from tests.gradients.problems import Case, classifier_case, dialog_case, image_case

CASES = {
    "classifier-sum": lambda: classifier_case("sum"),
    "classifier-mean": lambda: classifier_case("mean"),
    "dialogs": lambda: dialog_case("sum", shared=False, normalize=True),
    "dialogs-given": lambda: dialog_case("mean", shared=True, given=True, own=True),
    "dialogs-entities": lambda: dialog_case("mean", shared=True, entities=True, own=True),
    "images": lambda: image_case("mean"),
    "matching": lambda: matching_case("mean"),
    "matching-entities": lambda: matching_case("sum", entities=True),
}
"""Those of the memory network and of images by the models' own linearizations, where an estimator asks for any."""
UNROLLS = ((0, False), (1, False), (3, True))
"""K, and whether the unroll is joint."""


@dataclass(frozen=True)
class Setting:
    """A rule, and whether it starts from moments.

    Attributes:
        momentum, decay: of the rule; ``adam`` says which rule.
    """

    adam: bool
    carried: bool
    momentum: float = 0.0
    decay: float = 0.0

    def rule(self, lr: float) -> InnerRule:
        """The engine's."""
        return Adam(0.01, eps_root=1e-8, weight_decay=self.decay) if self.adam else Sgd(lr, self.momentum)

    def naive(self, lr: float) -> NaiveRule:
        """The same for the naive unroll."""
        if self.adam:
            return NaiveRule("adam", 0.01, eps_root=1e-8, decay=self.decay)
        return NaiveRule("sgd", lr, momentum=self.momentum)

    def moments(self, case: Case) -> dict[str, Any] | None:
        """Moments (mean, square, steps) by name, as after some real steps."""
        if not self.carried:
            return None
        generator = torch.Generator().manual_seed(9)

        def draw(value: torch.Tensor) -> torch.Tensor:
            return torch.randn(value.shape, generator=generator, dtype=torch.float64)

        return {
            name: (draw(value) * 0.1, draw(value).square() * 0.01 if self.adam else None, 7)
            for name, value in case.params.items()
        }

    def state(self, case: Case) -> State | None:
        """The same for the engine."""
        moments = self.moments(case)
        return None if moments is None else {name: Moments(*value) for name, value in moments.items()}


SETTINGS = {
    "sgd": Setting(adam=False, carried=False),
    "momentum": Setting(adam=False, carried=False, momentum=0.8),
    "momentum-carried": Setting(adam=False, carried=True, momentum=0.8),
    "adam": Setting(adam=True, carried=False),
    "adam-carried": Setting(adam=True, carried=True),
    "adamw": Setting(adam=True, carried=False, decay=0.5),
    "adamw-carried": Setting(adam=True, carried=True, decay=0.5),
}


@functools.cache
def case_named(name: str) -> Case:
    """A case, made once."""
    return CASES[name]()


@functools.cache
def truth(case: str, setting: str, steps: int, joint: bool = False) -> dict[str, torch.Tensor]:
    """The meta-gradient by the naive unroll."""
    chosen, one = case_named(case), SETTINGS[setting]
    return naive_meta_gradient(chosen, steps, one.naive(chosen.lr), joint=joint, moments=one.moments(chosen))


def assert_same(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    """Every element within 1e-9, relative to the element, with a floor far below the gradient's size."""
    assert found.keys() == expected.keys()
    for name in expected:
        floor = 1e-12 * float(expected[name].abs().max()) + 1e-300
        torch.testing.assert_close(
            found[name], expected[name], rtol=1e-9, atol=floor, msg=lambda m, n=name: f"{n}: {m}"
        )


def relative_error(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> float:
    """The norm of what is wrong, relative to the truth's."""
    wrong = sum(float((found[name] - value).square().sum()) for name, value in expected.items())
    return (wrong / sum(float(value.square().sum()) for value in expected.values())) ** 0.5


def cosine(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> float:
    """Of the angle between two meta-gradients."""
    first, second = (torch.cat([one[name].flatten() for name in expected]) for one in (found, expected))
    return float(first @ second / first.norm() / second.norm())
