"""While the tests run, a wrong type or shape is an error where a function is called."""

from __future__ import annotations

from typing import Any

import jaxtyping
import pytest
import torch
from beartype import beartype
from beartype.roar import BeartypeCallHintViolation
from jaxtyping import Float
from torch import Tensor

from tasksieve.encoding import derived_generator
from tests.checked_types import names_shapes


def product(left: Float[Tensor, " n"], right: Float[Tensor, " n"]) -> Float[Tensor, ""]:
    return left @ right


def count(values: list[int]) -> int:
    return len(values)


class Holder:
    @property
    def row(self) -> tuple[Float[Tensor, " n"], int]:
        return torch.zeros(2), 1

    @staticmethod
    def name() -> str:
        return "holder"


def test_functions_that_name_shapes_are_told_from_those_that_do_not() -> None:
    assert names_shapes(product) and names_shapes(Holder.__dict__["row"])
    assert not names_shapes(count) and not names_shapes(Holder.__dict__["name"])


def test_sizes_with_one_name_must_agree() -> None:
    checked = jaxtyping.jaxtyped(typechecker=beartype)(product)
    assert checked(torch.ones(2), torch.ones(2)) == 2
    with pytest.raises(jaxtyping.TypeCheckError):
        checked(torch.ones(2), torch.ones(3))


def test_the_package_is_checked(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("check_types"):
        pytest.skip("types are not checked in this run")
    wrong: Any = "seed"
    with pytest.raises(BeartypeCallHintViolation):
        derived_generator(wrong, 1)
