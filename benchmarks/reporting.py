"""How long views, reports and lists take over millions of decisions: `python -m benchmarks.reporting --help`.

On the PostgreSQL of DATABASE_URL; with --fill it makes the rows first, in an empty database that nobody needs.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import django

REPEATS = 7
VIEWS = {
    "usage of a month by day and project": "SELECT day, project, sum(cost_pico), sum(calls) FROM rpt_usage_daily_v1 "
    "WHERE day >= '{month}' AND day < '{end}' AND NOT is_test GROUP BY 1, 2",
    "usage of a month by hour": "SELECT hour, sum(calls), sum(cost_pico) FROM rpt_usage_hourly_v1 "
    "WHERE hour >= '{month}' AND hour < '{end}' AND NOT is_test GROUP BY 1",
    "usage of a day by hour and model": "SELECT hour, model_served, sum(calls), sum(cost_pico) "
    "FROM rpt_usage_hourly_v1 WHERE hour >= '{day}' AND hour < '{end}' GROUP BY 1, 2",
    "fallbacks of a day by reason": "SELECT model_from, reason, count(*) FROM rpt_fallbacks_v1 "
    "WHERE created_at >= '{day}' AND created_at < '{end}' GROUP BY 1, 2",
    "slowest of an hour": "SELECT decision_id, latency_ms FROM rpt_decisions_v1 WHERE created_at >= '{hour}' "
    "AND created_at < '{end}' ORDER BY latency_ms DESC NULLS LAST LIMIT 10",
    "p95 of a day by model and hour": "SELECT model_served, date_trunc('hour', created_at), "
    "percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_ms) FROM rpt_decisions_v1 "
    "WHERE created_at >= '{day}' AND created_at < '{end}' AND result IN ('ok', 'ok_after_fallback') GROUP BY 1, 2",
    "one decision by its key": "SELECT * FROM rpt_decisions_v1 "
    "WHERE decision_key = '{one}' AND created_at = '{one_at}'",
}
USAGE = "/api/v1/usage?from={month_t}&to={end_t}&group_by="
API = {
    "/api/v1/usage, a month by day and project": f"{USAGE}day,project",
    "/api/v1/usage, the same in Asia/Kolkata": f"{USAGE}day,project&zone=Asia/Kolkata",
    "/api/v1/usage, a month by model": f"{USAGE}model",
    "/api/v1/usage, a week by run": "/api/v1/usage?from={week_t}&to={end_t}&group_by=run&order_by=-cost_pico&limit=20",
    "/api/v1/telemetry, 30 days": "/api/v1/telemetry?window=30d",
    "/api/v1/decisions, newest": "/api/v1/decisions?page_size=50",
    "/api/v1/decisions, fallbacks of a month": "/api/v1/decisions?created_at__gte={month_t}&result=ok_after_fallback",
}
ADMIN = {
    "decisions, last day": "/admin/iwrouting/decision/",
    "decisions, 30 days of a project": "/admin/iwrouting/decision/?when=30d&project=project-3",
    "decisions, 30 days, errors": "/admin/iwrouting/decision/?when=30d&result=error",
    "decisions, search by request id": "/admin/iwrouting/decision/?q=bench-4711",
    "one decision": "/admin/iwrouting/decision/{one}/change/",
    "projects": "/admin/iwrouting/project/",
    "runs": "/admin/iwrouting/run/",
}


def main() -> None:
    """Fill, roll up, measure; a line a thing: median and slowest of seven, after one that warms up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fill", type=int, default=0, metavar="DECISIONS")
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--lean", action="store_true", help="Half the disk: no ladders, chains, plain attempts.")
    parser.add_argument("--plans", action="store_true", help="Print the plan of each view's query too.")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.conf import settings

    settings.ALLOWED_HOSTS = ["testserver"]
    if options.fill:
        from benchmarks.reporting_rows import Wanted, fill

        fill(Wanted(options.fill, options.days, datetime.now(UTC), is_lean=options.lean))
        _timed_once("rolling all of it up", _roll)
    _as_an_analyst()
    places = _places()
    for name, work in _works(places):
        _timed(name, work)
    if options.plans:
        _plans(places)


