"""What a query asks of the usage: its time and zone, what to group and filter by, order and limit."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from difflib import get_close_matches
from zoneinfo import available_timezones

from django.http import QueryDict

from iwrouting.api.management.resources.filters import number
from iwrouting.calls.caller import FREE_ID
from iwrouting.conf import settings
from iwrouting.conf.zones import zone_of
from iwrouting.errors import BadRequest
from iwrouting.models.usage import MEASURES
from iwrouting.reports.usage.periods import Step, day_begins
from iwrouting.reports.usage.question import PERIOD, Question
from iwrouting.types import Kind, Source

FROM, TO, ZONE, GROUP_BY, IS_TEST, ORDER_BY, LIMIT = "from", "to", "zone", "group_by", "is_test", "order_by", "limit"
COLUMNS: Mapping[str, str] = {
    "project": "project",
    "alias": "alias",
    "kind": "kind",
    "mode": "inferred_mode",
    "rule": "rule",
    "model": "model_served",
    "upstream": "upstream",
    "source": "source",
    "key": "key_id",
    "endpoint": "endpoint",
    "tag": "tag",
    "run": "run",
}
"""What can be grouped and filtered by, and what reports call it."""

TELL: Mapping[str, str] = {
    "project": "Slug of the project (external id, in a filter), or the unknown name that the caller sent.",
    "alias": "Alias asked for; empty for a named model.",
    "kind": f"Kind of the alias: {', '.join(Kind)}; empty for a named model.",
    "mode": "Chat mode that auto was taken for; empty for none.",
    "rule": "The rule by which that mode was inferred.",
    "model": "Model that answered; empty when none did.",
    "upstream": "Slug of the upstream that answered, else of the one decided.",
    "source": f"Where the model came from: {', '.join(Source)}.",
    "key": "Public part of the API key.",
    "endpoint": "What the caller used: chat, responses, embeddings.",
    "tag": "One of the tags of a call.",
    "run": "The run of a call.",
}
WORDS: Mapping[str, Collection[str]] = {"kind": ("", *Kind), "source": ("", *Source)}
TESTS = {"false": False, "true": True, "all": None}
WINDOW = timedelta(days=1)
"""The time looked at where none is named."""

MOST = 10_000
"""Rows of an answer."""

EARLIEST, LATEST = datetime(1970, 1, 2, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
A_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
A_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class UsageAsked:
    """The question, and how the caller named its parts. `limit` None: all rows, as long as they are at most MOST."""

    question: Question
    zone: str
    group: tuple[str, ...]
    limit: int | None


def read_asked(query: QueryDict, projects: Collection[str] | None, now: datetime) -> UsageAsked:
    """What a query asks for, of these projects alone; None: all. Raises BadRequest that names the parameter."""
    name = query.get(ZONE, settings().report_zone)
    zone = _zone(name)
    end = _time(TO, query, zone) or _whole(now)
    start = _time(FROM, query, zone) or max(end - WINDOW, EARLIEST)
    if start >= end:
        raise BadRequest(f"{TO}: must be after {FROM}; the time between them is empty.", param=TO)
    group = _words(GROUP_BY, query, (*COLUMNS, *Step))
    step = _step(group)
    names = tuple(each for each in group if each in COLUMNS)
    limit = number(query, LIMIT, MOST, MOST) if LIMIT in query else None
    question = Question(
        start=start,
        end=end,
        zone=zone,
        step=step,
        group=[COLUMNS[each] for each in names],
        filters={COLUMNS[each]: _values(each, query.getlist(each)) for each in COLUMNS if each in query},
        is_test=_is_test(query),
        projects=projects,
        order=_order(query, names, step),
        limit=MOST if limit is None else limit,
    )
    return UsageAsked(question, name, (*([step.value] if step else []), *names), limit)


def _zone(name: str) -> tzinfo:
    try:
        return zone_of(name)
    except ValueError:
        near = get_close_matches(name[:80], available_timezones(), n=1)
        hint = f"Did you mean '{near[0]}'?" if near else "Give an IANA name, such as UTC or Europe/Berlin."
        raise BadRequest(f"{ZONE}: {name[:80]!r} is no zone that this host knows. {hint}", param=ZONE) from None


def _time(name: str, query: QueryDict, zone: tzinfo) -> datetime | None:
    """A time with its zone, or the beginning of a date in the zone that is asked for."""
    if name not in query:
        return None
    said = str(query[name])
    try:
        found = day_begins(date.fromisoformat(said), zone) if A_DATE.fullmatch(said) else datetime.fromisoformat(said)
        if found.tzinfo is not None and EARLIEST <= found < LATEST:
            return _whole(found.astimezone(UTC))
    except (ValueError, OverflowError):
        pass
    raise BadRequest(
        f"{name}: {said[:80]!r} is not possible. Give a time with its zone such as 2026-11-01T00:00:00Z (in an address "
        "a + is written %2B), or a date such as 2026-11-01, which begins in the zone; between 1970 and 2200.",
        param=name,
    )


def _whole(at: datetime) -> datetime:
    """The next whole millisecond: decisions are made at those, so that no bound between them tells them apart."""
    return at + -timedelta(microseconds=at.microsecond) % A_MILLISECOND


def _words(name: str, query: QueryDict, known: Iterable[str]) -> tuple[str, ...]:
    """Words separated by commas, or in a parameter each."""
    found = tuple(part.strip() for said in query.getlist(name) for part in said.split(",") if part.strip())
    unknown = [word for word in found if word not in known]
    if unknown:
        raise BadRequest(f"{name}: {unknown[0][:80]!r} is not possible. Any of {', '.join(known)}.", param=name)
    return tuple(dict.fromkeys(found))


def _step(group: tuple[str, ...]) -> Step | None:
    found = [each for each in group if each in {*Step}]
    if len(found) > 1:
        raise BadRequest(
            f"{GROUP_BY}: {found[0]} and {found[1]} are not possible together; ask for the shorter one.", param=GROUP_BY
        )
    return Step(found[0]) if found else None


def _values(name: str, said: list[str]) -> list[str]:
    fault = _fault(name)
    for value in said:
        if told := fault(value):
            raise BadRequest(f"{name}: {value[:80]!r} is not possible. {told}", param=name)
    return [*dict.fromkeys(said)]


def _fault(name: str) -> Callable[[str], str]:
    """What tells what is wrong with a value; an empty text for nothing."""
    if name in WORDS:
        return lambda value: "" if value in WORDS[name] else f"One of {', '.join(filter(None, WORDS[name]))}."
    if name in ("tag", "run"):
        return lambda value: "" if FREE_ID.fullmatch(value) else "Letters, digits and ._:/- alone, at most 128."
    return lambda value: "It has a zero byte." if "\0" in value else ""


def _is_test(query: QueryDict) -> bool | None:
    said = str(query.get(IS_TEST, "false"))
    if said not in TESTS:
        raise BadRequest(f"{IS_TEST}: {said[:80]!r} is not possible. One of {', '.join(TESTS)}.", param=IS_TEST)
    return TESTS[said]


def _order(query: QueryDict, names: tuple[str, ...], step: Step | None) -> list[str]:
    columns = {name: name for name in MEASURES} | {name: COLUMNS[name] for name in names}
    if step:
        columns[step.value] = PERIOD
    said = _words(ORDER_BY, query, [f"{way}{name}" for name in columns for way in ("", "-")])
    return [f"{'-' * word.startswith('-')}{columns[word.removeprefix('-')]}" for word in said]
