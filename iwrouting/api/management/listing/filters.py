"""The filters of decisions: for the API's list and for the command that exports them, by the same names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta

from iwrouting.api.management.resources.filters import Filter, Filters, flag, lookups, one_of, text, times, whole
from iwrouting.calls.caller import FREE_ID
from iwrouting.errors import BadRequest
from iwrouting.reports.export.asked import NAMED, OPEN, OUTCOME, RESULT, TAG, Asked
from iwrouting.types import Kind, Result, Source

WINDOW = timedelta(days=1)
"""The time looked at where none is named, as in the admin's list."""

FIRST = datetime(1970, 1, 1, tzinfo=UTC) + WINDOW
MOST = 2**63 - 1
START, END = "created_at__gte", "created_at__lt"


def _word(lookup: str, words: Collection[str]) -> Filter:
    def read(said: str) -> str:
        if said not in words:
            raise ValueError
        return said

    return Filter(lookup, read, str, f"One of {', '.join(words)}.")


def _range(name: str, column: str, told: str, times_: int = 1) -> dict[str, Filter]:
    """A number from one on, and under another; the column holds it `times_` as large."""
    return {
        f"{name}__gte": Filter(f"{column}__gte", _scaled(times_), int, f"{told} From this on."),
        f"{name}__lt": Filter(f"{column}__lt", _scaled(times_), int, f"{told} Under this."),
    }


def _scaled(factor: int) -> Callable[[str], int]:
    def read(said: str) -> int:
        if not (said.isascii() and said.isdigit() and len(said) < 20) or int(said) * factor > MOST:
            raise ValueError
        return int(said) * factor

    return read


def _tag(said: str) -> str:
    if not FREE_ID.fullmatch(said):
        raise ValueError
    return said


def _ended(name: str, told: str = "Exactly this.") -> dict[str, Filter]:
    return {name: text(f"{OUTCOME}{name}", told)}


FILTERS: Filters = {
    **times("created_at"),
    "project": text("project", "Slug or external id of the project, or the unknown name that the caller sent."),
    "project_external_id": text("project_external_id"),
    "key_id": text("key_id", "Public part of the API key."),
    "request_id": text("request_id", "Found whenever it was, unless a time is named."),
    "run_id": text("run_id", "Found whenever they were, unless a time is named."),
    "tag": Filter(TAG, _tag, str, "One of its tags: letters, digits and ._:/- alone."),
    "alias": text("alias", "Empty: a named model."),
    "kind": one_of("kind", Kind),
    "inferred_mode": text("inferred_mode"),
    "endpoint": text("endpoint"),
    "source": one_of("source", Source),
    "model_asked": text("model_asked"),
    "model_resolved": text("model_resolved"),
    **_ended("model_served"),
    "upstream": text("upstream", "Slug of the upstream that was decided."),
    **_ended("upstream_served", "Slug of the upstream that answered."),
    "result": _word(RESULT, [*Result, OPEN]),
    "origin": _word(f"{OUTCOME}origin", ["server", "sweeper"]),
    "status": whole(f"{OUTCOME}status", "HTTP status that the caller got."),
    **_ended("error_code"),
    **_ended("error_type"),
    **_ended("finish_reason"),
    **_ended("cost_state"),
    **_ended("tokens_source"),
    "revision": whole("revision", "Revision of the configuration that decided."),
    **_range("revision", "revision", "Revision."),
    "environment_id": text("environment_id"),
    "catalogue_version": text("catalogue_version"),
    "rules_version": text("rules_version"),
    "app_version": text("app_version"),
    "is_test": flag("is_test"),
    "is_stream": flag("is_stream"),
    **_range("latency_ms", f"{OUTCOME}latency_us", "Whole milliseconds.", 1000),
    **_range("first_byte_ms", f"{OUTCOME}first_byte_us", "Whole milliseconds.", 1000),
    **_range("cost_pico", f"{OUTCOME}cost_pico", "Pico-dollars."),
    **_range("prompt_tokens", f"{OUTCOME}prompt_tokens", "Tokens."),
    **_range("completion_tokens", f"{OUTCOME}completion_tokens", "Tokens."),
    **_range("calls", f"{OUTCOME}calls", "Tries that were sent."),
    **_range("fallbacks", f"{OUTCOME}fallbacks", "Rungs gone on."),
}


def read_asked(query: Mapping[str, str], projects: Collection[str] | None, now: datetime) -> Asked:
    """What a query asks for, of these projects alone; None: all. Without a time: of the last WINDOW.

    Raises BadRequest that names the parameter.
    """
    found = lookups(FILTERS, query)
    start, end = found.pop(START, None), found.pop(END, None)
    if start and end and start >= end:
        raise BadRequest(f"{END}: must be after {START}; the time between them is empty.", param=END)
    if start is None and not NAMED & query.keys():
        start = max(end or now, FIRST) - WINDOW
    return Asked(start, end, projects, found)
