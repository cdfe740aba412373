"""The demo's calls, in scenes: each with the faults that the sandbox is told first. The same for the same seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from iwrouting.management.demo.texts import ALL, CODE, DEEP, DOCUMENT, FAST

Json = dict[str, Any]
CHAT, RESPONSES, EMBEDDINGS = "/v1/chat/completions", "/v1/responses", "/v1/embeddings"
RESOLVE, MODELS = "/api/v1/resolve", "/v1/models"
SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["title", "days"],
    "additionalProperties": False,
}
TOOL = {"type": "function", "function": {"name": "search_files", "description": "Searches.", "parameters": SCHEMA}}
SHAPE = {"type": "json_schema", "json_schema": {"name": "plan", "schema": SCHEMA, "strict": True}}
WITH_USAGE: Json = {"stream": True, "stream_options": {"include_usage": True}}
DENIED = {"message": "No access (sandbox).", "type": "invalid_request_error", "param": "model", "code": None}
NO_ACCESS: Json = {"status": 403, "body": {"error": DENIED}}


@dataclass(frozen=True)
class Call:
    """One request. `key` names one of the cast's; `leave`: the client goes after so many bytes of the answer."""

    key: str
    path: str
    body: Json
    headers: dict[str, str] = field(default_factory=dict)
    leave: int | None = None


@dataclass(frozen=True)
class Scene:
    """Calls under the same faults: rules of the sandbox's plan (docs/sandbox.md).

    `raised`: before them an operator raises the budget of this run.
    """

    name: str
    calls: list[Call]
    faults: list[Json] = field(default_factory=list)
    raised: str = ""


def chat(key: str, model: str, text: str, *, run: str = "", leave: int | None = None, **more: Any) -> Call:
    """A chat completion."""
    headers = {"x-iw-run-id": run, "x-iw-tags": "demo,autopilot"} if run else {"x-iw-tags": "demo"}
    return Call(key, CHAT, {"model": model, "messages": [{"role": "user", "content": text}], **more}, headers, leave)


