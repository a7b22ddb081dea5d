"""A matching model that tunes its encoder's last layer: the meta-gradient against a naive unroll in float64."""

from __future__ import annotations

import functools
from typing import Any

import pytest
import torch
from torch import Tensor

from tasksieve.encoding.sentences import Encoder
from tasksieve.metagrad import ESTIMATORS, Params, estimator_named
from tests.acting import service
from tests.gradients.matching_cases import matching_case
from tests.gradients.naive import naive_meta_gradient
from tests.gradients.plain_matching import PlainMatching, Seen
from tests.gradients.problems import Case
from tests.gradients.settings import SETTINGS, assert_same
from tests.reading import World
from tests.tiny_encoder import write_tiny

transformers = pytest.importorskip("transformers", reason="the extra `pretrained` is not installed")

EVERY_STEP = ("unrolled", "adjoint", "recompute", "forward")


@functools.cache
def whole_encoder(folder: str) -> Any:
    """The encoder as transformers has it, in float64."""
    encoder = transformers.BertModel.from_pretrained(folder, add_pooling_layer=False)
    return encoder.double().eval().requires_grad_(False)


class PlainTuned(PlainMatching):
    """The last utterance through the whole encoder, with the adapter as its formula reads, one text at a time."""

    def _vectors(self, p: Params, seen: Seen) -> Tensor:
        frozen, pieces = seen.vectors(), seen.table.pieces
        assert pieces is not None
        ids = pieces[seen.utterance][pieces[seen.utterance] > 0].long()[None] - 1
        if not ids.numel():
            return frozen
        encoder = whole_encoder(self.config.encoder)
        last = encoder.encoder.layer[-1]
        hidden = encoder(ids, output_hidden_states=True).hidden_states[-2]
        x = last.attention(hidden)[0]
        fed = last.output.dense(last.intermediate(x)) + x
        beside = torch.relu(x @ p["adapter.inward"] + p["adapter.bias"]) @ p["adapter.outward"]
        tuned = last.output.LayerNorm(fed + beside)[0].mean(dim=0)
        return torch.cat([tuned, frozen[len(tuned) :]])


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = write_tiny(tmp_path_factory.mktemp("encoder"))
    encoder = Encoder.load(str(folder))
    tasks = {"primary": service("buses"), "related-1": service("hotels"), "related-2": service("trains")}
    world = World(
        tasks,
        named=False,
        predict="actions",
        vectors=lambda texts: encoder.embed(texts).double(),
        pieces=encoder.pieces,
    )
    settings: dict[str, Any] = {"sentences": "both", "encoder": str(folder), "tune": "adapters", "tune_width": 3}
    return matching_case("mean", acting=world, plainly=PlainTuned, **settings)


@pytest.mark.parametrize("setting", ["momentum-carried", "adam-carried", "adamw"])
@pytest.mark.parametrize(("steps", "joint"), [(1, False), (2, True)])
def test_every_element_is_that_of_the_naive_unroll(setting: str, steps: int, joint: bool, case: Case) -> None:
    one = SETTINGS[setting]
    expected = naive_meta_gradient(case, steps, one.naive(case.lr), joint=joint, moments=one.moments(case))
    assert max(float(value.abs().max()) for value in expected.values()) > 1e-8
    for name in EVERY_STEP:
        few = ESTIMATORS[name].few_weight_params
        update = case.update(one.rule(case.lr), steps, joint=joint, state=one.state(case), few=few)
        found = estimator_named(name)(update).gradients
        assert_same(found, {key: expected[key] for key in update.weight_params})


def test_the_adapter_has_a_say_in_it(case: Case) -> None:
    one = SETTINGS["sgd"]
    without = case.only(*(name for name in case.params if not name.startswith("adapter.")))
    both = [naive_meta_gradient(of, 1, one.naive(case.lr)) for of in (case, without)]
    assert any(bool((both[0][name] - both[1][name]).abs().max() > 1e-6) for name in both[0])
