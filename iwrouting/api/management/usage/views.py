"""`GET /api/v1/usage`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from iwrouting.api.management import formats
from iwrouting.api.management.base import ManagementView
from iwrouting.api.management.reading import PROJECT, project_to_read
from iwrouting.api.management.usage import answer, asking, examples
from iwrouting.api.schema.parts import MANAGEMENT, REQUEST_ID, answered, failures
from iwrouting.errors import BadRequest
from iwrouting.models.consistent import one_moment
from iwrouting.models.patience import OutOfTime, cursor_for
from iwrouting.reports.export.asked import OPEN, RESULT, Asked
from iwrouting.reports.usage.periods import MOST_PERIODS, Step, TooManyPeriods
from iwrouting.reports.usage.question import RUN, TAG, Question, Source
from iwrouting.reports.usage.reading import CutsQuarter, Removed, Usage, read
from iwrouting.snapshot import store
from iwrouting.snapshot.moments import moment_text
from iwrouting.types import KeyFacts

PATIENCE_S = 10.0
"""For one statement: cells answer at once, rows of a long time do not."""

RECENT = timedelta(hours=2)
"""How far back open decisions are looked for: the longest call is over by then, and what died was closed."""

NARROWER = (
    "Ask for a shorter time. Runs and tags are kept summed up by project alone: together with anything else, and "
    "for calls with any of several tags, every row of the time is read."
)
PARAMETERS = [
    OpenApiParameter(asking.FROM, str, description="A time with its zone, or a date in `zone`. Else 24 hours before."),
    OpenApiParameter(asking.TO, str, description="Before this: a time with its zone, or a date in `zone`. Else now."),
    OpenApiParameter(asking.ZONE, str, description="IANA name, such as Europe/Berlin; else IW_REPORT_ZONE."),
    OpenApiParameter(
        asking.GROUP_BY, str, description=f"Separated by commas: {', '.join(asking.COLUMNS)}; one of {', '.join(Step)}."
    ),
    *(
        OpenApiParameter(name, {"type": "array", "items": {"type": "string"}}, description=f"{told} Any of these.")
        for name, told in asking.TELL.items()
    ),
    OpenApiParameter(asking.IS_TEST, str, enum=[*asking.TESTS], description="false unless said: without test traffic."),
    OpenApiParameter(
        asking.ORDER_BY,
        str,
        description="Separated by commas: measures and what is grouped by, the greatest first after a -, such as "
        "-cost_pico. Else by time and names.",
    ),
    OpenApiParameter(asking.LIMIT, int, description=f"Rows, 1 to {asking.MOST}. Else all, refused if more than that."),
]


class UsageView(ManagementView):
    """The usage of the audit."""

    content_negotiation_class = formats.Formats
    parameters = frozenset({parameter.name for parameter in PARAMETERS} | {formats.FORMAT})

    @extend_schema(
        operation_id="read_usage",
        summary="Read what was used",
        description="Sums of the ended decisions made from `from` up to, not including, `to`, by anything, to the last "
        "digit what the rows of the audit add up to. A key reads the usage of its own projects. As JSONL and CSV the "
        "rows alone. Scope `read_audit`.",
        tags=[MANAGEMENT],
        parameters=[*PARAMETERS, formats.PARAMETERS[0], *REQUEST_ID],
        responses={
            200: answered(answer.UsageAnswer, examples.USAGE),
            **formats.as_files(examples.LINE, examples.SHEET),
            **failures(400, 401, 403, 503),
        },
    )
    def get(self, request: Request) -> Response:
        """The sums."""
        now = datetime.now(UTC)
        asked = _readable(asking.read_asked(request.query_params, self.key.projects, now), self.key)
        form = formats.form_of(request)
        with one_moment(), _refusals(asked.question):
            found = _read(asked)
            if form == formats.CSV:
                return Response(formats.sheet(answer.columns(asked), answer.rows(asked, found)))
            if form == formats.JSONL:
                return Response(answer.rows(asked, found))
            is_over = asked.question.end <= now
            return Response(answer.told(asked, found, _totals(asked, found), _open(asked.question, now), is_over))


def _readable(asked: asking.UsageAsked, key: KeyFacts) -> asking.UsageAsked:
    """The same with each project by its slug. Raises Forbidden for one that the key does not read."""
    filters = asked.question.filters
    if PROJECT not in filters:
        return asked
    slugs = [*dict.fromkeys(project_to_read(store.current, key, each) for each in filters[PROJECT])]
    return replace(asked, question=replace(asked.question, filters={**filters, PROJECT: slugs}))


def _read(asked: asking.UsageAsked) -> Usage:
    found = read(asked.question, PATIENCE_S)
    if asked.limit is None and found.groups > asking.MOST:
        raise BadRequest(
            f"This has {found.groups} rows, more than {asking.MOST}: ask for the first of them with limit and "
            "order_by, for a shorter time, or group by less.",
            param=asking.GROUP_BY,
            code="too_many_rows",
        )
    return found


def _totals(asked: asking.UsageAsked, found: Usage) -> Mapping[str, int | None] | None:
    """Each call once; None where only the rows of the audit tell, and were not read for the answer itself."""
    if not {RUN, TAG} & {*asked.question.group}:
        return found.totals
    whole = replace(asked.question, step=None, group=(), order=(), limit=None)
    if whole.source is Source.RAW and asked.question.source is not Source.RAW:
        return None
    return read(whole, PATIENCE_S).totals


def _open(question: Question, now: datetime) -> int:
    start = max(question.start, now - RECENT)
    if start >= question.end:
        return 0
    with cursor_for(PATIENCE_S):
        return Asked(start, question.end, question.projects, {RESULT: OPEN}).rows().count()


@contextmanager
def _refusals(question: Question) -> Iterator[None]:
    """What can't be read, as our errors."""
    try:
        yield
    except TooManyPeriods:
        raise BadRequest(
            f"{asking.GROUP_BY}: this time has more than {MOST_PERIODS} parts by {question.step}: ask for a longer "
            "step or a shorter time.",
            param=asking.GROUP_BY,
        ) from None
    except CutsQuarter as cut:
        name = asking.FROM if cut.bound == question.start else asking.TO
        raise BadRequest(
            f"{name}: {moment_text(cut.bound)} lies within a quarter of an hour whose rows are removed, as all from "
            f"before {moment_text(cut.before)}; their sums are kept by quarters. Ask for "
            f"{' or '.join(map(moment_text, cut.nearest))}.",
            param=name,
            code="rows_removed",
        ) from None
    except Removed as gone:
        raise BadRequest(
            f"{asking.FROM}: rows from before {moment_text(gone.before)} are removed, and no cells have what is asked. "
            f"Begin there or later. {NARROWER}",
            param=asking.FROM,
            code="rows_removed",
        ) from None
    except OutOfTime:
        raise BadRequest(
            f"This takes the database longer than {PATIENCE_S:.0f} s. {NARROWER}", code="takes_too_long"
        ) from None