def script(aliases: list[str], calls: int, seed: int) -> list[Scene]:
    """About so many calls in scenes: each alias once at least, and all the faults, however few are asked for."""
    chance = random.Random(seed)  # noqa: S311 - a repeatable choice, no secret
    broken = [*refusals(), *faults(chance), *runs(), *goodbyes(), *ends()]
    rest = max(len(aliases) * 5 // 4 + 1, calls - sum(len(scene.calls) for scene in broken))
    return [Scene("ordinary work", [ordinary(chance, aliases, number) for number in range(rest)]), *broken]


def ordinary(chance: random.Random, aliases: list[str], number: int) -> Call:
    """A call that nothing is wrong with; all aliases come in turn, `auto` more often."""
    key = chance.choice(("atlas", "atlas", "atlas worker", "borealis", "cascade", "shared"))
    alias = "auto" if number % 5 == 4 else aliases[(number - number // 5) % len(aliases)]
    if alias == "embedding":
        return vectors(chance, key)
    kind = chance.randrange(10)
    text = chance.choice(ALL)
    if kind == 0:
        background = {"background": True} if alias == "research_deep" else {"stream": chance.random() < 0.5}
        return Call(key, RESPONSES, {"model": alias, "input": text, **background})
    if kind == 1:
        return chat(key, alias, "call search_files", tools=[TOOL], stream=chance.random() < 0.5)
    if kind == 2:
        return chat(key, alias, "Make a plan as JSON", response_format=SHAPE)
    run = (
        f"run-{chance.randrange(1, 6)}" if key.startswith("atlas") and alias.startswith(("worker_", "manager")) else ""
    )
    stream: Json = WITH_USAGE if chance.random() < 0.4 else {}
    # The backend sends a temperature to every model: where a model refuses it, the record tells of the change.
    return chat(key, alias, text, run=run, temperature=0.4, **stream)


def vectors(chance: random.Random, key: str) -> Call:
    """Embeddings of a document in chunks, more than one batch now and then."""
    chunks = [f"{number}: {DOCUMENT * chance.randrange(1, 6)}" for number in range(chance.choice((1, 3, 12, 40)))]
    return Call(key, EMBEDDINGS, {"model": "embedding", "input": chunks, "encoding_format": "base64"})


def refusals() -> list[Scene]:
    """Requests that no provider sees, or that it refuses; and what is asked without a call."""
    far = "It was a dark night. " * 800
    audio = {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}
    calls = [
        chat("atlas", "manger", "Say hello"),
        chat("atlas", "fast", "Say hello", n=1000),
        chat("narrow", "deep", "Say hello"),
        chat("narrow", "gpt-5.1", "Say hello"),
        chat("reader", "fast", "Say hello"),
        chat("closed", "fast", "Say hello"),
        chat("strict", "plan_tasks", "Say hello", temperature=0.4),
        chat("strict", "fast", far),
        chat("atlas", "fast", "Say hello", temperature=9),
        chat("atlas", "gpt-4.1", "Say hello", max_tokens=20),
        Call("shared", CHAT, chat("shared", "fast", "Hello").body, {"x-iw-project": "nobody-knows-it"}),
        Call("atlas", CHAT, chat("atlas", "fast", "Hello").body, {"x-iw-test": "1"}),
        Call("atlas", CHAT, {"model": "gpt-5.1-codex", "messages": [{"role": "user", "content": [audio]}]}),
        Call("atlas", EMBEDDINGS, {"model": "embedding", "input": ["one", ""]}),
        Call("atlas", EMBEDDINGS, {"model": "embedding", "input": ["one", "  "]}),
        *(Call("borealis", RESOLVE, {"alias": alias}) for alias in ("auto", "code", "research_deep")),
    ]
    return [Scene("requests that are refused, and resolves", calls)]


def faults(chance: random.Random) -> list[Scene]:
    """The provider's own faults, one kind a scene, at models that no later scene needs at once."""
    return [
        at(
            "gpt-5.1",
            "rate limits",
            several("borealis", "deep", 2),
            {"status": 429, "headers": {"retry-after-ms": "20"}},
        ),
        at(
            "gpt-4.1-mini",
            "server errors, until the breaker opens",
            several("borealis", "worker_test", 6),
            "server_error",
        ),
        at("gpt-5-mini", "no answer in time", several("cascade", "plan_tasks", 2), "no_answer"),
        at("gpt-5-mini", "HTML instead of JSON", several("cascade", "plan_tasks", 2), "html"),
        at("gpt-4.1-mini", "a policy's refusal", several("atlas", "fast", 2), "content_policy"),
        at("gpt-4.1-mini", "a window that is too small", several("atlas", "snapshot", 2), "context_length"),
        at("gpt-4.1", "no usage: unpriced", several("atlas", "auto", 2, chance.choice(DEEP)), "no_usage"),
        at("gpt-4.1", "streams cut off", several("atlas", "manager", 3, **WITH_USAGE), {"cut_after_events": 5}),
        at("gpt-4.1", "streams that stall", several("atlas", "manager", 1, **WITH_USAGE), {"stall_after_events": 4}),
        at("gpt-4.1", "an error inside a stream", several("atlas", "code", 1, **WITH_USAGE), "late_error_event"),
        at("gpt-4.1-mini", "a model without access", several("borealis", "worker_doc", 2), NO_ACCESS),
        at("text-embedding-3-small", "bad vectors", [vectors(chance, "atlas")], {"embeddings": "wrong_width"}),
    ]


def at(model: str, name: str, calls: list[Call], fault: Any) -> Scene:
    """A scene in which one model fails."""
    return Scene(name, calls, [{"match": {"model": model}, "fault": fault}])


def several(key: str, model: str, count: int, text: str = "Say hello", **more: Any) -> list[Call]:
    """The same call a few times."""
    return [chat(key, model, text, **more) for _ in range(count)]


def runs() -> list[Scene]:
    """Runs of the Autopilot; that of `cascade` meets its budget."""
    steps = ("manager", "plan_tasks", "worker_code", "worker_test", "worker_doc", "alignment")
    free = [chat("atlas worker", step, FAST[number % len(FAST)], run="run-7") for number, step in enumerate(steps)]
    bound = [
        chat("cascade", step, CODE[number % len(CODE)], run="run-8", max_tokens=400)
        for number, step in enumerate(steps)
    ]
    again = [chat("cascade", "worker_code", CODE[0], run="run-8", max_tokens=400)]
    return [
        Scene("a run of the Autopilot", free),
        Scene("a run over its budget", bound),
        Scene("the same run, its budget raised", again, raised="run-8"),
    ]


def goodbyes() -> list[Scene]:
    """Clients that leave in the middle of an answer."""
    calls = [chat("borealis", alias, "write 3000 words", stream=True, leave=2000) for alias in ("fast", "snapshot")]
    return [Scene("clients that leave", calls, [{"fault": {"event_delay_ms": 5}}])]


def ends() -> list[Scene]:
    """What would disturb the others: everything fails, and the account is spent."""
    return [
        Scene("every model overloaded", several("borealis", "worker_test", 2), [{"fault": "overloaded"}]),
        Scene("the account is spent", several("cascade", "snapshot", 1), [{"fault": "quota"}]),
    ]