def _as_an_analyst() -> None:
    """Without PostgreSQL's compiler, as the logins of `reporting grant` and `roles` begin."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET jit = off")


def _roll() -> None:
    from django.core.management import call_command

    call_command("maintain", yes=True, format="table")


def _places() -> dict[str, str]:
    from iwrouting.models import Decision

    newest = Decision.objects.order_by("-decision_at").first()
    if newest is None:
        raise SystemExit("There are no decisions: --fill makes some.")
    end = newest.decision_at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    spans = {
        "month": timedelta(days=30),
        "week": timedelta(days=7),
        "day": timedelta(days=1),
        "hour": timedelta(hours=1),
    }
    at = {"end": end, **{name: end - span for name, span in spans.items()}}
    texts = {name: moment.strftime("%Y-%m-%d %H:%M:%S+00") for name, moment in at.items()}
    urls = {f"{name}_t": moment.strftime("%Y-%m-%dT%H:%M:%SZ") for name, moment in at.items()}
    return {**texts, **urls, "one": str(newest.id), "one_at": newest.decision_at.isoformat()}


def _works(places: dict[str, str]) -> Iterator[tuple[str, Callable[[], object]]]:
    from django.db import connection

    def query(sql: str) -> Callable[[], object]:
        def work() -> object:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall()

        return work

    for name, sql in VIEWS.items():
        yield f"SQL: {name}", query(sql.format(**places))
    yield from _pages(places)


def _pages(places: dict[str, str]) -> Iterator[tuple[str, Callable[[], object]]]:
    from django.contrib.auth import get_user_model
    from django.test import Client

    user, _ = get_user_model().objects.get_or_create(username="bench", is_staff=True, is_superuser=True)
    admin, api = Client(), Client(headers={"authorization": f"Bearer {_key()}"})
    admin.force_login(user)

    def get(client: Client, path: str) -> Callable[[], object]:
        def work() -> object:
            answer = client.get(path)
            if answer.status_code != 200:
                raise SystemExit(f"{path} answered {answer.status_code}: {answer.content[:300]!r}")
            return answer.content if not answer.streaming else b"".join(answer)

        return work

    for name, path in API.items():
        yield name, get(api, path.format(**places))
    for name, path in ADMIN.items():
        yield f"admin: {name}", get(admin, path.format(**places))


def _key() -> str:
    """A new key that reads the audit of all projects."""
    from iwrouting.models import ApiKey, Project, change, new_key
    from iwrouting.snapshot import store
    from iwrouting.types import Via

    made = new_key()
    with change(author="bench", via=Via.CLI, reason="a key for measuring"):
        ApiKey.objects.create(
            key_id=made.key_id,
            sha256=made.sha256,
            name="bench",
            project=Project.objects.all()[0],
            projects=["*"],
            scopes=["read_audit", "resolve"],
        )
    store.check()
    return made.text


def _timed_once(name: str, work: Callable[[], object]) -> None:
    began = time.monotonic()
    work()
    print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)


def _timed(name: str, work: Callable[[], object]) -> None:
    work()
    taken = []
    for _ in range(REPEATS):
        began = time.monotonic()
        work()
        taken.append((time.monotonic() - began) * 1000)
    print(f"| {name} | {statistics.median(taken):.0f} | {max(taken):.0f} |", flush=True)


def _plans(places: dict[str, str]) -> None:
    from django.db import connection

    for name, sql in VIEWS.items():
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {sql.format(**places)}")
            print(f"\n{name}\n" + "\n".join(line for (line,) in cursor.fetchall()), flush=True)


if __name__ == "__main__":
    main()
