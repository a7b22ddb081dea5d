"""Together: ``weight`` 0 or 1 beside each response, as OpenAI has it."""

from __future__ import annotations

from tasksieve.dialogs.finetuning.openai import write_flagged
from tasksieve.dialogs.finetuning.tool import FLAGS, Tool, register

TOGETHER = register(
    Tool(
        name="together",
        title="Together",
        takes=FLAGS,
        write=write_flagged,
        meaning="a response of 0 is context alone, one of 1 is learned in full",
    )
)
