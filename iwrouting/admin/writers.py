"""Who writes the audit, in the admin: one row a process, and how it stands."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from iwrouting.admin.base import ReadOnlyAdmin
from iwrouting.admin.filters import ChoiceFilter
from iwrouting.admin.show import NOTHING, badge, megabytes, moment
from iwrouting.alerts.findings import this_host
from iwrouting.conf import settings
from iwrouting.models import Revision, Writer

MODES = {"database": "good", "journal": "warn", "refusing": "bad"}
STATES = {"running": "good", "silent": "bad", "ended": "plain", "swept": "plain"}


def state_of(writer: Writer, now: datetime) -> str:
    """running, silent (its heartbeat is too old), ended, or swept: closed by another process."""
    if writer.ended_at is not None:
        return "ended"
    if writer.swept_at is not None:
        return "swept"
    return "running" if writer.heartbeat_at >= now - timedelta(seconds=settings().writer_dead_s) else "silent"


def is_this_process(writer: Writer) -> bool:
    """Whether the process that makes this page writes under it."""
    return writer.ended_at is None and (writer.pid, writer.host) == (os.getpid(), this_host())


def process(writer: Writer) -> SafeString | str:
    """Host and process id; says where it is the one that answers."""
    name = f"{writer.host}:{writer.pid}"
    return format_html("{} {}", name, badge("this page", "info")) if is_this_process(writer) else name


def mode_badge(writer: Writer) -> SafeString:
    """Where its rows go; in no colour where it runs no more: that it once was well tells nothing of now."""
    runs = state_of(writer, timezone.now()) == "running"
    return badge(writer.mode, MODES.get(writer.mode, "plain") if runs else "plain")


def lag(writer: Writer, newest: int) -> SafeString | str:
    """The revision that it serves, and how many it is behind; one that runs no more is behind nothing."""
    if not writer.revision:
        return NOTHING
    behind = newest - writer.revision
    if writer.snapshot_fault:
        fault = format_html('<br><span class="iw-quiet">{}</span>', writer.snapshot_fault)
        return format_html("{} {}{}", writer.revision, badge("kept", "bad"), fault)
    is_late = behind > 0 and state_of(writer, timezone.now()) in ("running", "silent")
    return format_html("{} {}", writer.revision, badge(f"{behind} behind", "warn") if is_late else "")


def count_badge(value: int, tone: str) -> SafeString | str:
    """A number that should be 0, in colour where it is not."""
    return badge(f"{value:,}", tone) if value else "0"


class WriterStateFilter(ChoiceFilter):
    """Writers by whether they run."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The states of a writer."""
        return [(state, state) for state in STATES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The writers in the chosen state."""
        since = timezone.now() - timedelta(seconds=settings().writer_dead_s)
        open_ones = Q(ended_at=None, swept_at=None)
        asked = {
            "running": open_ones & Q(heartbeat_at__gte=since),
            "silent": open_ones & Q(heartbeat_at__lt=since),
            "ended": Q(ended_at__isnull=False),
            "swept": Q(ended_at=None, swept_at__isnull=False),
        }.get(self.value() or "")
        return queryset.filter(asked) if asked is not None else queryset


class WriterAdmin(ReadOnlyAdmin[Writer]):
    """The writing processes, the latest first."""

    list_display = (
        "process_shown", "state", "mode_shown", "queued", "last_commit", "heartbeat", "journal", "quarantined",
        "drops", "revision_shown",
    )  # fmt: skip
    list_filter = (WriterStateFilter,)
    fields = (
        "process_shown", "id", "state", "mode_shown", "queued", "started", "heartbeat", "last_commit", "ended", "swept",
        "journal", "journaled_rows", "quarantined", "drops", "revision_shown", "last_seq", "chain_hash", "key_id",
        "journal_id", "app_version",
    )  # fmt: skip
    readonly_fields = fields
    search_fields = ("host", "id")
    search_help_text = "A host, or a writer's id."
    sortable_by = ()
    empty_note = "No process has written yet."

    @admin.display(description="Process")
    def process_shown(self, writer: Writer) -> SafeString | str:
        """Where it runs."""
        return process(writer)

    @admin.display(description="State")
    def state(self, writer: Writer) -> SafeString:
        """Whether it runs."""
        found = state_of(writer, timezone.now())
        return badge(found, STATES[found])

    @admin.display(description="Mode")
    def mode_shown(self, writer: Writer) -> SafeString:
        """Where its rows go."""
        return mode_badge(writer)

    @admin.display(description="Last commit (UTC)")
    def last_commit(self, writer: Writer) -> SafeString | str:
        """When the database last took rows."""
        return moment(writer.last_commit_at)

    @admin.display(description="Heartbeat (UTC)")
    def heartbeat(self, writer: Writer) -> SafeString | str:
        """Its last sign of life."""
        return moment(writer.heartbeat_at)

    @admin.display(description="Journal")
    def journal(self, writer: Writer) -> str:
        """Bytes that wait there."""
        return megabytes(writer.journal_bytes)

    @admin.display(description="Quarantined")
    def quarantined(self, writer: Writer) -> SafeString | str:
        """Rows that the database refused."""
        return count_badge(writer.quarantined_rows, "warn")

    @admin.display(description="Drops")
    def drops(self, writer: Writer) -> SafeString | str:
        """Rows lost: always 0."""
        return count_badge(writer.dropped_rows, "bad")

    @admin.display(description="Revision")
    def revision_shown(self, writer: Writer) -> SafeString | str:
        """Which configuration it serves."""
        return lag(writer, Revision.current())

    @admin.display(description="Started (UTC)")
    def started(self, writer: Writer) -> SafeString | str:
        """When it began."""
        return moment(writer.started_at)

    @admin.display(description="Ended (UTC)")
    def ended(self, writer: Writer) -> SafeString | str:
        """When it said that it ends."""
        return moment(writer.ended_at)

    @admin.display(description="Swept (UTC)")
    def swept(self, writer: Writer) -> SafeString | str:
        """When another process had closed what it left."""
        return moment(writer.swept_at)
