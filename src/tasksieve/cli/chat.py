"""`tasksieve chat`: talk to a trained model."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from tasksieve.cli.messages import output, say_of_fallback
from tasksieve.cli.options import Fallback, FallbackBelow, Json, Trained, check_fallback_below

if TYPE_CHECKING:
    from tasksieve.training.runs.answers import Answer
    from tasksieve.training.runs.conversation import Conversation


def chat(
    run: Trained,
    top: Annotated[int, typer.Option(min=1, help="Show so many candidates.")] = 5,
    as_json: Json = False,
    fallback: Fallback = None,
    fallback_below: FallbackBelow = None,
) -> None:
    """Talk to a run's best model: it answers with its best candidate and shows the next ones.

    Reads one utterance a line; pipe a file in to replay it. /help says how to tell facts.
    """
    from tasksieve.training.runs.conversation import Conversation
    from tasksieve.training.runs.trained_model import TrainedModel

    console = output(wrap=sys.stdout.isatty())
    check_fallback_below(fallback, fallback_below)
    trained = TrainedModel.load(run).falling_back_below(fallback_below)
    conversation = Conversation(trained, fallback)
    trained.warm_up()
    say_of_fallback(fallback, trained.fallback_note)
    if not as_json:
        console.print(conversation.help(), style="dim")
    while (line := _next_line(console, as_json)) is not None and line != "/quit":
        if as_json:
            print(json.dumps(_record(conversation, line, top), ensure_ascii=False), flush=True)
        else:
            _show(console, conversation, line, top)


def _next_line(console: Console, as_json: bool) -> str | None:
    if not as_json and sys.stdin.isatty():
        console.print("you> ", end="", style="bold")
    line = sys.stdin.readline()
    return line.strip() if line else None


def _record(conversation: Conversation, line: str, top: int) -> dict[str, object]:
    """What a line led to, as JSON has it: answers, what a command did, or why there is no answer."""
    from tasksieve.training.runs.answers import NothingToSay
    from tasksieve.training.runs.tool_calls import waits_for

    if line.startswith("/"):
        return {"command": line, "message": conversation.command(line)}
    try:
        answers = conversation.say(line, top)
    except NothingToSay as nothing:
        return {"user": line, "answers": [], "message": nothing.message}
    withheld, place = answers[0].fallback, conversation.place
    return {
        "user": line,
        "answers": [_plain(answer, withheld, place) for answer in answers],
        "waits_for": waits_for(answers[0].text),
    }


def _plain(answer: Answer, withheld: bool, place: int) -> dict[str, object]:
    from tasksieve.training.runs.tool_calls import tool_calls

    plain: dict[str, object] = {"text": answer.text, "probability": answer.probability}
    calls = tool_calls(answer.text, place)
    plain |= {"tool_calls": calls} if calls else {}
    plain |= {} if answer.fallback else {"certainty": answer.certainty}
    plain |= {"action": answer.action} if answer.action else {}
    if answer.fallback:
        return plain | {"fallback": True}
    return plain | ({"withheld": True} if withheld else {})


def _show(console: Console, conversation: Conversation, line: str, top: int) -> None:
    """Do what a line asks for and print what comes of it: what is said in bold, all else dim."""
    from tasksieve.training.runs.answers import NothingToSay

    if line.startswith("/"):
        console.print(conversation.command(line), style="dim")
        return
    try:
        first, *others = conversation.say(line, top)
    except NothingToSay as nothing:
        console.print(f"nothing is said: {nothing.message}", style="dim")
        return
    console.print(_line("–" if first.fallback else f"{first.probability:.1%}", first, "bold", "cyan"))
    if first.fallback and others and conversation.threshold is not None:
        console.print(f"        not said, as {conversation.threshold:.1%} are needed:", style="dim")
    for answer in others:
        share = answer.certainty if first.fallback else answer.probability
        console.print(_line(f"{share:.1%}", answer, "dim", "dim cyan"))


def _line(share: str, answer: Answer, style: str, action: str) -> Text:
    line = Text(f"{share:>6}  {answer.text}", style=style)
    if answer.action:
        line.append(f"  [{answer.action}]", style=action)
    return line
