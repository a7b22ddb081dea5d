"""The example and the benchmark run; the page says what the record says."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest
import torch

from benchmarks import language_model_cases, language_model_page, language_models
from tests.integrations.ranks import example
from tests.tiny_language_models import TEMPLATE, llama, word_tokenizer

ROOT = Path(__file__).resolve().parents[2]
pytest.importorskip("peft")


@pytest.mark.filterwarnings("ignore:'pin_memory' argument is set as true:UserWarning")  # torch's, without a card
def test_the_example_prints_a_weight_for_each_related_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    llama().save_pretrained(tmp_path / "model")
    word_tokenizer(TEMPLATE).save_pretrained(tmp_path / "model")
    for name, kind in (("new", 1), ("valid", 1), ("old", 0), ("other", 1)):
        (tmp_path / f"{name}.jsonl").write_text(f"{json.dumps(example(kind))}\n" * 8)
    files = {name: str(tmp_path / f"{name}.jsonl") for name in ("new", "valid", "old", "other")}
    arguments = ["--model", str(tmp_path / "model"), "--out", str(tmp_path / "out"), "--epochs", "1"]
    arguments += ["--primary", files["new"], "--valid", files["valid"], "--related", files["old"], files["other"]]
    monkeypatch.setattr(sys, "argv", ["language_model_weights", *arguments])
    runpy.run_path(str(ROOT / "examples" / "language_model_weights.py"), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines[-2:]] == ["old.jsonl", "other.jsonl"]
    assert (tmp_path / "out" / "adapter_model.safetensors").is_file()


def test_the_benchmark_measures_ours_and_a_naive_unroll(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(language_model_cases, "LENGTH", 8)
    peers = {"naive": language_model_cases.naive}
    monkeypatch.setattr(language_models, "PEERS", peers)
    arguments = ["--models", "tiny", "--rounds", "1", "--lengths", "1", "--json", str(tmp_path / "out.json")]
    monkeypatch.setattr(sys, "argv", ["language_models", *arguments])
    threads = torch.get_num_threads()
    language_models.main()
    torch.set_num_threads(threads)
    record = json.loads((tmp_path / "out.json").read_text())
    for measured in record["models"][0]["lengths"]:
        errors = {row["name"]: row["error"] for row in measured["rows"] if "error" in row}
        assert errors["naive"] < 1e-4
        assert errors["approximate"] < 0.1
    assert capsys.readouterr().out.count("plain steps") == 5
    assert language_model_page.table(record).count("| approximate |") == 1


def test_a_record_keeps_what_is_not_measured_anew(tmp_path: Path) -> None:
    out, about = tmp_path / "out.json", {"model": "tiny", "device": "a CPU, threads: 1"}
    entry = {**about, "radius": 0.01, "lengths": [{"k": 1}, {"k": 5}]}
    assert language_models.kept_entry(out, about, None, [5]) is None
    out.write_text(json.dumps({"models": [entry]}))
    assert language_models.kept_entry(out, about, None, [5]) == {**entry, "lengths": [{"k": 1}]}
    assert language_models.kept_entry(out, about, 0.1, [1, 5]) is None
    with pytest.raises(SystemExit, match="threads: 1, now a CPU, threads: 2: measure all anew"):
        language_models.kept_entry(out, {**about, "device": "a CPU, threads: 2"}, None, [5])
    with pytest.raises(SystemExit, match=r"radius 0\.01, now 0\.1"):
        language_models.kept_entry(out, about, 0.1, [5])


def test_the_page_shows_the_record() -> None:
    record = json.loads((ROOT / "results" / "language-models.json").read_text())
    assert language_model_page.table(record) in (ROOT / "docs" / "language-models.md").read_text()
