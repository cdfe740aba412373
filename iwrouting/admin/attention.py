"""The overview's lists of what needs somebody: the audit and its keeping, and models that are gone or going."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from iwrouting.admin.effective import Effective
from iwrouting.admin.show import admin_url, link
from iwrouting.alerts import open_alerts, standing_findings
from iwrouting.alerts.findings import counted
from iwrouting.alerts.keeping import alive
from iwrouting.audit.writing.quarantine import WITHDRAWN
from iwrouting.conf import settings
from iwrouting.models import QuarantinedRow, Revision
from iwrouting.models.contents import CONFIGURATION
from iwrouting.resolver.faults import SWITCHED_OFF, structural_faults
from iwrouting.resolver.lifecycle import Finding, Place
from iwrouting.snapshot import store

MOST = 12
"""Models in the list, and places of one of them: the menu beneath is to stay in sight."""

OLD_SNAPSHOT_S = 30.0
TOLD_APART = ("rows_quarantined", "changed_by_sql")
"""Rules whose findings have a line of their own here."""

QUARANTINE_DAYS = 7
BEHIND = 0.5
"""The share of IW_AUDIT_QUEUE from which a queue counts as behind."""

PAGES = {"seal_overdue": "seal"}
ANCHORS = {"default_partition": "#partitions", "months_ahead": "#partitions"}


def attention_list() -> list[SafeString]:
    """A line with a link for each thing: what the audit's keeping says now, and alerts that stand for anything else."""
    now = timezone.now()
    found = [each for each in standing_findings(now, settings()) if each.rule not in TOLD_APART]
    lines = [_told(each.rule, each.message) for each in found]
    lines += [*_by_sql(), *_faults(), *_queues(now), *_snapshot(), *_quarantine(now)]
    said = {each.key for each in found}
    alerts = [each for each in open_alerts() if (each.rule, each.subject) not in said and each.rule not in TOLD_APART]
    return lines + [format_html("{} {}", each.message, link(_alerts(each.rule), "Alert")) for each in alerts[:MOST]]


def _told(rule: str, message: str) -> SafeString:
    page = admin_url(PAGES[rule], "changelist") if rule in PAGES else reverse("admin:system") + ANCHORS.get(rule, "")
    return format_html("{} {}", message, link(page, rule.replace("_", " ").capitalize()))


def _alerts(rule: str) -> str:
    return f"{admin_url('alert', 'changelist')}?{urlencode({'rule': rule})}"


def _queues(now: datetime) -> Iterator[SafeString]:
    limit = settings().audit_queue
    for writer in alive(now, settings()).filter(queued__gte=limit * BEHIND):
        text = f"The audit is behind: {writer.queued:,} of {limit:,} places of the queue of {writer} are taken."
        yield format_html("{} {}", text, link(reverse("admin:system"), "Workers"))


def _snapshot() -> Iterator[SafeString]:
    age = store.age_s
    if age is not None and age > OLD_SNAPSHOT_S:
        text = f"This worker's snapshot is {age:.0f} s old: {store.fault or 'nobody asked for a newer one'}."
        yield format_html("{} {}", text, link(reverse("admin:system"), "System"))


def _by_sql() -> Iterator[SafeString]:
    counter = Revision.standing()
    if counter.is_touched:
        text = f"The configuration was changed by SQL after revision {counter.number}, and that is in force nowhere."
        yield format_html("{} {}", text, link(reverse("admin:config_adoption"), "Adopt or discard it"))


def _faults() -> Iterator[SafeString]:
    """What no save would let through and stands there all the same; a switch that was turned is meant."""
    now = Effective()
    found = structural_faults(now.config, now.now) if now.config else []
    for fault in [each for each in found if each.code != SWITCHED_OFF][:MOST]:
        kind = CONFIGURATION[fault.object_type.value]._meta
        rows = admin_url(str(kind.model_name), "changelist")
        yield format_html("{} {}", fault.told(), link(rows, str(kind.verbose_name_plural).capitalize()))


def _quarantine(now: datetime) -> Iterator[SafeString]:
    since = now - timedelta(days=QUARANTINE_DAYS)
    rows = QuarantinedRow.objects.filter(at__gte=since).exclude(reason=WITHDRAWN).count()
    if rows:
        text = f"{counted(rows, 'row')} came into quarantine in the last {QUARANTINE_DAYS} days."
        yield format_html("{} {}", text, link(admin_url("quarantinedrow", "changelist"), "Quarantined rows"))


def lifecycle_list() -> dict[str, Any]:
    """A line for each dated model that something names, the longest dead first, and how many more there are."""
    found: dict[str, list[Finding]] = {}
    for finding in Effective().findings:
        if finding.days is not None:
            found.setdefault(finding.place.model, []).append(finding)
    lines = [_line(findings) for findings in list(found.values())[:MOST]]
    return {"lifecycle": lines, "lifecycle_more": max(len(found) - MOST, 0)}


def _line(findings: Sequence[Finding]) -> SafeString:
    first = findings[0]
    days = first.days or 0
    when = "gone since" if days <= 0 else f"gone in {days} days," if days > 1 else "gone tomorrow,"
    instead = f", replacement {first.replacement}" if first.replacement else ""
    places = format_html_join(", ", "{}", ((_page(each.place),) for each in findings[:MOST]))
    more = f" and {len(findings) - MOST} more" if len(findings) > MOST else ""
    head = f"{first.place.model}, {when} {first.shutdown_date}{instead}: "
    return format_html("{}{}{}", head, places, more)


def _page(place: Place) -> SafeString:
    words = place.alias if place.kind == "default" else f"{place.alias} ({place.label})"
    if place.kind == "override":
        return link(admin_url("override", "change", place.ref.removeprefix("override:")), words)
    return link(f"{admin_url('alias', 'changelist')}?{urlencode({'q': place.alias})}", words)
