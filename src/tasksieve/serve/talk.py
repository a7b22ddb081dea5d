"""The API for talking: respond to an utterance, rank candidates."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from tasksieve.serve.asked import LONGEST, AskedEvent, Messages, Sentence, conversation
from tasksieve.serve.responder import Memory, Responder, Response
from tasksieve.training.runs.answers import Answer
from tasksieve.training.runs.tool_calls import tool_calls, waits_for
from tasksieve.training.runs.trained_model import Event


class Context(BaseModel):
    """A dialog that waits for its next response."""

    model_config = ConfigDict(extra="forbid")

    events: list[AskedEvent] = Field([], max_length=500, description="turns and facts so far, in order")
    user: Sentence = Field("", description="what the user says now; left empty, it means silence")
    profile: Sentence = Field("", description="words that describe the user, e.g. male young veg pizza")
    messages: Messages = Field(
        None,
        description="instead of events and user: chat messages (system, user, assistant with tool calls, tool); the "
        "last ones wait for a response",
    )
    top: int = Field(5, ge=1, le=100, description="how many candidates to return")


class Ranking(Context):
    """A dialog that waits for its next response, with candidates of one's own."""

    candidates: list[Annotated[str, Field(min_length=1, max_length=LONGEST)]] | None = Field(
        None, min_length=1, max_length=1000, description="choose among these; by default all that the server knows"
    )


class CalledFunction(BaseModel):
    """A tool and what it is called with."""

    name: str
    arguments: dict[str, Any]


class ToolCall(BaseModel):
    """A call of a tool, as chat files have it, but with an object for arguments."""

    id: str = Field(description="by which the tool's message names the call: its tool_call_id")
    type: Literal["function"] = "function"
    function: CalledFunction


class CandidateAnswer(BaseModel):
    """A candidate response."""

    text: str
    tool_calls: list[ToolCall] = Field([], description="the calls that the text is, if it is any")
    score: float = Field(description="the logit")
    probability: float = Field(description="among all that can be said")
    certainty: float = Field(
        description="among all candidates, those that cannot be said included; a fallback is decided by it"
    )
    action: str = Field("", description="what it does, if actions are predicted")
    fallback: bool = Field(False, description="whether it is said because no answer is certain enough")
    foreign: bool = Field(
        False,
        description="whether it is a given candidate with a value that the dialog does not hold: not to be said",
    )


class MemoryAnswer(BaseModel):
    """A line of the dialog that the model attended to."""

    speaker: str = Field(description="user, system, fact or profile")
    text: str
    attention: list[float] = Field(
        description="one number a hop; over all memories each hop's add up to 1. Empty if the model shows none"
    )


class RespondAnswer(BaseModel):
    """The system's response, and what led to it."""

    response: str = Field(description="the best candidate")
    action: str = Field("", description="what it does, if actions are predicted")
    tool_calls: list[ToolCall] = Field([], description="the calls that it is, if it is any")
    waits_for: Literal["user", "tool"] = Field(
        description="who is next: after calls the tools, whose results go into the next request; else the user"
    )
    candidates: list[CandidateAnswer] = Field(description="the best ones, best first")
    memories: list[MemoryAnswer] = Field(description="latest first")
    unknown_words: list[str] = Field(
        description="words of the utterance that the model has never seen; numbers, dates and names do not count"
    )


class RankAnswer(BaseModel):
    """Candidates in order."""

    candidates: list[CandidateAnswer] = Field(description="the best ones, best first")


def talk_routes(responder: Responder) -> APIRouter:
    """``/api/respond`` and ``/api/rank`` for a model."""
    routes = APIRouter(prefix="/api", tags=["talk"])

    @routes.post("/respond")
    def respond(context: Context) -> RespondAnswer:
        """The system's response to an utterance, with the next candidates and the attention of each hop."""
        events, user, profile = _given(context)
        return _answer(responder.respond(events, user, profile, context.top), len(events))

    @routes.post("/rank")
    def rank(context: Ranking) -> RankAnswer:
        """Candidates by their score: all that the server knows, or those given."""
        events, user, profile = _given(context)
        found = responder.rank(events, user, profile, context.top, context.candidates)
        return RankAnswer(candidates=[_candidate(scored, len(events)) for scored in found])

    return routes


def _given(context: Context) -> tuple[list[Event], str, list[str]]:
    return conversation(context.events, context.user, context.profile, context.messages)


def _answer(found: Response, place: int) -> RespondAnswer:
    candidates = [_candidate(scored, place) for scored in found.candidates]
    return RespondAnswer(
        response=candidates[0].text,
        action=candidates[0].action,
        tool_calls=candidates[0].tool_calls,
        waits_for=waits_for(candidates[0].text),
        candidates=candidates,
        memories=[_memory(memory) for memory in found.memories],
        unknown_words=list(found.unknown_words),
    )


def _candidate(scored: Answer, place: int) -> CandidateAnswer:
    return CandidateAnswer(
        text=scored.text,
        tool_calls=[ToolCall.model_validate(call) for call in tool_calls(scored.text, place)],
        score=scored.score,
        probability=scored.probability,
        certainty=scored.certainty,
        action=scored.action,
        fallback=scored.fallback,
        foreign=scored.foreign,
    )


def _memory(memory: Memory) -> MemoryAnswer:
    return MemoryAnswer(
        speaker=memory.speaker, text=memory.text, attention=[round(share, 6) for share in memory.attention]
    )
