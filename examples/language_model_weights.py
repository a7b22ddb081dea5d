"""Fine-tune a language model on few dialogs, with weights for the others that are learned on the way.

pip install 'tasksieve[lm]'
python examples/language_model_weights.py --primary new.jsonl --valid valid.jsonl --related old.jsonl other.jsonl

Files have a line of JSON for each dialog, with ``messages``. Each related file gets a weight; give each dialog a
``group`` of its own for finer ones. ``torchrun`` or ``accelerate launch`` in place of ``python`` use several cards.
"""

import argparse
import json
from pathlib import Path

from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainingArguments

from tasksieve.integrations import ChatCollator, LearnWeights, WeightedTrainer


def dialogs(path: Path, group: int) -> list[dict]:
    """Those of a file, all of one group; those of group -1 keep weight 1."""
    return [{**json.loads(line), "group": group} for line in path.read_text().splitlines() if line.strip()]


def main() -> None:
    """Train, and print the weight of each related file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--model", default="HuggingFaceTB/SmolLM2-135M-Instruct", help="a folder, or a name on the hub"
    )
    parser.add_argument("--primary", type=Path, required=True, help="dialogs of the new task, learned from")
    parser.add_argument("--valid", type=Path, required=True, help="dialogs of the new task, to judge weights by")
    parser.add_argument("--related", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, default=Path("adapters"))
    parser.add_argument("--epochs", type=float, default=3)
    arguments = parser.parse_args()

    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    body = AutoModelForCausalLM.from_pretrained(arguments.model)
    lora = LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(body, lora)

    data = dialogs(arguments.primary, -1)
    for number, path in enumerate(arguments.related):
        data += dialogs(path, number)
    learn = LearnWeights(dialogs(arguments.valid, -1), groups=len(arguments.related), every=2)
    trainer = WeightedTrainer(
        model=model,
        args=TrainingArguments(
            str(arguments.out), num_train_epochs=arguments.epochs, learning_rate=5e-4, report_to=[]
        ),
        train_dataset=data,
        data_collator=ChatCollator(tokenizer),
        callbacks=[learn],
    )
    trainer.train()
    trainer.save_model()
    for path, weight in zip(arguments.related, learn.weights(), strict=True):
        print(f"{path.name}: weight {weight:.3f}")


if __name__ == "__main__":
    main()
