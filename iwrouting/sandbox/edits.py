"""What a fault changes in an answer's content before it goes out; delivery.py does what happens on the wire."""

from __future__ import annotations

import base64
import copy
import gzip
import math
from array import array
from collections.abc import Callable
from typing import Any

from iwrouting.sandbox.answer import DONE, Answer, Event, Json
from iwrouting.sandbox.faults import UNSET, Fault
from iwrouting.sandbox.presets import error_body
from iwrouting.sandbox.stream_edits import edited_events, is_usage_chunk, replaced_usage

NO_FAULT = Fault()


def replaced(fault: Fault) -> Answer:
    """The answer of a fault that is the whole answer."""
    if fault.redirect is not None:
        return Answer(raw=b"", status=fault.status or 307, headers={"location": fault.redirect, **fault.headers})
    status = fault.status or 200
    content_type = fault.content_type or "application/json"
    if fault.raw_body is not None:
        raw = fault.raw_body.encode("utf-8", "surrogatepass")
        return Answer(raw=raw, status=status, headers=dict(fault.headers), content_type=content_type)
    body = error_body(status) if fault.body is UNSET else fault.body
    if isinstance(body, str):
        return Answer(raw=body.encode(), status=status, headers=dict(fault.headers), content_type=content_type)
    return Answer(body, status=status, headers=dict(fault.headers), content_type=content_type)


def edited(answer: Answer, fault: Fault) -> Answer:
    """A copy of the answer with the fault's changes of content; the answer itself under none."""
    if fault == NO_FAULT:
        return answer
    answer = copy.deepcopy(answer)
    answer.headers.update(fault.headers)
    if fault.content_type is not None:
        answer.content_type = fault.content_type
    each(answer, lambda data: rename(data, fault))
    if fault.finish is not None:
        each(answer, lambda data: finish(data, str(fault.finish)))
    if fault.failed is not None:
        fail(answer, fault.failed)
    if fault.refusal:
        each(answer, refuse)
    edit_usage(answer, fault)
    if fault.embeddings is not None and "data" in answer.payload:
        spoil_vectors(answer.payload, fault.embeddings)
    if answer.events is not None:
        answer.events = edited_events(answer.events, fault)
    elif fault.mode == "sse":
        answer.events = [Event(answer.payload), Event(DONE)]
    elif fault.pad_bytes:
        answer.padding = fault.pad_bytes
    return answer if fault.gzip is None else packed(answer, fault.gzip)


def each(answer: Answer, change: Callable[[Json], None]) -> None:
    """Applies a change to the payload, or to every event's data and the response inside it."""
    parts = [answer.payload] if answer.events is None else [event.data for event in answer.events]
    for data in parts:
        if isinstance(data, dict):
            change(data)
            if isinstance(data.get("response"), dict):
                change(data["response"])


def rename(data: Json, fault: Fault) -> None:
    """Replaces id and model where the answer has them."""
    for key, value in (("id", fault.response_id), ("model", fault.served_model)):
        if value is not UNSET and key in data:
            data[key] = value


def finish(data: Json, reason: str) -> None:
    """Replaces the reason why a chat choice or a response ended."""
    for choice in data.get("choices") or ():
        if choice.get("finish_reason"):
            choice["finish_reason"] = reason
    if data.get("object") == "response" and data.get("status") in ("completed", "incomplete") and reason != "stop":
        data["status"] = "incomplete"
        data["incomplete_details"] = {"reason": "max_output_tokens" if reason == "length" else reason}
    if data.get("type") == "response.completed" and reason != "stop":
        data["type"] = "response.incomplete"


def fail_response(response: Json, error: Json) -> None:
    """Makes a response one that failed."""
    response.update({"status": "failed", "error": error, "output": [], "completed_at": None})


def fail(answer: Answer, error: Json) -> None:
    """Turns a response into a failed one, inside its HTTP 200; one that is not done yet goes on."""
    if answer.events is None:
        if answer.payload.get("status") not in ("queued", "in_progress"):
            fail_response(answer.payload, error)
        return
    last = answer.events[-1].data
    if isinstance(last, dict) and isinstance(last.get("response"), dict):
        last["type"] = "response.failed"
        fail_response(last["response"], error)
        opening = [e for e in answer.events if isinstance(e.data, dict) and is_opening(e.data["type"])]
        answer.events = [*opening, answer.events[-1]]


