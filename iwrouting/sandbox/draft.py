"""What the model would say: text or tool calls, cut to the caller's limit; the same for chat and responses."""

from __future__ import annotations

from dataclasses import dataclass

from iwrouting.sandbox.refusals import Refused
from iwrouting.sandbox.structured import Shape
from iwrouting.sandbox.tools import Tool
from iwrouting.sandbox.usage import REASONING
from iwrouting.sandbox.words import clip, reply, tokens
from iwrouting.types import ModelFacts


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call: the tool's name and the arguments as JSON text (cut short where the limit cut the answer)."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Draft:
    """One choice of an answer. `completion` counts tokens, `reasoning` included; `cut`: the limit ended it."""

    text: str
    calls: list[Call]
    reasoning: int
    completion: int
    cut: bool


def draft(
    facts: ModelFacts, effort: str, cap: int | None, calls: list[Tool], heard: str, shape: Shape | None,
    *, choice: int = 0, stops: tuple[str, ...] = (),
) -> Draft:  # fmt: skip
    """One choice: the calls where there are any, else the reply to `heard`, in its shape and within `cap` tokens."""
    limit = cap if cap is not None else (facts.max_output or 1_000_000)
    reasoning = min(REASONING.get(effort, 0), limit)
    room = limit - reasoning
    if calls:
        return drafted_calls(calls, reasoning, room)
    text = reply(facts.id, heard, choice)
    text = stopped(shape.render(text) if shape else text, stops)
    kept = clip(text, room)
    return Draft(kept, [], reasoning, reasoning + tokens(kept), cut=kept != text)


def drafted_calls(tools: list[Tool], reasoning: int, room: int) -> Draft:
    """The calls one after the other, until the room is used up."""
    made: list[Call] = []
    used = 0
    for tool in tools:
        whole = tool.arguments()
        kept = clip(whole, room - used - tokens(tool.name))
        used = min(room, used + tokens(tool.name) + tokens(kept))
        if kept != whole:
            made += [Call(tool.name, kept)] if kept else []
            return Draft("", made, reasoning, reasoning + room, cut=True)
        made.append(Call(tool.name, whole))
    return Draft("", made, reasoning, reasoning + used, cut=False)


def stopped(text: str, stops: tuple[str, ...]) -> str:
    """The text up to the first stop sequence."""
    found = [at for stop in stops if stop and (at := text.find(stop)) >= 0]
    return text[: min(found)] if found else text


def fits(facts: ModelFacts, prompt: int, *, chat: bool) -> None:
    """Refuses with 400 `context_length_exceeded` a prompt over the model's input window."""
    window = facts.max_input or facts.context_window
    if window is None or prompt <= window:
        return
    if not chat:
        message = "Your input exceeds the context window of this model. Please adjust your input and try again."
        raise Refused(400, message, param="input", code="context_length_exceeded")
    message = f"This model's maximum context length is {window} tokens. However, your messages resulted in {prompt}"
    if facts.reasoning:
        message = f"Input tokens exceed the configured limit of {window} tokens. Your messages resulted in {prompt}"
    text = f"{message} tokens. Please reduce the length of the messages."
    raise Refused(400, text, param="messages", code="context_length_exceeded")
