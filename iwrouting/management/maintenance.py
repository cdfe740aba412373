"""What `manage.py maintain` does, step by step. Each step can be run again at any time; what fails stops no other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.db import DatabaseError, connection

from iwrouting.audit.journal.segments import JournalFault
from iwrouting.audit.keeping import partitions, pruning, retention, statistics
from iwrouting.audit.keeping.patience import Busy
from iwrouting.audit.locks import LockFault
from iwrouting.conf import settings
from iwrouting.management.output import counted
from iwrouting.models import UsageMark
from iwrouting.reports.usage.rolling import roll, settle
from iwrouting.server.jobs import jobs, watch
from iwrouting.server.upkeep import Job, run_job

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Done:
    """What a step did, or would do: a line, its numbers, and whether somebody has to look at it."""

    line: str
    counts: Mapping[str, Any] = field(default_factory=dict)
    is_finding: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A step by its name. `plan` says what it would do and changes nothing."""

    name: str
    plan: Callable[[], Done]
    work: Callable[[Say], Done]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a step ended. `fault` is empty where it did; `is_busy`: it may do later what it could not do now."""

    name: str
    seconds: float
    done: Done | None
    fault: str = ""
    is_busy: bool = False


def steps() -> Iterator[Step]:
    """All steps for the configured database, in their order."""
    if partitions.has_partitions():
        yield Step("months", _months_missing, _make_months)
        yield Step("default", _default, lambda _say: _default())
    for job in (*jobs(), *watch()):
        yield Step(job.name, partial(Done, "would run"), partial(_run, job))
    yield Step("usage", _usage_plan, _usage)
    yield Step("held", _held_plan, _held)
    yield Step("retention", _retention_plan, _retention)
    yield Step("statistics", _statistics_plan, _statistics)


def take(step: Step, say: Say, *, dry_run: bool) -> Ended:
    """Take a step; its faults are told, not raised."""
    begun = time.monotonic()
    try:
        done = step.plan() if dry_run else step.work(say)
    except Busy as error:
        return Ended(step.name, _since(begun), None, f"put off, {error}", is_busy=True)
    except (DatabaseError, JournalFault, LockFault, OSError, pruning.GuardMissing) as error:
        return Ended(step.name, _since(begun), None, f"{type(error).__name__}: {str(error).strip()}")
    return Ended(step.name, _since(begun), done)


def _since(begun: float) -> float:
    return round(time.monotonic() - begun, 3)


def _months_missing() -> Done:
    missing = partitions.missing_months()
    return Done(f"would make {counted(len(missing), 'partition')}", {"missing": len(missing)})


def _make_months(_say: Say) -> Done:
    found = partitions.make_months()
    blocked = [f"{month:%Y-%m}" for month in found.blocked]
    line = f"made {counted(len(found.made), 'partition')}"
    if blocked:
        line += f"; {', '.join(blocked)} not, the default partition holds rows of it"
    return Done(line, {"made": len(found.made), "blocked": blocked}, is_finding=bool(blocked))


def _default() -> Done:
    rows = partitions.default_rows()
    if not any(rows.values()):
        return Done("the default partitions are empty", rows)
    held = max(rows.values())
    some = f"{held} or more" if held >= partitions.COUNTED else str(held)
    return Done(f"a default partition holds {some} rows: run 'manage.py partitions drain'", rows, is_finding=True)


def _run(job: Job, _say: Say) -> Done:
    given: list[object] = []
    ours = run_job(replace(job, work=lambda: given.append(job.work())))
    if not ours:
        return Done("passed over: another process is at it")
    counts = given[0] if given and isinstance(given[0], Mapping) else {}
    told = ", ".join(f"{value} {name}" for name, value in counts.items())
    return Done(told or "done", counts)


def _usage_plan() -> Done:
    waiting = UsageMark.objects.values("bucket_at").distinct().count()
    return Done(f"would sum up {counted(waiting, 'quarter of an hour', 'quarters of an hour')}", {"quarters": waiting})


def _usage(say: Say) -> Done:
    done = roll(say)
    line = f"summed up {counted(done.quarters, 'quarter of an hour', 'quarters of an hour')}"
    line += (
        f"; {counted(done.late, 'call')} came after their month was removed and count in no report" if done.late else ""
    )
    return Done(line, {"quarters": done.quarters, "late": done.late}, is_finding=bool(done.late))


def _held_plan() -> Done:
    old = retention.old_held(settings().held_retention_days, datetime.now(UTC))
    return Done(f"would remove {counted(old, 'row')} of held responses", {"old": old})


def _held(_say: Say) -> Done:
    removed = retention.remove_held(settings().held_retention_days, datetime.now(UTC))
    return Done(f"removed {counted(removed, 'row')} of held responses", {"removed": removed})


def _planned() -> retention.Plan | None:
    return retention.plan(settings().audit_retention_days, datetime.now(UTC))


def _told(plan: retention.Plan, verb: str) -> Done:
    months = [{"month": f"{each.month:%Y-%m}", "rows": each.rows, "bytes": each.bytes} for each in plan.months]
    rows = sum(sum(each.rows.values()) for each in plan.months)
    size = sum(each.bytes or 0 for each in plan.months)
    line = f"{verb} {counted(len(months), 'month')} before {plan.before:%Y-%m}, {counted(rows, 'row')}"
    line += f", {size} bytes" if size else ""
    line += f"; {counted(len(plan.left), 'table')} that an interrupted run left" if plan.left else ""
    return Done(line, {"before": f"{plan.before}", "months": months, "left": list(plan.left)})


def _retention_plan() -> Done:
    plan = _planned()
    return Done("keeps all (IW_AUDIT_RETENTION_DAYS=0)") if plan is None else _told(plan, "would remove")


def _retention(say: Say) -> Done:
    plan = _planned()
    if plan is None:
        return Done("keeps all (IW_AUDIT_RETENTION_DAYS=0)")
    retention.apply(plan, say, settle)
    done = _told(plan, "removed")
    if connection.vendor == "sqlite":
        free = pruning.free_bytes()
        return Done(f"{done.line}; {free} bytes of the file are free for new rows", {**done.counts, "free_bytes": free})
    return done


def _statistics_plan() -> Done:
    due = statistics.due()
    return Done(f"would renew those of {counted(len(due), 'table')}", {"due": list(due)})


def _statistics(_say: Say) -> Done:
    due = statistics.due()
    statistics.renew(due)
    return Done(f"renewed those of {counted(len(due), 'table')}", {"renewed": list(due)})
