"""What a fault changes in an answer's content before it goes out; delivery.py does what happens on the wire."""

from __future__ import annotations

import base64
import copy
import math
from array import array
from collections.abc import Callable

from iwrouting.sandbox.answer import DONE, Answer, Event, Json
from iwrouting.sandbox.faults import UNSET, ErrorEvent, Fault
from iwrouting.sandbox.presets import error_body
from iwrouting.sandbox.usage import chat_usage

MALFORMED = '{"id": "chatcmpl-sandbox", "choices": [{"delta": {"conte'


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
    """A copy of the answer with the fault's changes of content."""
    answer = copy.deepcopy(answer)
    answer.headers.update(fault.headers)
    if fault.content_type is not None:
        answer.content_type = fault.content_type
    each(answer, lambda data: rename(data, fault))
    if fault.finish is not None:
        each(answer, lambda data: finish(data, str(fault.finish)))
    if fault.failed is not None:
        fail(answer, fault.failed)
    edit_usage(answer, fault)
    if fault.embeddings is not None:
        spoil_vectors(answer.payload, fault.embeddings)
    if answer.events is not None:
        answer.events = edited_events(answer.events, fault)
    return moded(answer, fault.mode)


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


def fail(answer: Answer, error: Json) -> None:
    """Turns a response into a failed one, inside its HTTP 200."""
    if answer.events is None:
        answer.payload.update({"status": "failed", "error": error, "output": []})
        return
    last = answer.events[-1].data
    if isinstance(last, dict) and isinstance(last.get("response"), dict):
        last["type"] = "response.failed"
        last["response"].update({"status": "failed", "error": error, "output": []})
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


def is_usage_chunk(event: Event) -> bool:
    """Whether an event is the chat stream's usage chunk."""
    return isinstance(event.data, dict) and event.data.get("choices") == []


def replaced_usage(events: list[Event], place: str) -> list[Event]:
    """The usage chunk sent twice, or folded into the finish chunk before it."""
    for index, event in enumerate(events):
        if is_usage_chunk(event) and isinstance(event.data, dict):
            if place == "twice":
                return [*events[:index], event, *events[index:]]
            before = events[index - 1].data
            if isinstance(before, dict):
                before["usage"] = event.data["usage"]
            return [*events[:index], *events[index + 1 :]]
    return events


def edited_events(events: list[Event], fault: Fault) -> list[Event]:
    """The stream without its terminator, with what was put into it, or ended by an error event."""
    if fault.no_done:
        events = [event for event in events if event.data != DONE]
    if fault.error_event_after_events is not None:
        wanted = fault.error_event_after_events
        kept = [event for event in events[: wanted.events] if event.data != DONE]
        return [*kept, error_event(wanted, events[0], len(kept))]
    if fault.malformed_after_events is not None:
        at = fault.malformed_after_events
        events = [*events[:at], Event(MALFORMED), *events[at:]]
    return events


def error_event(wanted: ErrorEvent, first: Event, number: int) -> Event:
    """The error as an event: a bare object on chat, one of three forms on responses (openai-facts.md 3)."""
    if not first.named or not isinstance(first.data, dict):
        return Event({"error": wanted.error})
    if wanted.form == "nested":
        return Event({"type": "error", "error": wanted.error, "sequence_number": number}, named=True)
    if wanted.form == "failed":
        response = {**first.data["response"], "status": "failed", "error": wanted.error}
        return Event({"type": "response.failed", "response": response, "sequence_number": number}, named=True)
    flat = {key: wanted.error.get(key) for key in ("code", "message", "param")}
    return Event({"type": "error", **flat, "sequence_number": number}, named=True)


def spoil_vectors(payload: Json, how: str) -> None:
    """Breaks an embeddings answer: order, count, width, or a value that is no number."""
    data: list[Json] = payload["data"]
    if how == "shuffle":
        payload["data"] = data[1:] + data[:1]
    elif how == "short":
        payload["data"] = data[:-1]
    else:
        data[-1]["embedding"] = spoiled(data[-1]["embedding"], how)


def spoiled(vector: str | list[float], how: str) -> str | list[float]:
    """A vector, in either encoding, one value short or with a value that is no number."""
    values = array("f", base64.b64decode(vector) if isinstance(vector, str) else vector)
    changed = values[:-1] if how == "wrong_width" else array("f", [math.nan]) + values[1:]
    return base64.b64encode(changed.tobytes()).decode() if isinstance(vector, str) else changed.tolist()


def moded(answer: Answer, mode: str | None) -> Answer:
    """JSON where a stream was asked, or a stream where JSON was asked."""
    if mode == "json" and answer.events is not None:
        answer.events = None
        answer.payload = {"id": "sandbox", "object": "chat.completion", "choices": [], "usage": chat_usage(0, 0, 0, 0)}
    elif mode == "sse" and answer.events is None:
        answer.events = [Event(answer.payload), Event(DONE)]
    return answer
