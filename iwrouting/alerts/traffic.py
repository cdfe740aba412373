"""The rules over the calls of the last minutes. Each reads a short range of an index, not the window's rows twice.

Ids are UUIDv7, so that a time is a place in the primary key: attempts have no index on their time alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from iwrouting.alerts.findings import counted
from iwrouting.conf import Settings
from iwrouting.conf.redact import word
from iwrouting.models import Attempt, Model, Outcome
from iwrouting.types import Result
from iwrouting.upstream.failures import KEY_CODES, MODEL_CODES, QUOTA_CODES

LONGEST_CALL = timedelta(hours=2)
ENDED = (Result.OK_AFTER_FALLBACK, Result.ERROR, Result.TRUNCATED, Result.CLIENT_CLOSED)
MOST = 20


def dead_model(now: datetime, conf: Settings) -> Iterator[tuple[str, str]]:
    """Models called within the window that are past their shutdown, or that their provider does not have."""
    since = now - timedelta(seconds=conf.alert_window_s)
    dates = dict(Model.objects.filter(shutdown_date__lte=now.date()).values_list("model_id", "shutdown_date"))
    gone = Q(model__in=dates) if dates else Q(pk=None)
    called = _attempts(since).filter(gone | Q(error_code__in=MODEL_CODES)).order_by()
    for row in called.values("model").annotate(calls=Count("id"))[:MOST]:
        name = word(row["model"]) or "a model"
        ended = f"was shut down on {dates[row['model']]}" if row["model"] in dates else "is not there for our account"
        yield name, f"{name} {ended}: {counted(row['calls'], 'call')} in the last {_minutes(conf)}."


def fallback_share(now: datetime, conf: Settings) -> Iterator[tuple[str, str]]:
    """Aliases of whose calls within the window too many fell back, where there were enough."""
    since = now - timedelta(seconds=conf.alert_window_s)
    fell = _outcomes(since, ENDED).filter(fallbacks__gt=0).exclude(decision__alias="").order_by()
    for row in fell.values("decision__alias").annotate(calls=Count("id")):
        alias, fallbacks = row["decision__alias"], row["calls"]
        if fallbacks < conf.alert_fallback_calls * conf.alert_fallback_share:
            continue
        total = _outcomes(since, (Result.OK, *ENDED)).filter(decision__alias=alias).count()
        if total >= conf.alert_fallback_calls and fallbacks / total >= conf.alert_fallback_share:
            share = f"{fallbacks} of {total} calls ({fallbacks / total:.0%})"
            yield alias, f"{share} of {alias} fell back in the last {_minutes(conf)}."


def upstream_quota(now: datetime, conf: Settings) -> Iterator[tuple[str, str]]:
    """Upstreams that within the window said that our quota is spent, or did not take our key."""
    since = now - timedelta(seconds=conf.alert_window_s)
    quota = Q(error_code__in=QUOTA_CODES) | Q(error_type__in=QUOTA_CODES)
    refused = _attempts(since).filter(quota | Q(status=401) | Q(error_code__in=KEY_CODES)).order_by()
    rows = refused.values("upstream").annotate(calls=Count("id"), keys=Count("id", filter=~quota))
    for row in rows[:MOST]:
        why = "did not take our key" if row["keys"] == row["calls"] else "says that our quota is spent"
        yield (
            row["upstream"],
            f"The upstream {row['upstream']} {why}: {counted(row['calls'], 'call')} in the last {_minutes(conf)}.",
        )


def _outcomes(since: datetime, results: Sequence[Result]) -> QuerySet[Outcome]:
    """How real calls ended that were decided since then."""
    # The time on both sides: the database does not know that they are equal, and would look into every month.
    within = Outcome.objects.filter(decision_at__gte=since, decision__decision_at__gte=since)
    return within.filter(result__in=results, decision__is_test=False)


def _attempts(since: datetime) -> QuerySet[Attempt]:
    """Calls that were recorded since then."""
    return Attempt.objects.filter(id__gte=_first_id(since), decision_at__gte=since - LONGEST_CALL, kind="call")


def _first_id(at: datetime) -> UUID:
    milliseconds = int((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)
    return UUID(int=milliseconds << 80)


def _minutes(conf: Settings) -> str:
    return f"{conf.alert_window_s / 60:g} minutes"
