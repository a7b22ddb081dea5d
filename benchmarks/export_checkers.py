"""Check files for fine-tuning with the tools' own loaders and checkers; run by the Python that has the tool.

    PYTHON export_checkers.py TOOL FOLDER

Prints JSON: what checked the files, in which version, and how many rows it took. Nothing of this project is imported,
so that a tool may stand in an environment of its own.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

TEMPLATE = (
    "{% for m in messages %}<{{ m['role'] }}> {{ m['content'] or '' }}{% for c in m['tool_calls'] or [] %} "
    "{{ c['function']['name'] }} {% endfor %} <end>\n{% endfor %}"
)


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def together(folder: Path) -> dict[str, Any]:
    """By the check that Together's client makes before it uploads a file."""
    from together.lib.utils.files import check_file  # type: ignore[import-not-found]

    reports = [check_file(path) for path in sorted(folder.glob("*.jsonl"))]
    failed = [report["message"] for report in reports if not report["is_check_passed"]]
    if failed:
        raise ValueError(failed[0])
    return {"by": "together.lib.utils.files.check_file", "rows": sum(report["num_samples"] for report in reports)}


def openai(folder: Path) -> dict[str, Any]:
    """By the types of messages that OpenAI's client has; its service checks the rest after the upload."""
    from openai.types.chat import ChatCompletionMessageParam  # type: ignore[import-not-found]
    from pydantic import TypeAdapter

    messages = TypeAdapter(list[ChatCompletionMessageParam])
    rows = [row for path in sorted(folder.glob("*.jsonl")) for row in rows_of(path)]
    for row in rows:
        messages.validate_python(row["messages"])
    return {"by": "openai.types.chat.ChatCompletionMessageParam", "rows": len(rows)}


def mistral(folder: Path) -> dict[str, Any]:
    """By the validator that mistral-finetune calls, in its mode for fine-tuning."""
    from mistral_common.protocol.instruct import messages as kinds  # type: ignore[import-not-found]
    from mistral_common.protocol.instruct.validator import (  # type: ignore[import-not-found]
        MistralRequestValidatorV3,
        ValidationMode,
    )

    of_role = {
        "system": kinds.SystemMessage,
        "user": kinds.UserMessage,
        "assistant": kinds.FinetuningAssistantMessage,
        "tool": kinds.ToolMessage,
    }
    validator = MistralRequestValidatorV3(mode=ValidationMode.finetuning)
    rows = [row for path in sorted(folder.glob("*.jsonl")) for row in rows_of(path)]
    for row in rows:
        validator.validate_messages([of_role[message["role"]].model_validate(message) for message in row["messages"]])
    return {"by": "mistral_common MistralRequestValidatorV3, fine-tuning", "rows": len(rows)}


class _Letters:
    """A tokenizer of single letters."""

    def encode(self, text: str, add_special_tokens: bool = False) -> list[int]:
        return [ord(letter) for letter in text]


def llama_factory(folder: Path) -> dict[str, Any]:
    """By LLaMA-Factory's data engine and a template of it: each letter has the weight of its message."""
    from llamafactory.v1.core.data_engine import DataEngine  # type: ignore[import-not-found]
    from llamafactory.v1.plugins.model_plugins.templates.qwen3_nothink import (  # type: ignore[import-not-found]
        render_qwen3_nothink_messages as render,
    )

    before = Path.cwd()
    os.chdir(folder)  # from where the engine takes the path in the file
    try:
        engine = DataEngine("dataset_info.yaml")
    finally:
        os.chdir(before)
    for number, row in enumerate(rows_of(folder / "train.jsonl")):
        sample = engine[number]
        found = render(_Letters(), sample["messages"], sample.get("tools") or None)
        weights = {message["loss_weight"] for message in row["messages"]}
        if not weights - {0.0} <= set(found["loss_weights"]) <= weights | {0.0}:
            raise ValueError(f"row {number + 1} has weights {weights}, and its tokens {set(found['loss_weights'])}")
    return {"by": "llamafactory.v1 DataEngine and its qwen3_nothink template", "rows": len(engine)}


