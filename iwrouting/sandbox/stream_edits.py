"""What a fault changes in the events of a stream: what is left out, put in, renumbered, or ends it too early."""

from __future__ import annotations

from collections.abc import Iterator

from iwrouting.sandbox.answer import DONE, Event
from iwrouting.sandbox.faults import ErrorEvent, Fault

MALFORMED = '{"id": "chatcmpl-sandbox", "choices": [{"delta": {"conte'


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
    """The stream without its terminator, with what was put into it or left out, or ended by an error event."""
    if fault.no_done:
        events = [event for event in events if event.data != DONE]
    if fault.no_deltas is not None:
        events = renumbered([event for event in events if not is_delta(event, fault.no_deltas)])
    if fault.tool_index is not None:
        break_indexes(events, fault.tool_index)
    if fault.pad_bytes and len(events) > 1 and isinstance(events[1].data, dict):
        events[1].data["padding"] = "x" * fault.pad_bytes
    if fault.keepalive_every is not None:
        events = renumbered(list(kept_alive(events, fault.keepalive_every)))
    if fault.error_event_after_events is not None:
        wanted = fault.error_event_after_events
        kept = [event for event in events[: wanted.events] if event.data != DONE]
        return [*kept, error_event(wanted, events[0], len(kept))]
    if fault.malformed_after_events is not None:
        at = fault.malformed_after_events
        events = [*events[:at], Event(MALFORMED), *events[at:]]
    return events


def renumbered(events: list[Event]) -> list[Event]:
    """The events of a response with their numbers without gaps again."""
    for number, event in enumerate(events):
        if isinstance(event.data, dict) and "sequence_number" in event.data:
            event.data["sequence_number"] = number
    return events


def is_delta(event: Event, kind: str) -> bool:
    """Whether an event is a delta of this kind: then only its `.done` tells the whole (openai-facts.md 2e)."""
    found = str(event.data.get("type")) if isinstance(event.data, dict) else ""
    names = {"arguments": ".function_call_arguments.delta", "text": ".output_text.delta", "all": ".delta"}
    return found.endswith(names[kind])


def break_indexes(events: list[Event], how: str) -> None:
    """Takes the `index` of the tool calls' deltas away, or makes it the same for all."""
    for event in events:
        choices = event.data.get("choices") or () if isinstance(event.data, dict) else ()
        for call in (call for choice in choices for call in choice["delta"].get("tool_calls") or ()):
            call["index"] = None if how == "null" else 0
            if how == "missing":
                del call["index"]


def kept_alive(events: list[Event], every: int) -> Iterator[Event]:
    """The events with a keepalive after every so many: an event on responses, a comment on chat."""
    for number, event in enumerate(events):
        if number and number % every == 0:
            alive = {"type": "keepalive", "sequence_number": 0}
            yield Event(alive, named=True) if events[0].named else Event("keepalive", comment=True)
        yield event


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
