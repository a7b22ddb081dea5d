"""Weighted dialogs for tools that fine-tune language models, one module a tool; one put here is found by itself."""

import importlib
import pkgutil

from tasksieve.dialogs.finetuning.chats import PRIMARY, ChatTask, WeightedChat
from tasksieve.dialogs.finetuning.choosing import Chosen, Cut, weights_for
from tasksieve.dialogs.finetuning.facts import facts_of
from tasksieve.dialogs.finetuning.tool import TOOLS, Dialogs, Tool, Written, tool_named

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = [
    "PRIMARY",
    "TOOLS",
    "ChatTask",
    "Chosen",
    "Cut",
    "Dialogs",
    "Tool",
    "WeightedChat",
    "Written",
    "facts_of",
    "tool_named",
    "weights_for",
]
