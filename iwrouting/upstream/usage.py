"""Usage as the provider reports it, read defensively: anything but a plausible count is not reported. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from iwrouting.types import Usage

MAX_COUNT = 10**9
"""No call uses so much. What a broken provider reports, such as 2^32 - 1, would fill the integers that usage is summed
in after a few calls, and then no report could be read."""

NAME = re.compile(r"[A-Za-z0-9_.:-]+")
MAX_FIELDS, MAX_DETAILS, MAX_NAME = 32, 16, 64
"""How much of a usage object is kept: more than any provider sends, and never too long for its column."""


def read_usage(body: object) -> Usage | None:
    """The usage inside an answer or a stream chunk; None where there is none."""
    if not isinstance(body, dict) or not isinstance(body.get("usage"), dict):
        return None
    usage: dict[str, Any] = body["usage"]
    prompt = _part(usage, "prompt_tokens_details")
    completion = _part(usage, "completion_tokens_details")
    tier = body.get("service_tier")
    return Usage(
        prompt_tokens=_count(usage.get("prompt_tokens")),
        cached_tokens=_count(prompt.get("cached_tokens")),
        cache_write_tokens=_count(prompt.get("cache_write_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        reasoning_tokens=_count(completion.get("reasoning_tokens")),
        service_tier=tier if isinstance(tier, str) else "",
        reported=_numbers(usage),
    )


def add_usage(parts: list[Usage]) -> Usage | None:
    """The sum over batches of one request; a total that one of them did not report stays unknown.

    `service_tier` names every tier that a batch reported.
    """
    if not parts:
        return None
    return Usage(
        prompt_tokens=_sum([part.prompt_tokens for part in parts]),
        cached_tokens=_sum_of_known([part.cached_tokens for part in parts]),
        cache_write_tokens=_sum_of_known([part.cache_write_tokens for part in parts]),
        completion_tokens=_sum_of_known([part.completion_tokens for part in parts]),
        reasoning_tokens=_sum_of_known([part.reasoning_tokens for part in parts]),
        service_tier=",".join(sorted({part.service_tier for part in parts} - {""})),
        reported={**_added([part.reported for part in parts]), "batches": len(parts)},
    )


def _added(reports: list[Mapping[str, Any]]) -> dict[str, Any]:
    total: dict[str, Any] = {}
    for report in reports:
        for name, value in report.items():
            known = total.get(name)
            if isinstance(value, Mapping):
                total[name] = _added([known if isinstance(known, Mapping) else {}, value])
            elif not isinstance(known, Mapping):
                total[name] = (known or 0) + value
    return total


def _sum(counts: list[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _sum_of_known(counts: list[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _part(usage: dict[str, Any], name: str) -> dict[str, Any]:
    part = usage.get(name)
    return part if isinstance(part, dict) else {}


def _count(value: object) -> int | None:
    return value if type(value) is int and 0 <= value < MAX_COUNT else None


def _numbers(usage: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in _named(usage, MAX_FIELDS):
        if _count(value) is not None:
            kept[name] = value
        elif isinstance(value, dict):
            kept[name] = {detail: n for detail, n in _named(value, MAX_DETAILS) if _count(n) is not None}
    return kept


def _named(members: dict[str, Any], most: int) -> Iterator[tuple[str, Any]]:
    """The first members under names; other text in the place of a name may quote the prompt (G6)."""
    return ((name[:MAX_NAME], value) for name, value in list(members.items())[:most] if NAME.fullmatch(name))
