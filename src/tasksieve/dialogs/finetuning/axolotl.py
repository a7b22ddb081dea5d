"""axolotl's ``chat_template`` data sets: ``train`` true or false beside each response."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tasksieve.dialogs.finetuning.chats import WeightedChat
from tasksieve.dialogs.finetuning.lines import TRAIN, VALID, beside_tools, write_rows
from tasksieve.dialogs.finetuning.shaping import ending_with_a_response, with_system_for_developer
from tasksieve.dialogs.finetuning.tool import FLAGS, Dialogs, Tool, Written, register
from tasksieve.records.files import write_text

_CONFIG = """\
# Of axolotl's configuration; run it from this folder.
datasets:
{train}
"""
_DATA_SET = """\
  - path: {name}
    ds_type: json
    type: chat_template
    field_messages: messages
    message_field_training: train
    roles_to_train: []
    train_on_eos: turn"""


def _rows(chat: WeightedChat) -> Iterable[dict[str, Any]]:
    messages = [{**message, "train": chat.weights.get(n, 0.0) > 0} for n, message in enumerate(chat.messages)]
    yield beside_tools(chat, {"messages": messages})


def _write(dialogs: Dialogs, folder: Path) -> Written:
    written = write_rows(dialogs, folder, _rows, (with_system_for_developer, ending_with_a_response))
    config = _CONFIG.format(train=_DATA_SET.format(name=TRAIN))
    if len(written.files) > 1:
        config += f"test_datasets:\n{_DATA_SET.format(name=VALID)}\n    split: train\n"
    path = folder / "data.yaml"
    write_text(path, config)
    return Written((*written.files, path), written.rows, written.dialogs, written.learned, written.lost)


AXOLOTL = register(
    Tool(
        name="axolotl",
        title="axolotl",
        takes=FLAGS,
        write=_write,
        meaning="a response is learned in full or is context alone; other numbers would be cut to these",
    )
)
