"""What the audit says of itself, in the admin: quarantined rows, seals, alerts. Read-only, as all of the audit."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from iwrouting.admin.base import ReadOnlyAdmin
from iwrouting.admin.filters import ChoiceFilter
from iwrouting.admin.show import NOTHING, admin_url, badge, link, moment, number
from iwrouting.alerts import open_alerts
from iwrouting.conf.alerts import RULES
from iwrouting.models import Alert, QuarantinedRow, Seal

STATES = {"raised": "bad", "again": "warn", "cleared": "good"}
SHORT = 12
"""Characters of a hash or an id that a list shows."""


class QuarantineAdmin(ReadOnlyAdmin[QuarantinedRow]):
    """Rows that their tables did not take, with number and hash in their writer's chain."""

    list_display = ("at_shown", "table_name", "reason", "detail", "decision", "place")
    fields = ("at_shown", "table_name", "reason", "detail", "decision", "writer_id", "writer_seq", "hash_shown", "text")
    readonly_fields = fields
    search_fields = ("reason",)
    search_help_text = "A whole decision id, or a whole reason."
    show_full_result_count = False
    sortable_by = ()
    empty_note = "No row is in quarantine: the database took every one."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Exact search."""
        term = search_term.strip()
        try:
            found = Q(decision_id=UUID(term))
        except ValueError:
            found = Q(reason=term)
        return (queryset.filter(found) if term else queryset), False

    @admin.display(description="At (UTC)")
    def at_shown(self, row: QuarantinedRow) -> SafeString | str:
        """When it was put here."""
        return moment(row.at)

    @admin.display(description="Decision")
    def decision(self, row: QuarantinedRow) -> SafeString | str:
        """The decision that it belongs to."""
        return decision_link(row.decision_id)

    @admin.display(description="Writer and number")
    def place(self, row: QuarantinedRow) -> str:
        """Its place in the chain."""
        return f"{row.writer_id[-SHORT:]} no. {NOTHING if row.writer_seq is None else row.writer_seq}"

    @admin.display(description="Hash")
    def hash_shown(self, row: QuarantinedRow) -> str:
        """Its link of the chain."""
        return row.chain_hash or NOTHING

    @admin.display(description="Row as it was to be stored")
    def text(self, row: QuarantinedRow) -> SafeString | str:
        """The row itself; it is JSON text, and may be cut."""
        return stored_text(row.row)


class SealAdmin(ReadOnlyAdmin[Seal]):
    """The chain of seals, the latest first."""

    list_display = ("number", "at_shown", "kind", "writers", "removed_shown", "key_id", "short_hash")
    fields = ("number", "at_shown", "kind", "key_id", "hash", "previous", "heads_shown", "removed_text")
    readonly_fields = fields
    list_filter = ("kind",)
    show_full_result_count = False
    sortable_by = ()
    empty_note = "No seal yet: workers make one each hour."

    @admin.display(description="At (UTC)")
    def at_shown(self, seal: Seal) -> SafeString | str:
        """When it was made."""
        return moment(seal.at)

    @admin.display(description="Writers")
    def writers(self, seal: Seal) -> str:
        """How many heads it holds."""
        return number(len(_list(seal.heads)))

    @admin.display(description="Removed")
    def removed_shown(self, seal: Seal) -> SafeString | str:
        """Whether it stands for rows that retention took."""
        return badge("rows removed", "info") if _list(seal.removed) else NOTHING

    @admin.display(description="Hash")
    def short_hash(self, seal: Seal) -> str:
        """Its beginning."""
        return seal.hash[:SHORT]

    @admin.display(description="Heads")
    def heads_shown(self, seal: Seal) -> SafeString | str:
        """Each writer's head, as the hash covers it."""
        return stored_text(seal.heads)

    @admin.display(description="Removed")
    def removed_text(self, seal: Seal) -> SafeString | str:
        """What retention took, as the hash covers it."""
        return stored_text(seal.removed)


class RuleFilter(ChoiceFilter):
    """Alerts of one rule."""

    title = "rule"
    parameter_name = "rule"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """All rules."""
        return [(rule, rule) for rule in RULES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the chosen rule."""
        return queryset.filter(rule=self.value()) if self.value() else queryset


class AlertAdmin(ReadOnlyAdmin[Alert]):
    """What was told, newest first, below what stands."""

    list_display = ("at_shown", "state_shown", "rule", "subject", "message", "told_shown", "fault")
    list_filter = (RuleFilter,)
    fields = ("at_shown", "state_shown", "rule", "holds_when", "subject", "message", "told_shown", "fault")
    readonly_fields = fields
    search_fields = ("subject", "message")
    search_help_text = "A part of a subject or a message."
    show_full_result_count = False
    sortable_by = ()
    empty_note = "No alert was ever raised."
    change_list_template = "admin/iwrouting/alert/change_list.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with what stands."""
        self.require_view(request)
        return super().changelist_view(request, {"standing": shown_standing(), **(extra_context or {})})

    @admin.display(description="At (UTC)")
    def at_shown(self, alert: Alert) -> SafeString | str:
        """When it was told."""
        return moment(alert.at)

    @admin.display(description="State")
    def state_shown(self, alert: Alert) -> SafeString:
        """Raised, told again, or cleared."""
        return state_badge(alert.state)

    @admin.display(description="Holds when")
    def holds_when(self, alert: Alert) -> str:
        """What the rule is about."""
        return RULES.get(alert.rule, NOTHING)

    @admin.display(description="Told by")
    def told_shown(self, alert: Alert) -> str:
        """The channels that took it."""
        return alert.told or NOTHING


def shown_standing() -> list[dict[str, Any]]:
    """The alerts that stand, as the page shows them."""
    return [
        {
            "rule": each.rule,
            "subject": each.subject or NOTHING,
            "message": each.message,
            "since": moment(each.raised_at),
            "told": moment(each.begun_at),
            "pending": badge(f"not told by {', '.join(each.pending)}", "warn") if each.pending else "",
        }
        for each in open_alerts()
    ]


def state_badge(state: str) -> SafeString:
    """The badge of an alert's state."""
    return badge(state, STATES.get(state, "plain"))


def decision_link(decision_id: object) -> SafeString | str:
    """The decision's page."""
    if decision_id is None:
        return NOTHING
    return link(admin_url("decision", "change", decision_id), str(decision_id))


def stored_text(text: str) -> SafeString | str:
    """A stored text as it is; it may be anybody's."""
    return format_html('<pre class="iw-text">{}</pre>', text) if text else NOTHING


def _list(text: str) -> list[Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return []
    return found if isinstance(found, list) else []
