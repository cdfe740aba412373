"""A call whose answer comes whole."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from iwrouting.dispatch.job import Dispatcher, Job, microseconds_since
from iwrouting.dispatch.scanning import choices_sent, echo_of
from iwrouting.dispatch.walk import walk
from iwrouting.types import AttemptRecord, Endpoint, Rung, Usage
from iwrouting.upstream import Failure, Reply, read_usage
from iwrouting.upstream.failures import bad_answer, in_band, transport_failure
from iwrouting.upstream.folding import fold_chat, fold_responses
from iwrouting.upstream.responses import ending_of
from iwrouting.upstream.translate import responses_to_chat, responses_usage
from iwrouting.upstream.translate.pieces import failure_of
from iwrouting.upstream.translate.reverse import chat_to_response
from iwrouting.upstream.translate.wire import dumps, loads

TO_WHOLE = "adapted stream to json"
UNDER_WAY = ("queued", "in_progress")


@dataclass(frozen=True, slots=True)
class Served:
    """A whole answer: the very bytes of the provider, or their translation, and what the record needs of them."""

    rung: Rung
    attempt: AttemptRecord
    body: bytes
    usage: Usage | None
    finish_reason: str = ""


async def send_buffered(dispatcher: Dispatcher, job: Job) -> Served:
    """Walk the chain for a whole answer. Raises UpstreamFailed or one of its kinds."""
    return await walk(dispatcher, job, receive_whole)


async def receive_whole(job: Job, rung: Rung, attempt: AttemptRecord, reply: Reply) -> Served | Failure:
    """Read a whole answer; a 200 that is none is a failure that goes on (faults.md U18, U19, U20)."""
    body = await read_answer(attempt, reply)
    if isinstance(body, Failure):
        return body
    if job.path:
        return fetched(rung, attempt, body)
    parsed = parse_answer(body, reply)
    if isinstance(parsed, Failure) and parsed.code == "mode_mismatch":
        parsed = await folded(job, attempt, body)
        body = b"" if isinstance(parsed, Failure) else dumps(parsed)
    if isinstance(parsed, Failure):
        return parsed
    if job.endpoint == Endpoint.RESPONSES:
        return respond(job, rung, attempt, body, parsed)
    if attempt.endpoint != job.endpoint:
        return translated(job, rung, attempt, parsed)
    if not parsed.get("choices") or not isinstance(parsed["choices"], list):
        return bad_answer("bad_body", 200)
    return Served(rung, attempt, body, read_usage(parsed), finish_reason(parsed))


async def folded(job: Job, attempt: AttemptRecord, body: bytes) -> dict[str, Any] | Failure:
    """The answer that a stream tells which nobody asked for, told as a change."""
    if attempt.endpoint == Endpoint.RESPONSES:
        found = await asyncio.to_thread(fold_responses, body)
    else:
        choices = job.body.get("n") or 1 if job.endpoint == Endpoint.CHAT else 1
        choices = choices_sent(attempt, choices)
        found = await asyncio.to_thread(fold_chat, body, choices)
    if not isinstance(found, Failure):
        attempt.changes += (TO_WHOLE,)
    return found


def translated(job: Job, rung: Rung, attempt: AttemptRecord, parsed: dict[str, Any]) -> Served | Failure:
    """A Responses answer as the chat answer that the caller waits for."""
    attempt.response_id = response_id(parsed)
    chat = responses_to_chat(parsed, chat_id=job.chat_id, created=int(time.time()))
    if isinstance(chat, Failure):
        return chat
    body = written(chat)
    if isinstance(body, Failure):
        return body
    return Served(rung, attempt, body, responses_usage(parsed), finish_reason(chat))


def respond(job: Job, rung: Rung, attempt: AttemptRecord, body: bytes, parsed: dict[str, Any]) -> Served | Failure:
    """An answer for a Responses caller: as it came, or made of a chat answer."""
    if attempt.endpoint == Endpoint.RESPONSES:
        attempt.response_id = response_id(parsed)
        waits = job.goes_on and parsed.get("status") in UNDER_WAY
        failure = None if waits else failure_of(parsed)
        return failure or Served(rung, attempt, body, final_usage(parsed), ending_of(parsed))
    made = chat_to_response(parsed, echo_of(job))
    if isinstance(made, Failure):
        return made
    whole = written(made)
    if isinstance(whole, Failure):
        return whole
    return Served(rung, attempt, whole, read_usage(parsed), finish_reason(parsed))


def written(made: dict[str, Any]) -> bytes | Failure:
    """A translated answer as JSON; a Failure for one that the provider nested too deep for that."""
    try:
        return dumps(made)
    except ValueError:
        return bad_answer("bad_body", 200)


def fetched(rung: Rung, attempt: AttemptRecord, body: bytes) -> Served | Failure:
    """What a provider says of a response that it keeps, whatever its state."""
    try:
        parsed = loads(body)
    except ValueError:
        return bad_answer("bad_body", 200)
    attempt.response_id = response_id(parsed)
    return Served(rung, attempt, body, final_usage(parsed), ending_of(parsed))


def final_usage(parsed: dict[str, Any]) -> Usage | None:
    """The usage of a response that is at its end; what stands in one under way, such as zeros, is not yet its usage."""
    return None if parsed.get("status") in UNDER_WAY else responses_usage(parsed)


def response_id(parsed: dict[str, Any]) -> str:
    """The provider's id of a response; an empty string for none."""
    given = parsed.get("id")
    return given if isinstance(given, str) else ""


async def read_answer(attempt: AttemptRecord, reply: Reply) -> bytes | Failure:
    """The body of a 200, recorded; a Failure for one that is cut, stalled or too large."""
    try:
        body = await reply.read()
    except ValueError:
        return bad_answer("too_large", 200)
    except aiohttp.ClientPayloadError:
        return bad_answer("body_cut", 200)
    except TimeoutError as error:
        return transport_failure(error)
    attempt.bytes_received = len(body)
    attempt.end_us = microseconds_since(attempt.sent_ns)
    return body


def parse_answer(body: bytes, reply: Reply) -> dict[str, Any] | Failure:
    """The JSON object of a 200, or what is wrong with it."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return bad_answer("mode_mismatch" if reply.event_stream else "bad_body", 200)
    if not isinstance(parsed, dict):
        return bad_answer("bad_body", 200)
    error = parsed.get("error")
    if not error:
        return parsed
    return in_band(error if isinstance(error, dict) else {"message": str(error)})


def finish_reason(parsed: dict[str, Any]) -> str:
    """The finish reason of the first choice, or an empty string."""
    choices = parsed.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    reason = first.get("finish_reason") if isinstance(first, dict) else None
    return reason if isinstance(reason, str) else ""
