"""A language model read from a folder: tokens of dialogs, losses of responses, scores, and adapters side by side."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn.functional import cross_entropy

from tasksieve.dialogs import SILENCE
from tasksieve.errors import UserError
from tasksieve.models.language_model.adapters import Adapters
from tasksieve.models.language_model.loading import Pretrained, load_pretrained
from tasksieve.models.language_model.reading import candidate_scores, token_losses
from tasksieve.models.language_model.tokens import DialogTokens, Said
from tests.real_language_model import MISSING, packaged
from tests.tiny_language_models import write_llama

CPU = torch.device("cpu")
TURNS = [Said("hello", "what may I do?"), Said(SILENCE, "still there?"), Said("a table", "for how many?")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("transformers")
    return write_llama(tmp_path_factory.mktemp("llama"))


@pytest.fixture
def pretrained(folder: Path) -> Pretrained:
    return load_pretrained(str(folder))


def test_a_dialog_as_tokens_reads_as_it_was_said(pretrained: Pretrained) -> None:
    tokens = DialogTokens(pretrained.tokenizer)
    (spoken,) = tokens.dialog(TURNS)
    text = pretrained.tokenizer.decode(spoken.tokens[1:])
    assert text == (
        "User: hello\nSystem: what may I do?\nSystem: still there?\nUser: a table\nSystem: for how many?\n"
    )
    said = [pretrained.tokenizer.decode(spoken.tokens[slice(*span)]) for span in spoken.spans]
    assert said == [" what may I do?\n", " still there?\n", " for how many?\n"]
    assert tokens.before(TURNS) == spoken.tokens[: spoken.spans[-1][0]]


def test_a_long_dialog_is_cut_between_turns_and_no_turn_is_lost(pretrained: Pretrained) -> None:
    tokens = DialogTokens(pretrained.tokenizer, longest=50)
    parts = tokens.dialog([*TURNS, Said("x" * 200, "y" * 200)])
    assert all(len(part.tokens) <= 50 for part in parts)
    assert [part.first + n for part in parts for n in range(len(part.spans))] == [0, 1, 2, 3]


def test_losses_are_those_of_the_whole_model(pretrained: Pretrained) -> None:
    tokens = DialogTokens(pretrained.tokenizer)
    spoken = [*tokens.dialog(TURNS), *tokens.dialog(TURNS[:1])]
    found = token_losses(pretrained.model, spoken, CPU)
    for one, losses in zip(spoken, found, strict=True):
        ids = torch.tensor([one.tokens])
        logits = pretrained.model(input_ids=ids).logits[0]
        every = cross_entropy(logits[:-1], ids[0, 1:], reduction="none")
        expected = torch.cat([every[first - 1 : end - 1] for first, end in one.spans])
        torch.testing.assert_close(losses, expected, atol=1e-5, rtol=1e-5)


def test_candidates_side_by_side_score_as_they_do_alone(pretrained: Pretrained) -> None:
    tokens = DialogTokens(pretrained.tokenizer)
    contexts = [tokens.before(TURNS), tokens.before(TURNS[:1])]
    texts = [["yes", "for two, or for more of you?"], ["no", "what?", "good bye"]]
    candidates = [[tokens.response(text) for text in own] for own in texts]
    found = candidate_scores(pretrained.model, contexts, candidates, CPU)
    for context, own, scores in zip(contexts, candidates, found, strict=True):
        for one, score in zip(own, scores, strict=True):
            ids = torch.tensor([[*context, *one]])
            logits = pretrained.model(input_ids=ids).logits[0]
            losses = cross_entropy(logits[len(context) - 1 : -1], ids[0, len(context) :])
            torch.testing.assert_close(score, -losses, atol=1e-5, rtol=1e-5)


def test_each_row_has_its_own_adapters_and_its_own_gradient(pretrained: Pretrained) -> None:
    tokens = DialogTokens(pretrained.tokenizer)
    (one,), (other,) = tokens.dialog(TURNS), tokens.dialog(TURNS[:2])
    adapters = Adapters(pretrained.model, rank=2)
    params = adapters.fresh(2, torch.Generator().manual_seed(0), CPU)
    for param in params:
        param += 0.3 * torch.randn(param.shape, generator=torch.Generator().manual_seed(1))

    def gradients(rows: list[int], spoken: list) -> list[torch.Tensor]:  # type: ignore[type-arg]
        own = adapters.of_rows(params, torch.tensor(rows), learned=True)
        adapters.use(own)
        losses = token_losses(pretrained.model, spoken, CPU)
        return list(torch.autograd.grad(torch.cat(losses).sum(), own))

    together = gradients([0, 1, 1], [one, one, other])
    for place, (row, spoken) in enumerate([(0, one), (1, one), (1, other)]):
        for whole, alone in zip(together, gradients([row], [spoken]), strict=True):
            torch.testing.assert_close(whole[place], alone[0], atol=1e-3, rtol=1e-3)
    assert any(float((whole[0] - whole[1]).abs().max()) > 1e-3 for whole in together)


def test_adapters_begin_as_nothing(pretrained: Pretrained) -> None:
    (spoken,) = DialogTokens(pretrained.tokenizer).dialog(TURNS)
    plain = token_losses(pretrained.model, [spoken], CPU)[0]
    adapters = Adapters(pretrained.model)
    fresh = adapters.fresh(1, torch.Generator().manual_seed(0), CPU)
    adapters.use(adapters.of_rows(fresh, torch.tensor([0])))
    assert torch.equal(token_losses(pretrained.model, [spoken], CPU)[0], plain)


@pytest.mark.parametrize("name", ["nowhere.gguf", "/nowhere/at/all"])
def test_a_model_that_is_not_there_is_said_so(name: str) -> None:
    with pytest.raises(UserError, match=r"not there|no folder"):
        load_pretrained(name)


def test_a_folder_that_holds_no_model_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UserError, match="cannot be read"):
        load_pretrained(str(tmp_path))


@pytest.mark.skipif(packaged() is None, reason=MISSING)
def test_a_real_model_finds_what_fits() -> None:
    real = load_pretrained(str(packaged()))
    tokens = DialogTokens(real.tokenizer)
    turns = [Said("I want a bus to Rome.", "On which day do you want to leave?"), Said("On Monday, please.", "?")]
    fitting, other = "There is a bus to Rome on Monday.", "Cucumber the of seventeen blue because."
    (scores,) = candidate_scores(
        real.model, [tokens.before(turns)], [[tokens.response(text) for text in (fitting, other)]], CPU
    )
    assert scores[0] > scores[1] + 1
