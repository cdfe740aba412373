"""Sync of prices in the admin: the preview first, then the very thing that was previewed."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from iwrouting.admin.attempting import AttemptingAdmin
from iwrouting.admin.attempts import Attempt, Held, reason_context
from iwrouting.admin.base import missing
from iwrouting.admin.show import NOTHING, admin_url, badge
from iwrouting.management.price_plan import Action
from iwrouting.management.price_table import Sync, cells, plan_sync, write
from iwrouting.models import Price, Revision

TONES = {Action.CREATE: "good", Action.DIFFERS: "warn", Action.MANUAL: "strong"}
STALE = "The prices changed since this plan was shown. Look at it again."


def sync_page(page: AttemptingAdmin[Price], request: HttpRequest) -> HttpResponse:
    """The plan with a button; the answer to the button writes it, unless it has become another. For who may add."""
    if not page.has_add_permission(request):
        raise PermissionDenied(missing("iwrouting.add_price"))
    sync = plan_sync()
    attempt, done = page.attempt(request, lambda attempt, _made: _synced(page, request, sync, attempt))
    if done:
        return HttpResponseRedirect(admin_url("price", "changelist"))
    is_sent = request.method == "POST"
    context = {
        **page.admin_site.each_context(request),
        **reason_context(attempt, Revision.current(), is_sent=is_sent),
        "problems": [*attempt.problems, *attempt.told_errors()],
        "title": "Sync prices",
        "opts": page.opts,
    }
    return TemplateResponse(request, "admin/iwrouting/price/sync.html", {**context, **_shown(sync)})


def _synced(page: AttemptingAdmin[Price], request: HttpRequest, sync: Sync, attempt: Attempt) -> bool:
    if request.method == "POST" and request.POST.get("plan") != sync.digest:
        attempt.problems.append(STALE)
        raise Held
    rows = write(sync)
    for row in rows:
        page.log_addition(request, row, [{"added": {}}])
    page.message_user(request, f"Wrote {len(rows)} prices of {sync.lists.version}.", messages.SUCCESS)
    return True


def _shown(sync: Sync) -> dict[str, Any]:
    """What the page shows: every line that changes something or tells of a manual price."""
    told = [change for change in sync.changes if change.action is not Action.SAME]
    rows = [[badge(change.action, TONES[change.action]), *list(cells(change).values())[1:]] for change in told]
    return {
        "source": sync.lists.version,
        "rows": [[NOTHING if cell is None else cell for cell in row] for row in rows],
        "same": len(sync.changes) - len(told),
        "writes": len(sync.writes),
        "unknown": sync.lists.unknown,
        "plan": sync.digest,
    }