def is_opening(kind: str) -> bool:
    """Whether a Responses event comes before any output."""
    return kind in ("response.created", "response.queued", "response.in_progress")


def edit_usage(answer: Answer, fault: Fault) -> None:
    """Drops or replaces the usage, or puts it where it does not belong."""
    if fault.usage is not UNSET:
        answer.usage = fault.usage
        each(answer, lambda data: data.update(usage=fault.usage) if data.get("usage") else None)
    if fault.drop_usage:
        each(answer, lambda data: data.pop("usage", None))
        answer.events = None if answer.events is None else [e for e in answer.events if not is_usage_chunk(e)]
    if fault.usage_place and answer.events is not None:
        answer.events = replaced_usage(answer.events, fault.usage_place)


def refuse(data: Json) -> None:
    """Turns what the model says into a refusal: a result, not an error (openai-facts.md 4a)."""
    for choice in data.get("choices") or ():
        part = choice.get("delta") or choice.get("message") or {}
        if part.get("content"):
            part["refusal"], part["content"] = part["content"], None
    if str(data.get("type")).startswith("response.output_text."):
        data["type"] = data["type"].replace("output_text", "refusal")
        if "text" in data:
            data["refusal"] = data.pop("text")
        data.pop("logprobs", None)
    for item in (*(data.get("output") or ()), data.get("item") or {}):
        if "content" in item:
            item["content"] = [refusal_part(part) for part in item["content"]]
    if "part" in data:
        data["part"] = refusal_part(data["part"])


def refusal_part(part: Json) -> Json:
    """A text part as a refusal."""
    return {"type": "refusal", "refusal": part["text"]} if part.get("type") == "output_text" else part


def spoil_vectors(payload: Json, how: str) -> None:
    """Breaks an embeddings answer: order, count, numbering, width, or what the last vector holds."""
    data: list[Json] = payload["data"]
    if how == "shuffle":
        payload["data"] = data[1:] + data[:1]
    elif how == "short":
        payload["data"] = data[:-1]
    elif how == "long":
        payload["data"] = [*data, {**data[-1], "index": len(data)}]
    elif how == "repeated_index":
        payload["data"] = [{**item, "index": 0} for item in data]
    elif how == "no_index":
        payload["data"] = [{key: value for key, value in item.items() if key != "index"} for item in data]
    else:
        data[-1]["embedding"] = spoiled(data[-1]["embedding"], how)


def spoiled(vector: str | list[float], how: str) -> str | list[Any]:
    """A vector, in either encoding: one value short, empty, of texts, or with a value that is no number."""
    values = array("f", base64.b64decode(vector) if isinstance(vector, str) else vector)
    if how == "texts":
        return [str(value) for value in values]
    wrong = array("f", [math.inf if how == "infinite" else math.nan]) + values[1:]
    changed = {"wrong_width": values[:-1], "empty": array("f")}.get(how, wrong)
    return base64.b64encode(changed.tobytes()).decode() if isinstance(vector, str) else changed.tolist()


def packed(answer: Answer, how: str) -> Answer:
    """The answer said to be gzip: really, only its first half, or not at all."""
    streamed = answer.events is not None
    plain = b"".join(event.frame() for event in answer.events or ()) if streamed else answer.body()
    whole = gzip.compress(plain)
    data = {"false": plain, "whole": whole, "truncated": whole[: len(whole) // 2]}[how]
    headers = {**answer.headers, "content-encoding": "gzip"}
    kind = "text/event-stream; charset=utf-8" if streamed else answer.content_type
    return Answer(raw=data, status=answer.status, headers=headers, usage=answer.usage, content_type=kind)


def echoed(answer: Answer, authorization: str) -> Answer:
    """A copy of the answer in which every error repeats the caller's key, in its message and its `param`."""
    answer = copy.deepcopy(answer)
    for data in (answer.payload, *(event.data for event in answer.events or ())):
        inner = data.get("response") if isinstance(data, dict) else None
        for holder in (data, inner):
            error = holder.get("error") if isinstance(holder, dict) else None
            if isinstance(error, dict):
                error["message"] = f"{error.get('message')} You sent '{authorization}'."
                error["param"] = authorization.rpartition(" ")[2]
    return answer
