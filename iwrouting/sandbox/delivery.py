"""Puts an answer on the wire, with what a fault does there: delays, silence, cuts, resets, stalls."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from iwrouting.sandbox.answer import Answer, Event
from iwrouting.sandbox.exchange import Exchange
from iwrouting.sandbox.faults import Fault

NO_FAULT = Fault()
LAST_CHUNK = b"0\r\n\r\n"
SPACES = b" " * 2**16
RESET_PAUSE_S = 0.02
"""Lets the bytes before a reset reach the other side: a reset overtakes what is still queued."""


class Wire(Protocol):
    """What delivery needs of a connection."""

    chunked: bool

    def write(self, data: bytes) -> None:
        """Queues bytes."""

    async def drain(self) -> None:
        """Waits while the other side reads too slowly."""

    def finish(self, ended: str) -> None:
        """Ends the exchange: logs it."""

    def close(self) -> None:
        """Closes the connection after what is queued."""

    def reset(self) -> None:
        """Breaks the connection off at once."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a fault ends an answer before its end, and how."""

    ending: str
    events: int | None
    octets: int | None


def stop_of(fault: Fault) -> Stop | None:
    """The fault's early end, if it has one."""
    ways = (
        Stop("cut", fault.cut_after_events, fault.cut_after_bytes),
        Stop("reset", fault.reset_after_events, fault.reset_after_bytes),
        Stop("stalled", fault.stall_after_events, fault.stall_after_bytes),
    )
    return next((way for way in ways if way.events is not None or way.octets is not None), None)


def is_plain(answer: Answer, fault: Fault | None) -> bool:
    """Whether an answer can go out at once, in one write."""
    return answer.events is None and (fault is None or not touches_wire(fault))


def touches_wire(fault: Fault) -> bool:
    """Whether a fault needs time, or breaks the transport."""
    timed = fault.delay_ms or fault.event_delay_ms or fault.first_event_delay_ms or fault.drip is not None
    pieces = fault.split_bytes or fault.pad_bytes
    broken = fault.silent or fault.reset_after_headers or stop_of(fault) is not None
    return bool(timed or pieces or broken)


def head(exchange: Exchange, answer: Answer, *, chunked: bool, close: bool) -> bytes:
    """Status line and headers, with the provider's own (openai-facts.md 4b). A fault's headers win."""
    headers = {
        "content-type": answer.content_type if answer.events is None else "text/event-stream; charset=utf-8",
        "x-sandbox": "1",
        "x-request-id": exchange.request_id,
        "openai-processing-ms": str(round(exchange.ms())),
        "openai-version": "2020-10-01",
        "openai-organization": "sandbox",
        "x-ratelimit-limit-requests": "10000",
        "x-ratelimit-remaining-requests": "9999",
        "x-ratelimit-reset-requests": "6ms",
        "x-ratelimit-limit-tokens": "30000000",
        "x-ratelimit-remaining-tokens": "29999000",
        "x-ratelimit-reset-tokens": "2ms",
    }
    if answer.events is None:
        headers["content-length"] = str(answer.padding + len(answer.body()))
    else:
        headers["cache-control"] = "no-cache"
        if answer.content_type != "application/json":
            headers["content-type"] = answer.content_type
        if chunked:
            headers["transfer-encoding"] = "chunked"
    if close:
        headers["connection"] = "close"
    headers.update(answer.headers)
    try:
        reason = HTTPStatus(answer.status).phrase
    except ValueError:
        reason = "Sandbox"
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {answer.status} {reason}\r\n{lines}\r\n".encode("latin-1", "replace")


def frames(answer: Answer, fault: Fault) -> Iterator[tuple[bytes, int]]:
    """The body in the order of its writes, each with the number of events it completes."""
    if answer.events is None:
        for start in range(0, answer.padding, len(SPACES)):
            yield SPACES[: answer.padding - start], 0
        yield from split(answer.body(), piece_size(fault, 0), 0)
        return
    for index, event in enumerate(answer.events):
        for item in fault.inject:
            if item.after_events == index:
                yield item.raw.encode("utf-8", "surrogatepass"), 0
        yield from split(event.frame(), piece_size(fault, index), 1)
        while fault.endless and is_content(event):
            yield event.frame(), 1
    for item in fault.inject:
        if item.after_events >= len(answer.events):
            yield item.raw.encode("utf-8", "surrogatepass"), 0


def piece_size(fault: Fault, events: int) -> int | None:
    """How many bytes go out at a time after so many events; None: a whole event."""
    return fault.drip.bytes if fault.drip is not None and events >= fault.drip.after_events else fault.split_bytes


