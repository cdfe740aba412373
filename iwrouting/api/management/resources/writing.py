"""Writing one row: who, why, on top of what; tried or done (design.md 7, ux.md 3, Writes)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import transaction

from iwrouting.api.management.resources.attempts import Attempt
from iwrouting.api.management.resources.bodies import CONTROLS
from iwrouting.errors import BadRequest
from iwrouting.models import HistoryRow, OpenChange, change
from iwrouting.models.busy import wait_briefly
from iwrouting.models.contents import HIDDEN, content_of
from iwrouting.models.history import MIN_REASON, REASON_LENGTH
from iwrouting.types import KeyFacts, Via

T = TypeVar("T")
REASON = "x-change-reason"
TAG = re.compile(r'\s*(?:W/)?"([0-9]{1,18})"\s*')
MOST_SEEN = 200
WAIT_S = 5
"""How long a write waits for another one; a thread that waits serves nobody."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a write says beside the row."""

    reason: str
    acknowledged: frozenset[str]
    dry_run: bool


def read_asked(said: Mapping[str, Any], headers: Mapping[str, str], default: str = "") -> Asked:
    """What a body and the headers say; `default` is the reason where none is needed. Raises BadRequest."""
    reason = said.get("change_reason", _header(headers) or default)
    if not isinstance(reason, str) or not MIN_REASON <= len(reason.strip()) <= REASON_LENGTH:
        text = f"change_reason: say why in {MIN_REASON} to {REASON_LENGTH} characters, here or in the header {REASON}."
        raise BadRequest(text, param="change_reason", code="reason_required")
    seen, dry_run = said.get("acknowledge", []), said.get("dry_run", False)
    if not isinstance(seen, list) or not all(isinstance(each, str) for each in seen) or len(seen) > MOST_SEEN:
        raise BadRequest("acknowledge: must be a list of codes or keys of findings.", param="acknowledge")
    if not isinstance(dry_run, bool):
        raise BadRequest("dry_run: must be true or false.", param="dry_run")
    return Asked(reason, frozenset(seen), dry_run)


def row_of(said: Mapping[str, Any]) -> dict[str, Any]:
    """A body without what it says beside the row."""
    return {name: value for name, value in said.items() if name not in CONTROLS}


def written(key: KeyFacts, asked: Asked, step: Callable[[], T], attempt: Attempt | None = None) -> tuple[OpenChange, T]:
    """The change that a step is, and what the step gives; a dry run is taken back whole. Raises what refuses it.

    An attempt is made once in 24 h: what failed left nothing, and may be tried again.
    """
    with transaction.atomic():
        wait_briefly(WAIT_S)
        seen = None if asked.dry_run else asked.acknowledged
        with change(author=f"iw_{key.key_id}", via=Via.API, reason=asked.reason, acknowledged=seen) as made:
            made.is_rehearsal = asked.dry_run
            if attempt is not None:
                attempt.begin(made)
            found = step()
            if attempt is not None:
                attempt.end(made, found)
        transaction.set_rollback(asked.dry_run)
    return made, found


def plan_of(made: OpenChange) -> dict[str, Any]:
    """What a dry run would have done."""
    return {
        "dry_run": True,
        "revision": made.base,
        "rows": [told(row) for row in made.rows],
        "findings": [finding.as_json() for finding in made.findings],
    }


def told(row: HistoryRow) -> dict[str, Any]:
    """What a change makes of one row: `changed` has `{field: [before, after]}`."""
    changed = json.loads(row.changed)
    return {
        "object_type": row.object_type,
        "name": row.name,
        "operation": row.operation,
        "changed": {name: pair for name, pair in changed.items() if name not in HIDDEN},
    }


def revision_of(object_type: str, pk: int, made: OpenChange | None = None) -> int:
    """The revision that last changed a row, as of the end of a change, or now; 0 for one that history never saw.

    After a change it must not be that of somebody else's next one: its maker has not seen what that did.
    """
    rows = HistoryRow.objects.filter(object_type=object_type, object_id=pk)
    if made is not None:
        rows = rows.filter(revision__lte=made.revision if made.rows else made.base)
    return rows.order_by("-id").values_list("revision", flat=True).first() or 0


def check_match(sent: str, object_type: str, row: Any, said: Mapping[str, Any], *, needed: bool) -> None:
    """Raise BadRequest, 428 or 412, unless `If-Match` names the revision of the row as it stands."""
    if not sent.strip():
        if needed:
            raise BadRequest(
                "Send If-Match with the ETag of what you have read, so that nobody's change is lost.",
                code="match_required",
                param="if-match",
                status=428,
            )
        return
    revision = revision_of(object_type, row.pk)
    tags = [TAG.fullmatch(each) for each in sent.split(",")]
    if sent.strip() == "*" or any(tag is not None and int(tag[1]) == revision for tag in tags):
        return
    known = [int(tag[1]) for tag in tags if tag is not None]
    if not known:
        raise BadRequest(
            f'If-Match: {sent[:40]!r} is no ETag of a row: send it as it was read, with its quotes, such as "41".',
            code="stale",
            param="if-match",
            status=412,
        )
    raise _stale(object_type, row, said, known[0], revision)


def _stale(object_type: str, row: Any, said: Mapping[str, Any], since: int, revision: int) -> BadRequest:
    stored = _plain(content_of(row))
    then = _content_at(object_type, row.pk, since)
    moved = {name for name, value in stored.items() if then is not None and then.get(name) != value}
    asked = {name for name, value in said.items() if name in stored and stored[name] != value}
    names = [name for name in stored if name in moved | asked and name not in HIDDEN]
    return BadRequest(
        f"It was changed by revision {revision} after you read it at {since}: `details` has both values. "
        "Read it again, and send the change with the new ETag.",
        code="stale",
        param="if-match",
        status=412,
        details=[_both(name, stored[name], then, said) for name in names],
    )


def _both(name: str, stored: Any, then: Mapping[str, Any] | None, said: Mapping[str, Any]) -> dict[str, Any]:
    found = {"field": name, "code": "stale", "message": f"It is {json.dumps(stored)} now.", "stored": stored}
    if then is not None:
        found["read"] = then.get(name)
    if name in said:
        found["sent"] = said[name]
    return found


def _content_at(object_type: str, pk: int, revision: int) -> Mapping[str, Any] | None:
    rows = HistoryRow.objects.filter(object_type=object_type, object_id=pk, revision__lte=revision)
    last = rows.order_by("-revision").first()
    found: Mapping[str, Any] | None = json.loads(last.content) if last else None
    return found


def _plain(content: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(content))
    return found


def _header(headers: Mapping[str, str]) -> str:
    """The reason in its header: HTTP has it as Latin-1, people send UTF-8."""
    said = headers.get(REASON, "")
    try:
        return said.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return said
