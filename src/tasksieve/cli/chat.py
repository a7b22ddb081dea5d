"""`tasksieve chat`: talk to a trained model."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from tasksieve.cli.messages import output
from tasksieve.cli.options import Fallback, Json, Trained

if TYPE_CHECKING:
    from tasksieve.training.runs.answers import Answer

_HELP = "Commands: /profile male young veg pizza · /fact NAME R_price cheap · /reset · /quit. Enter alone: silence."


def chat(
    run: Trained,
    top: Annotated[int, typer.Option(min=1, help="Show so many candidates.")] = 5,
    as_json: Json = False,
    fallback: Fallback = None,
) -> None:
    """Talk to a run's best model: it answers with its best candidate and shows the next ones.

    Reads one utterance a line; pipe a file in to replay it.
    """
    from tasksieve.training.runs.trained_model import Conversation, TrainedModel

    console = output()
    conversation = Conversation(TrainedModel.load(run), fallback)
    if not as_json:
        console.print(_HELP, style="dim")
    while (line := _next_line(console, as_json)) is not None and line != "/quit":
        if line.startswith("/"):
            message = conversation.command(line)
            console.print(message, style="dim")
            continue
        answers = conversation.say(line, top)
        if as_json:
            print(json.dumps({"user": line, "answers": [_plain(answer) for answer in answers]}, ensure_ascii=False))
        else:
            _show(console, answers)


def _next_line(console: Console, as_json: bool) -> str | None:
    if not as_json and sys.stdin.isatty():
        console.print("you> ", end="", style="bold")
    line = sys.stdin.readline()
    return line.strip() if line else None


def _plain(answer: Answer) -> dict[str, object]:
    plain: dict[str, object] = {"text": answer.text, "probability": answer.probability}
    plain |= {"action": answer.action} if answer.action else {}
    return plain | ({"fallback": True} if answer.fallback else {})


def _show(console: Console, answers: list[Answer]) -> None:
    for place, answer in enumerate(answers):
        style = "bold" if place == 0 else "dim"
        share = "     –" if answer.fallback else f"{answer.probability:6.1%}"
        line = Text(f"{share}  {answer.text}", style=style)
        if answer.action:
            line.append(f"  [{answer.action}]", style="cyan" if place == 0 else "dim cyan")
        console.print(line)
