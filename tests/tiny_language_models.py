"""Language models of two thin layers with weights at random, a tokenizer of whole words, and chats for them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

TEXT = "hello i need a table for two in rome cheap please thanks the phone number is here you are good bye"
WORDS = (*TEXT.split(), "user", "assistant", "system", ":", ".", "?")
SPECIAL = ("<pad>", "<eos>", "<unk>")
TEMPLATE = (
    "{% for message in messages %}<{{ message['role'] }}> {{ message['content'] }} <eos>\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant> {% endif %}"
)


def tokenizer(template: str | None = None) -> Any:
    """Of whole words, without a chat template unless one is given."""
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = [*SPECIAL, "<user>", "<assistant>", "<system>", *dict.fromkeys(WORDS)]
    made = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    special = {"pad_token": "<pad>", "eos_token": "<eos>", "unk_token": "<unk>"}
    found = transformers.PreTrainedTokenizerFast(tokenizer_object=made, **special)
    found.chat_template = template
    return found


def vocabulary() -> int:
    return len(SPECIAL) + 3 + len(set(WORDS))


def llama(*, attention: str = "sdpa", seed: int = 0, **settings: Any) -> Any:
    transformers = pytest.importorskip("transformers")
    config = transformers.LlamaConfig(
        vocab_size=vocabulary(),
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=64,
        initializer_range=0.3,
        pad_token_id=0,
        bos_token_id=None,
        eos_token_id=1,
        attn_implementation=attention,
        **settings,
    )
    return _made(transformers.LlamaForCausalLM, config, seed)


def t5(*, attention: str = "sdpa", seed: int = 0, dropout: float = 0.0) -> Any:
    transformers = pytest.importorskip("transformers")
    config = transformers.T5Config(
        vocab_size=vocabulary(),
        d_model=16,
        d_kv=8,
        d_ff=24,
        num_layers=2,
        num_heads=2,
        dropout_rate=dropout,
        decoder_start_token_id=0,
        attn_implementation=attention,
        pad_token_id=0,
        eos_token_id=1,
    )
    return _made(transformers.T5ForConditionalGeneration, config, seed)


def with_adapters(model: Any, *, rank: int = 2, dropout: float = 0.0, seed: int = 1) -> Any:
    """LoRA on the attention's queries and values, not zero, so that all of it has a gradient."""
    peft = pytest.importorskip("peft")
    encoder_decoder = model.config.is_encoder_decoder
    config = peft.LoraConfig(
        r=rank,
        lora_alpha=2 * rank,
        lora_dropout=dropout,
        target_modules=["q", "v"] if encoder_decoder else ["q_proj", "v_proj"],
        task_type="SEQ_2_SEQ_LM" if encoder_decoder else "CAUSAL_LM",
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        found = peft.get_peft_model(model, config)
        for name, value in found.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(value, std=0.3)
    return found


def chat(*turns: str, **more: Any) -> dict[str, Any]:
    """Of user and assistant in turn."""
    roles = ("user", "assistant")
    return {"messages": [{"role": roles[n % 2], "content": said} for n, said in enumerate(turns)], **more}


def chats(count: int, *, groups: int = 2, seed: int = 0) -> list[dict[str, Any]]:
    """Drawn words; each has a group."""
    generator = torch.Generator().manual_seed(seed)

    def said() -> str:
        length = int(torch.randint(1, 5, (), generator=generator))
        return " ".join(WORDS[int(n)] for n in torch.randint(20, (length,), generator=generator))

    turns = [2 * int(torch.randint(1, 3, (), generator=generator)) for _ in range(count)]
    return [chat(*(said() for _ in range(number)), group=place % groups) for place, number in enumerate(turns)]


def _made(kind: Any, config: Any, seed: int) -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return kind(config)