def delay(fault: Fault, exchange: Exchange) -> int:
    """Milliseconds to wait before the next piece."""
    if fault.drip is not None and exchange.events >= fault.drip.after_events:
        return fault.drip.every_ms
    return fault.event_delay_ms if exchange.bytes_out else fault.first_event_delay_ms


def is_content(event: Event) -> bool:
    """Whether an event carries output."""
    if not isinstance(event.data, dict):
        return False
    choices = event.data.get("choices") or [{}]
    return event.data.get("type") == "response.output_text.delta" or bool(choices[0].get("delta", {}).get("content"))


def split(data: bytes, size: int | None, events: int) -> Iterator[tuple[bytes, int]]:
    """The bytes in pieces of `size`; the last one completes the event."""
    if size is None or not data:
        yield data, events
        return
    for start in range(0, len(data), size):
        yield data[start : start + size], events if start + size >= len(data) else 0


async def deliver(wire: Wire, exchange: Exchange, answer: Answer, fault: Fault | None, *, close: bool) -> None:
    """Sends an answer piece by piece. Ends the exchange just before the last bytes, so that the log has it by then."""
    fault = fault or NO_FAULT
    await pause(fault.delay_ms)
    if fault.silent:
        await stay_silent(wire, exchange, fault)
        return
    exchange.status = answer.status
    wire.write(head(exchange, answer, chunked=wire.chunked, close=close))
    if fault.reset_after_headers:
        await end_early(wire, exchange, "reset")
        return
    if await send_body(wire, exchange, answer, fault) and close:
        wire.close()


async def stay_silent(wire: Wire, exchange: Exchange, fault: Fault) -> None:
    """Answers nothing, or nothing that is HTTP."""
    if fault.no_answer:
        exchange.waiting = "no_answer"
        await asyncio.Event().wait()
    elif fault.raw_bytes is not None:
        data = fault.raw_bytes.encode("latin-1", "replace")
        exchange.bytes_out = len(data)
        wire.finish("raw")
        wire.write(data)
        wire.close()
    else:
        wire.finish("reset")
        wire.reset()


async def send_body(wire: Wire, exchange: Exchange, answer: Answer, fault: Fault) -> bool:
    """Sends the body; whether HTTP ended in order, so that another request may follow."""
    stop = stop_of(fault)
    chunked = wire.chunked and answer.events is not None
    upcoming = frames(answer, fault)
    piece: tuple[bytes, int] | None = next(upcoming)
    while piece is not None and not reached(exchange, stop):
        following = next(upcoming, None)
        await pause(delay(fault, exchange))
        data = piece[0][: room(exchange, stop)]
        exchange.bytes_out += len(data)
        exchange.events += piece[1] if len(data) == len(piece[0]) else 0
        if following is None and not reached(exchange, stop):
            await wire.drain()
            wire.finish("complete")
            wire.write(chunk(data, chunked=chunked) + (LAST_CHUNK if chunked else b""))
            return True
        wire.write(chunk(data, chunked=chunked))
        await wire.drain()
        piece = following
    clean = fault.clean_end and chunked
    await end_early(wire, exchange, stop.ending if stop else "cut", clean=clean)
    return clean


def reached(exchange: Exchange, stop: Stop | None) -> bool:
    """Whether the answer has come to its early end."""
    if stop is None:
        return False
    by_events = stop.events is not None and exchange.events >= stop.events
    return by_events or (stop.octets is not None and exchange.bytes_out >= stop.octets)


def room(exchange: Exchange, stop: Stop | None) -> int | None:
    """How many bytes may still go out; None: no limit."""
    return None if stop is None or stop.octets is None else max(stop.octets - exchange.bytes_out, 0)


def chunk(data: bytes, *, chunked: bool) -> bytes:
    """The bytes in chunked transfer coding, where it is used; no bytes make no chunk, which would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data) if chunked and data else data


async def end_early(wire: Wire, exchange: Exchange, ending: str, *, clean: bool = False) -> None:
    """Cuts, resets or stalls. `clean`: HTTP ends in order, so that only what is missing tells of the cut."""
    if ending == "stalled":
        exchange.waiting = ending
        await asyncio.Event().wait()
    elif ending == "reset":
        await asyncio.sleep(RESET_PAUSE_S)
        wire.finish(ending)
        wire.reset()
    else:
        wire.finish(ending)
        if clean:
            wire.write(LAST_CHUNK)
        else:
            wire.close()


async def pause(ms: int) -> None:
    """Waits; at 0 it still lets other requests go on."""
    await asyncio.sleep(ms / 1000)
