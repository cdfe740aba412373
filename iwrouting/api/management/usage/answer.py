"""How usage stands in answers: rows of names and measures, their totals, and what one should know of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from iwrouting.api.management.fields import Dollars, Moment
from iwrouting.api.management.usage.asking import COLUMNS, IS_TEST, TELL, UsageAsked
from iwrouting.models.usage import MEASURES, Counts
from iwrouting.pricing import dollars
from iwrouting.reports.usage.periods import Step
from iwrouting.reports.usage.question import RUN, TAG, Question
from iwrouting.reports.usage.reading import Usage
from iwrouting.snapshot.moments import moment_text

COST, COST_USD = "cost_pico", "cost_usd"
Totals = Mapping[str, int | None] | None
TOLD: Mapping[str, str] = {
    "decisions": "Calls, and the usage of background calls, which has a decision of its own.",
    "calls": "Calls of their own.",
    "resolves": "Recorded resolves, which count in nothing else.",
    "errors": "Ended in an error, truncated or interrupted.",
    "refused": "Refused before anything was sent.",
    "client_closed": "The caller left.",
    "streams": "Asked for as streams.",
    "attempts": "Upstream calls made.",
    "fallbacks": "Times that a call went on to the next rung.",
    "calls_with_fallback": "Calls that went on at least once.",
    "served_by_fallback": "Calls that a later rung answered.",
    "unpriced": "Without a price: their cost is in no sum.",
    "estimated": "Whose cost is an estimate.",
    "timed": "Behind latency_ms and overhead_ms.",
    "timed_first_byte": "Behind first_byte_ms.",
    "prompt_tokens": "Tokens of input, the cached ones included.",
    "cached_tokens": "Tokens of input that the provider had cached.",
    "cache_write_tokens": "Tokens of input that the provider put into its cache.",
    "completion_tokens": "Tokens of output, the reasoning ones included.",
    "reasoning_tokens": "Tokens of output spent on reasoning.",
    COST: "Pico-dollars (10^-12): sum these.",
    "latency_ms": "Sum of the milliseconds to the end of the answers; divide by timed.",
    "first_byte_ms": "Sum of the milliseconds to the first bytes; divide by timed_first_byte.",
    "overhead_ms": "Sum of the service's own milliseconds.",
}


class UsageCounts(serializers.Serializer[Any]):
    """Sums of whole numbers. Null: no call reported it."""

    cost_usd = Dollars(source=COST, allow_null=True, help_text="The cost in dollars, exact.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """The measures as columns have them."""
        nullable = {field.name for field in Counts._meta.fields if field.null}
        found: dict[str, serializers.Field[Any, Any, Any, Any]] = {
            name: serializers.IntegerField(allow_null=name in nullable, help_text=TOLD[name]) for name in MEASURES
        }
        return found | super().get_fields()


class UsageRow(UsageCounts):
    """The sums of one group: with what `group_by` asks for, and no more."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """The names of the group before the measures."""
        names = {step.value: f"Beginning of the {step.value} in the zone." for step in Step} | dict(TELL)
        return {
            name: serializers.CharField(required=False, allow_null=name in COLUMNS, help_text=told)
            for name, told in names.items()
        } | super().get_fields()


@extend_schema_serializer(component_name="Usage")
class UsageAnswer(serializers.Serializer[Any]):
    """The usage of a range, and where it was read."""

    start = Moment(help_text="From here on.")
    end = Moment(help_text="Before this.")
    zone = serializers.CharField(help_text="Whose hours, days, weeks and months they are.")
    group_by = serializers.ListField(child=serializers.CharField())
    read_from = serializers.ListField(
        child=serializers.ChoiceField(["cells", "rows"]), help_text="Cells are sums kept ready; rows are the audit's."
    )
    is_complete = serializers.BooleanField(help_text="The range is over, and no decision of it was open.")
    open_decisions = serializers.IntegerField(
        help_text="Of the range and of the last two hours: counted in nothing yet."
    )
    notes = serializers.ListField(
        child=serializers.CharField(), help_text="What is left out or counts twice, in words."
    )
    groups = serializers.IntegerField(help_text="Rows that there are; more than in `results` where `limit` cut them.")
    totals = UsageCounts(
        allow_null=True, help_text="Of the range and the filters, each call once; null where only the rows would tell."
    )
    results = UsageRow(many=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """The fields; `from` and `to` by the names of the parameters, of which one can be no name in Python."""
        named = {"start": "from", "end": "to"}
        return {named.get(name, name): field for name, field in super().get_fields().items()}


def told(asked: UsageAsked, found: Usage, totals: Totals, open_decisions: int, is_over: bool) -> dict[str, Any]:
    """The whole answer. totals: None where they can't be told."""
    return {
        "from": moment_text(asked.question.start),
        "to": moment_text(asked.question.end),
        "zone": asked.zone,
        "group_by": asked.group,
        "read_from": [name for name, read in (("cells", found.cells), ("rows", found.raw)) if read],
        "is_complete": is_over and not open_decisions,
        "open_decisions": open_decisions,
        "notes": [*_notes(asked, found, totals, open_decisions)],
        "groups": found.groups,
        "totals": totals and with_dollars(totals),
        "results": [*rows(asked, found)],
    }


def rows(asked: UsageAsked, found: Usage) -> Iterator[dict[str, Any]]:
    """The rows under the names of the API; an empty name as null."""
    for row in found.rows:
        names = [*([row.period.name] if asked.question.step else []), *(name or None for name in row.names)]
        yield dict(zip(asked.group, names, strict=True)) | with_dollars(row.counts)


def columns(asked: UsageAsked) -> Sequence[str]:
    """The headings of a sheet."""
    return [*asked.group, *MEASURES, COST_USD]


def with_dollars(counts: Mapping[str, int | None]) -> dict[str, Any]:
    """Measures, and the cost as text."""
    pico = counts[COST]
    return {**counts, COST_USD: None if pico is None else dollars(pico)}


def _notes(asked: UsageAsked, found: Usage, totals: Totals, open_decisions: int) -> Iterator[str]:
    question = asked.question
    if question.filters and not found.groups:
        yield f"Nothing that was used then has {_filtered(question)}."
    if found.groups > len(found.rows):
        yield f"The first {len(found.rows)} of {found.groups} rows; totals are of all."
    if question.is_test is False:
        yield f"Test traffic is left out; {IS_TEST}=all counts it too."
    if totals and totals["unpriced"]:
        yield f"{totals['unpriced']} without a price are in no cost."
    if totals and totals["estimated"]:
        yield f"The cost of {totals['estimated']} is an estimate."
    if open_decisions:
        yield f"{open_decisions} still open when asked, in nothing yet."
    if totals is None:
        yield "A call with several of these tags counts in each; totals would take every row, and are left out."
    elif TAG in question.group:
        yield "A call counts in each of its tags, and once in totals; totals have the calls without a tag too."
    elif RUN in question.group:
        yield "Totals have the calls without a run too."


def _filtered(question: Question) -> str:
    said = {name: question.filters[column] for name, column in COLUMNS.items() if column in question.filters}
    return " and ".join(f"{name} {' or '.join(repr(value[:80]) for value in values)}" for name, values in said.items())
