"""The Responses API: create (buffered, streamed, in the background), get, cancel, delete (openai-facts.md 2 and 5)."""

from __future__ import annotations

import time

from iwrouting.sandbox.answer import Answer, Json
from iwrouting.sandbox.draft import Draft, draft, fits
from iwrouting.sandbox.edits import fail_response, finish
from iwrouting.sandbox.faults import Fault
from iwrouting.sandbox.items import check_calls
from iwrouting.sandbox.refusals import Refused
from iwrouting.sandbox.response_events import events
from iwrouting.sandbox.responses_rules import Asked, checked
from iwrouting.sandbox.state import Sandbox
from iwrouting.sandbox.store import Store, Stored
from iwrouting.sandbox.tools import calls
from iwrouting.sandbox.usage import prompt_tokens, responses_usage
from iwrouting.sandbox.words import last_user_text

BACKGROUND_MS = 200


def create(sandbox: Sandbox, request: Json, key: str, created: int, fault: Fault) -> Answer:
    """Answers POST /v1/responses. `key` makes the ids, `created` is Unix seconds. Refused as the real one refuses.

    Of the fault it takes how a background response goes on and ends.
    """
    asked = checked(sandbox.models, request)
    items = sandbox.store.before(request.get("previous_response_id")) + asked.items
    check_calls(items)
    prompt_items = [{"role": "developer", "content": request["instructions"]}] if request.get("instructions") else []
    prompt = prompt_tokens(prompt_items + items, request.get("tools") or [])
    if request.get("truncation") != "auto":
        fits(asked.facts, prompt, chat=False)
    one = drafted(asked)
    usage = responses_usage(prompt, sandbox.cache.cached(asked.facts.id, items, prompt), one.completion, one.reasoning)
    response = finished(asked, one, usage, key, created)
    background = bool(request.get("background"))
    if background:
        end_badly(response, fault)
    stored = stored_response(response, items, fault)
    if background or request.get("store") is not False:
        sandbox.store.put(stored)
    if request.get("stream"):
        stored.billed = True
        return Answer(events=events(response, request), usage=usage)
    return Answer(stored.now(), usage=None if background else usage)


def stored_response(response: Json, items: list[Json], fault: Fault) -> Stored:
    """The response as it can be fetched later; one in the background takes its time, or so many polls."""
    background = bool(response["background"])
    took = (BACKGROUND_MS if fault.background_ms is None else fault.background_ms) / 1000 if background else 0.0
    polls = fault.background_polls if background else None
    conversation = items + response["output"]
    return Stored(response, conversation, time.monotonic() + took, took, billed=not background, polls=polls)


def end_badly(response: Json, fault: Fault) -> None:
    """How a background response ends under a fault: failed, or for another reason."""
    if fault.failed is not None:
        fail_response(response, fault.failed)
    elif fault.finish is not None:
        finish(response, fault.finish)


def drafted(asked: Asked) -> Draft:
    """What the model says or calls."""
    heard = last_user_text(asked.items)
    answering = bool(asked.items) and asked.items[-1]["type"] == "function_call_output"
    parallel = asked.request.get("parallel_tool_calls") is not False
    called = calls(asked.tools, asked.choice, heard, answering=answering, parallel=parallel)
    return draft(asked.facts, asked.effort, asked.request.get("max_output_tokens"), called, heard, asked.shape)


def output(asked: Asked, one: Draft, key: str) -> list[Json]:
    """The output items: reasoning, a search where the model researches, then the calls or the message."""
    made: list[Json] = []
    status = "incomplete" if one.cut else "completed"
    if one.reasoning:
        made.append({"id": f"rs_sandbox{key}", "type": "reasoning", "summary": []})
    if asked.researches:
        action = {"type": "search", "query": "sandbox"}
        made.append({"id": f"ws_sandbox{key}", "type": "web_search_call", "status": "completed", "action": action})
    for index, call in enumerate(one.calls):
        last = index == len(one.calls) - 1
        made.append({
            "id": f"fc_sandbox{key}x{index}",
            "type": "function_call",
            "status": status if last else "completed",
            "arguments": call.arguments,
            "call_id": f"call_{key}x{index}",
            "name": call.name,
        })  # fmt: skip
    if one.text:
        part = {"type": "output_text", "text": one.text, "annotations": [], "logprobs": []}
        message = {"id": f"msg_sandbox{key}", "type": "message", "status": status, "role": "assistant"}
        made.append({**message, "content": [part]})
    return made


