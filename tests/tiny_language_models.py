"""Language models of two thin layers with weights at random, tokenizers and chats for them: for tests and benchmarks.

``llama`` and ``t5`` make a model, ``with_adapters`` puts LoRA on it (on a real one, too), ``write_llama`` leaves one
with a tokenizer in a folder in Hugging Face's layout. ``word_tokenizer`` is of whole words, ``byte_tokenizer`` of
bytes; the models are of the former's unless told otherwise. ``chat`` and ``chats`` are examples as
``tasksieve.integrations`` takes them. Whoever asks for a model needs transformers, and for adapters peft.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

TEXT = "hello i need a table for two in rome cheap please thanks the phone number is here you are good bye"
WORDS = (*TEXT.split(), "user", "assistant", "system", ":", ".", "?")
SPECIAL = ("<pad>", "<eos>", "<unk>")
SPEAKERS = ("<user>", "<assistant>", "<system>")
TEMPLATE = (
    "{% for message in messages %}<{{ message['role'] }}> {{ message['content'] }} <eos>\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant> {% endif %}"
)
_OF_DECODERS = ("q_proj", "v_proj")


def word_tokenizer(template: str | None = None) -> Any:
    """A tokenizer of whole words, without a chat template unless one is given."""
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers

    known = [*SPECIAL, *SPEAKERS, *dict.fromkeys(WORDS)]
    made = Tokenizer(models.WordLevel({word: number for number, word in enumerate(known)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    special = {"pad_token": "<pad>", "eos_token": "<eos>", "unk_token": "<unk>"}
    found = transformers.PreTrainedTokenizerFast(tokenizer_object=made, **special)
    found.chat_template = template
    return found


def byte_tokenizer() -> Any:
    """A tokenizer whose tokens are bytes, and ``<s>`` for beginnings and ends."""
    import transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE(vocab={token: n for n, token in enumerate(["<s>", *alphabet])}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", eos_token="<s>")


def llama(*, hidden: int = 16, attention: str = "sdpa", seed: int = 0, **settings: Any) -> Any:
    """A decoder.

    Args:
        hidden: its width.
        attention: of transformers, ``sdpa`` or ``eager``.
        seed: of its weights.
        settings: of ``LlamaConfig``, in place of those here.
    """
    import transformers

    here: dict[str, Any] = {
        "vocab_size": len(word_tokenizer()),
        "intermediate_size": 3 * hidden // 2,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "max_position_embeddings": 64,
        "initializer_range": 0.3,
        "pad_token_id": 0,
        "bos_token_id": None,
        "eos_token_id": 1,
    }
    config = transformers.LlamaConfig(hidden_size=hidden, attn_implementation=attention, **{**here, **settings})
    return _made(transformers.LlamaForCausalLM, config, seed)


def t5(*, attention: str = "sdpa", seed: int = 0, dropout: float = 0.0) -> Any:
    """An encoder-decoder; arguments as of :func:`llama`."""
    import transformers

    config = transformers.T5Config(
        vocab_size=len(word_tokenizer()),
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


def write_llama(folder: Path, *, seed: int = 0, hidden: int = 32) -> Path:
    """Write a Llama of bytes with its tokenizer; returns the folder."""
    tokenizer = byte_tokenizer()
    model = llama(
        hidden=hidden,
        seed=seed,
        vocab_size=len(tokenizer),
        intermediate_size=2 * hidden,
        max_position_embeddings=1024,
        initializer_range=0.2,
        pad_token_id=None,
        bos_token_id=0,
        eos_token_id=0,
        tie_word_embeddings=True,
    )
    for one in (tokenizer, model):
        one.save_pretrained(folder)
    return folder


def with_adapters(
    model: Any,
    *,
    rank: int = 2,
    dropout: float = 0.0,
    spread: float = 0.3,
    seed: int = 1,
    on: Sequence[str] | str | None = None,
) -> Any:
    """LoRA, by default on the attention's queries and values.

    Args:
        model: of transformers.
        rank, dropout: of the adapters.
        spread: of what goes up again, so that all of an adapter has a gradient; 0 leaves it at zero, as peft does.
        seed: of their numbers.
        on: names of the maps, or ``all-linear``.
    """
    import peft

    encoder_decoder = model.config.is_encoder_decoder
    targets = on if on is not None else (("q", "v") if encoder_decoder else _OF_DECODERS)
    config = peft.LoraConfig(
        r=rank,
        lora_alpha=2 * rank,
        lora_dropout=dropout,
        target_modules=targets if isinstance(targets, str) else list(targets),
        task_type="SEQ_2_SEQ_LM" if encoder_decoder else "CAUSAL_LM",
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        found = peft.get_peft_model(model, config)
        for name, value in found.named_parameters():
            if spread and "lora_B" in name:
                torch.nn.init.normal_(value, std=spread)
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
