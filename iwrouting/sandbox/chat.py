"""POST /v1/chat/completions: the buffered answer and the stream (openai-facts.md 2 and 3)."""

from __future__ import annotations

from typing import Any

from iwrouting.sandbox.answer import DONE, Answer, Event, Json
from iwrouting.sandbox.chat_rules import Chat, checked
from iwrouting.sandbox.draft import Call, Draft, draft, fits
from iwrouting.sandbox.state import Sandbox
from iwrouting.sandbox.tools import calls
from iwrouting.sandbox.usage import chat_usage, prompt_tokens
from iwrouting.sandbox.words import last_user_text, pieces, slices

FINGERPRINT = "sandbox"
PADDING = 16


def complete(sandbox: Sandbox, request: Json, key: str, created: int) -> Answer:
    """Answers one chat request. `key` makes the ids, `created` is in Unix seconds. Refused as the real one refuses."""
    chat = checked(sandbox.models, request)
    raw_tools: list[Json] = request.get("tools") or []
    prompt = prompt_tokens(chat.messages, raw_tools)
    fits(chat.facts, prompt, chat=True)
    drafts = [one_choice(chat, index) for index in range(chat.n)]
    usage = chat_usage(
        prompt,
        sandbox.cache.cached(chat.facts.id, chat.messages, prompt),
        sum(d.completion for d in drafts),
        sum(d.reasoning for d in drafts),
    )
    head = {"id": f"chatcmpl-sandbox{key}", "object": "chat.completion", "created": created, "model": chat.facts.id}
    tail = {"service_tier": "default", "system_fingerprint": FINGERPRINT}
    if request.get("stream"):
        return Answer(events=stream({**head, "object": "chat.completion.chunk", **tail}, chat, drafts, usage, key),
                      usage=usage)  # fmt: skip
    choices = [buffered(chat, d, index, key) for index, d in enumerate(drafts)]
    return Answer({**head, "choices": choices, "usage": usage, **tail}, usage=usage)


def one_choice(chat: Chat, index: int) -> Draft:
    """What choice number `index` says."""
    heard = last_user_text(chat.messages)
    parallel = chat.request.get("parallel_tool_calls") is not False
    answering = chat.messages[-1]["role"] in ("tool", "function")
    called = calls(chat.tools, chat.choice, heard, answering=answering, parallel=parallel)
    stop = chat.request.get("stop") or ()
    stops = (stop,) if isinstance(stop, str) else tuple(stop)
    return draft(chat.facts, chat.effort, chat.cap, called, heard, chat.shape, choice=index, stops=stops)


def finish_reason(chat: Chat, one: Draft) -> str:
    """Why the choice ended. A call that was forced by name ends with `stop`, as with the provider."""
    if one.cut:
        return "length"
    forced = isinstance(chat.request.get("tool_choice"), dict) and chat.choice.mode == "required"
    return "tool_calls" if one.calls and not forced else "stop"


def tool_call(call: Call, key: str, choice: int, index: int) -> Json:
    """A tool call of a message."""
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": f"call_{key}x{choice}x{index}", "type": "function", "function": function}


def buffered(chat: Chat, one: Draft, index: int, key: str) -> Json:
    """One choice of a buffered answer."""
    message: Json = {
        "role": "assistant",
        "content": None if one.calls else one.text,
        "refusal": None,
        "annotations": [],
    }
    if one.calls:
        message["tool_calls"] = [tool_call(call, key, index, i) for i, call in enumerate(one.calls)]
    logprobs = {"content": probabilities(chat, pieces(one.text)), "refusal": None}
    return {
        "index": index,
        "message": message,
        "logprobs": logprobs if chat.request.get("logprobs") else None,
        "finish_reason": finish_reason(chat, one),
    }


def probabilities(chat: Chat, words: list[str]) -> list[Json]:
    """A fixed probability for each piece; with `top_logprobs`, the piece itself as its only rival."""
    entries = []
    for word in words:
        entry: Json = {"token": word, "logprob": -0.25, "bytes": list(word.encode("utf-8", "surrogatepass"))}
        top = [dict(entry)] if chat.request.get("top_logprobs") else []
        entries.append({**entry, "top_logprobs": top})
    return entries


def stream(head: Json, chat: Chat, drafts: list[Draft], usage: Json, key: str) -> list[Event]:
    """All events of a streamed answer: role, deltas of every choice side by side, finish, usage if asked, `[DONE]`."""
    queues = [deltas(chat, one, index, key) for index, one in enumerate(drafts)]
    rounds = max(len(queue) for queue in queues)
    choices = [queue[i] for i in range(rounds) for queue in queues if i < len(queue)]
    extra: Json = {"usage": None} if chat.include_usage else {}
    events = [Event({**head, "choices": [choice], **extra, **padding(chat, i)}) for i, choice in enumerate(choices)]
    if chat.include_usage:
        events.append(Event({**head, "choices": [], "usage": usage}))
    return [*events, Event(DONE)]


def padding(chat: Chat, index: int) -> Json:
    """The padding field of stream chunks, of changing length."""
    return {"obfuscation": "sandboxsandboxsandbox"[: PADDING - index % 11]} if chat.obfuscated else {}


def deltas(chat: Chat, one: Draft, index: int, key: str) -> list[Json]:
    """The chunks' `choices` members of one choice."""
    first: Json = {"role": "assistant", "content": None if one.calls else "", "refusal": None}
    rest = call_deltas(one, index, key) if one.calls else [{"content": piece} for piece in pieces(one.text)]
    logs = bool(chat.request.get("logprobs"))
    shown = [delta_choice(chat, index, part, logs=logs) for part in (first, *rest)]
    return [*shown, {"index": index, "delta": {}, "logprobs": None, "finish_reason": finish_reason(chat, one)}]


def delta_choice(chat: Chat, index: int, part: Json, *, logs: bool) -> Json:
    """One delta before the last."""
    word = part.get("content")
    logprobs: Any = {"content": probabilities(chat, [word]), "refusal": None} if logs and word else None
    return {"index": index, "delta": part, "logprobs": logprobs, "finish_reason": None}


def call_deltas(one: Draft, choice: int, key: str) -> list[Json]:
    """Tool calls as deltas: for each its id and name, then its arguments in slices."""
    parts: list[Json] = []
    for i, call in enumerate(one.calls):
        start = tool_call(Call(call.name, ""), key, choice, i)
        parts.append({"tool_calls": [{"index": i, **start}]})
        for piece in slices(call.arguments):
            parts.append({"tool_calls": [{"index": i, "function": {"arguments": piece}}]})
    return parts