def ms_swift(folder: Path) -> dict[str, Any]:
    """By ms-swift's loader of data sets, which drops what it does not know, and its loss scale."""
    os.environ["MODELSCOPE_CACHE"] = str(folder / "cache")
    from swift.dataset import load_dataset  # type: ignore[import-not-found]
    from swift.loss_scale.base import LossScale  # type: ignore[import-not-found]
    from swift.template import ContextType  # type: ignore[import-not-found]

    count = 0
    for path in sorted(folder.glob("*.jsonl")):
        rows = rows_of(path)
        loaded, _ = load_dataset(str(path), strict=True)
        for row, found in zip(rows, loaded, strict=True):
            wanted = [message["loss_scale"] for message in row["messages"] if "loss_scale" in message]
            said = [message for message in found["messages"] if message["role"] in ("assistant", "tool_call")]
            scales = [message["loss_scale"] for message in said]
            if len(scales) != len(wanted) or not all(map(math.isclose, scales, wanted)):
                raise ValueError(f"loss scales are {scales}, and were {wanted}")
            for message in (message for message in said if message["role"] == "assistant"):
                pair = [{"role": "user", "content": ""}, message]
                _, (scale,) = LossScale()([message["content"]], [ContextType.RESPONSE], pair)
                if scale != message["loss_scale"]:
                    raise ValueError(f"a response counts {scale}, and should {message['loss_scale']}")
        count += len(rows)
    return {"by": "swift.dataset.load_dataset and LossScale", "rows": count}


def _words(rows: list[dict[str, Any]]) -> Any:
    """A tokenizer of the words in rows, with a chat template."""
    from tokenizers import Tokenizer, models, pre_tokenizers  # type: ignore[import-not-found]
    from transformers import PreTrainedTokenizerFast

    texts = [str(message.get("content")) for row in rows for message in row["messages"]]
    known = ["<pad>", "<end>", "<unk>", *(f"<{role}>" for role in ("system", "user", "assistant", "tool"))]
    splitter = pre_tokenizers.WhitespaceSplit()
    words = {word for text in texts for word, _ in splitter.pre_tokenize_str(text)}
    vocabulary = {word: number for number, word in enumerate([*known, *sorted(words - {*known})])}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    inner.pre_tokenizer = splitter
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<pad>", eos_token="<end>", unk_token="<unk>"
    )
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def axolotl(folder: Path) -> dict[str, Any]:
    """By axolotl's chat template strategy: the tokens with labels are those of the responses that are learned."""
    from axolotl.prompt_strategies.chat_template import (  # type: ignore[import-not-found]
        ChatTemplatePrompter,
        ChatTemplateStrategy,
    )

    rows = rows_of(folder / "train.jsonl")
    tokenizer = _words(rows)
    prompter = ChatTemplatePrompter(tokenizer, TEMPLATE, message_field_training="train", max_length=4096)
    strategy = ChatTemplateStrategy(prompter, tokenizer, train_on_inputs=False, sequence_len=4096, roles_to_train=[])
    for row in rows:
        found = strategy.tokenize_prompt(row)
        learned = tokenizer.decode([label for label in found["labels"] if label != -100]).split()
        wanted = [m["content"] for m in row["messages"] if m["train"] and m.get("content")]
        said = " ".join(word for word in learned if word != "<end>")
        if said != " ".join(" ".join(wanted).split()):
            raise ValueError(f"learned is '{said}', and should be '{' '.join(wanted)}'")
    return {"by": "axolotl ChatTemplateStrategy", "rows": len(rows)}


def trl(folder: Path) -> dict[str, Any]:
    """By datasets' loader, and what TRL takes for conversational and makes of it."""
    from datasets import load_dataset  # type: ignore[import-not-found]
    from trl.data_utils import apply_chat_template, is_conversational  # type: ignore[import-not-found]

    data = load_dataset(str(folder), split="train")
    tokenizer = _words(list(data))
    for row in data:
        responses = [message for message in row["messages"] if message["role"] == "assistant"]
        if not is_conversational(row) or len(row["weights"]) != len(responses):
            raise ValueError(f"found {row}; expected messages with a weight a response")
        apply_chat_template({"messages": row["messages"]}, tokenizer)
    return {"by": "datasets.load_dataset and trl.data_utils", "rows": len(data)}


CHECKERS: dict[str, tuple[Callable[[Path], dict[str, Any]], tuple[str, ...]]] = {
    "axolotl": (axolotl, ("axolotl", "transformers")),
    "azure": (openai, ("openai",)),
    "huggingface": (trl, ("datasets", "trl")),
    "llama-factory": (llama_factory, ("llamafactory", "datasets")),
    "mistral": (mistral, ("mistral-common",)),
    "ms-swift": (ms_swift, ("ms-swift", "datasets")),
    "openai": (openai, ("openai",)),
    "together": (together, ("together",)),
    "trl": (trl, ("trl", "datasets")),
}
"""For each tool what checks its files, and the packages whose versions count."""

if __name__ == "__main__":
    check, packages = CHECKERS[sys.argv[1]]
    result = check(Path(sys.argv[2]))
    print(json.dumps({**result, "versions": {name: version(name) for name in packages}}))