def finished(asked: Asked, one: Draft, usage: Json, key: str, created: int) -> Json:
    """The whole response object, as it is once done."""
    request = asked.request
    text = request.get("text") or {}
    reasoning = request.get("reasoning") or {}
    return {
        "id": f"resp_sandbox{key}",
        "object": "response",
        "created_at": created,
        "status": "incomplete" if one.cut else "completed",
        "background": bool(request.get("background")),
        "completed_at": None if one.cut else created,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if one.cut else None,
        "instructions": request.get("instructions"),
        "max_output_tokens": request.get("max_output_tokens"),
        "max_tool_calls": request.get("max_tool_calls"),
        "model": asked.facts.id,
        "output": output(asked, one, key),
        "parallel_tool_calls": request.get("parallel_tool_calls") is not False,
        "previous_response_id": request.get("previous_response_id"),
        "prompt_cache_key": request.get("prompt_cache_key"),
        "reasoning": {"effort": asked.effort or None, "summary": reasoning.get("summary")},
        "safety_identifier": request.get("safety_identifier"),
        "service_tier": "default",
        "store": request.get("store") is not False,
        "temperature": request.get("temperature", 1.0),
        "text": {"format": text.get("format") or {"type": "text"}, "verbosity": text.get("verbosity") or "medium"},
        "tool_choice": request.get("tool_choice") or "auto",
        "tools": [shown_tool(tool) for tool in request.get("tools") or ()],
        "top_logprobs": request.get("top_logprobs") or 0,
        "top_p": request.get("top_p", 1.0),
        "truncation": request.get("truncation") or "disabled",
        "usage": usage,
        "user": request.get("user"),
        "metadata": request.get("metadata") or {},
    }


def shown_tool(tool: Json) -> Json:
    """A tool as the response repeats it: an omitted `strict` means strict here (openai-facts.md 0)."""
    return {**tool, "strict": tool.get("strict") is not False} if tool.get("type") == "function" else tool


def fetch(store: Store, response_id: str, query: dict[str, str]) -> Answer:
    """Answers GET /v1/responses/{id}. A stream has every event after `starting_after` at once, done or not."""
    stored = store.get(response_id)
    stored.fetched += 1
    if query.get("stream") == "true":
        after = int(query.get("starting_after", -1))
        return Answer(events=events(stored.response, {})[after + 1 :], usage=stored.bill())
    return Answer(stored.now(), usage=stored.bill())


def cancel(store: Store, response_id: str) -> Answer:
    """Answers POST /v1/responses/{id}/cancel. A finished one stays as it is. Refused: not made in the background."""
    stored = store.get(response_id)
    if not stored.response["background"]:
        raise Refused(400, "Cannot cancel a synchronous response.")
    stored.cancelled = stored.cancelled or not stored.done
    return Answer(stored.now(), usage=stored.bill())


def input_items(store: Store, response_id: str) -> Answer:
    """Answers GET /v1/responses/{id}/input_items, newest first."""
    stored = store.get(response_id)
    items = stored.items[: len(stored.items) - len(stored.response["output"])]
    listed = [{"id": f"msg_{index}", **item} for index, item in enumerate(items)][::-1]
    first, last = (listed[0]["id"], listed[-1]["id"]) if listed else (None, None)
    return Answer({"object": "list", "data": listed, "first_id": first, "last_id": last, "has_more": False})


def delete(store: Store, response_id: str) -> Answer:
    """Answers DELETE /v1/responses/{id}."""
    store.get(response_id)
    del store.kept[response_id]
    return Answer({"id": response_id, "object": "response", "deleted": True})
