"""What a call gives back to the door: bytes or events, with the headers that tell what happened (ux.md 3)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

import orjson

from iwrouting.calls.draft import Draft, Ending
from iwrouting.conf.redact import redact
from iwrouting.dispatch import Job
from iwrouting.errors import RoutingError
from iwrouting.types import Endpoint, Rung
from iwrouting.upstream.translate import is_research

MAX_HEADER = 2_000


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    body: bytes
    headers: Mapping[str, str]
    status: int = 200


@dataclass(frozen=True, slots=True)
class StreamAnswer:
    """An answer in server-sent events. Whoever takes it must exhaust or close `events`: that stores the outcome."""

    events: AsyncGenerator[bytes, None]
    headers: Mapping[str, str]


def decision_headers(draft: Draft) -> dict[str, str]:
    """The headers known once the decision is made; early streams get no more than these."""
    headers = {
        "x-request-id": draft.caller.request_id,
        "x-iw-decision-id": draft.id,
        "x-iw-revision": str(draft.config.revision),
    }
    resolution = draft.resolution
    if resolution is not None:
        headers["x-iw-source"] = resolution.source.value
        if resolution.alias:
            headers["x-iw-alias"] = resolution.alias
        if resolution.inference:
            headers["x-iw-mode"] = resolution.inference.mode
    if warnings := draft.all_warnings:
        headers["x-iw-warning"] = header_text("; ".join(warnings))
    return headers


def served_headers(draft: Draft, job: Job, ending: Ending) -> dict[str, str]:
    """The headers of an answer, or of an error after tries: who served, after how many tries, with which changes."""
    headers = decision_headers(draft)
    headers["x-iw-attempts"] = str(ending.calls)
    headers["x-iw-fallback"] = str(ending.fallbacks)
    if ending.rung is not None:
        headers["x-iw-model"] = header_text(ending.rung.model or "")
        headers["x-iw-upstream"] = ending.rung.upstream
        if warning := kind_warning(job, ending.rung):
            headers["x-iw-warning"] = header_text("; ".join((*draft.all_warnings, warning)))
    last = next((attempt for attempt in reversed(job.attempts) if attempt.kind == "call"), None)
    if last is not None and last.changes:
        headers["x-iw-changes"] = header_text("; ".join(last.changes))
    if last is not None and last.response_id:
        headers["x-iw-response-id"] = header_text(redact(last.response_id))
    total, own = draft.elapsed_us() / 1000, (ending.overhead_us or 0) / 1000
    headers["server-timing"] = f"total;dur={total:.1f}, iw;dur={own:.1f}"
    return headers


def kind_warning(job: Job, served: Rung) -> str:
    """What to say where a chat model answers in the place of a deep-research one: that is another kind of model."""
    passed = (rung for rung in job.resolution.chain[: served.rung] if is_research(job.facts(rung)))
    missed = next(passed, None)
    if missed is None or is_research(job.facts(served)):
        return ""
    return f"fallback_changes_kind: {missed.model} did not serve, {served.model} answers without research"


def error_event(error: RoutingError, endpoint: str, number: int = 0) -> bytes:
    """An error as a server-sent event: the SDK raises it as APIError with our code (openai-facts.md 3).

    On Responses it has both of that API's forms: the SDK raises for the object, its types want the members beside it.
    """
    body = error.body()
    if endpoint == Endpoint.CHAT:
        return b"data: " + orjson.dumps(body) + b"\n\n"
    flat = {name: body["error"][name] for name in ("code", "message", "param")}
    return (
        b"event: error\ndata: " + orjson.dumps({"type": "error", "sequence_number": number, **flat, **body}) + b"\n\n"
    )


def comment(fields: Mapping[str, str]) -> bytes:
    """A comment that carries what an early stream's headers could not."""
    return b": " + orjson.dumps(dict(fields)) + b"\n\n"


def header_text(text: str) -> str:
    """Text that can stand in a header: printable ASCII, bounded."""
    text = text[:MAX_HEADER]
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if " " <= char <= "~" else "?" for char in text)
