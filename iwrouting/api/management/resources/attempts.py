"""A POST that is sent again under its `Idempotency-Key` makes nothing twice (ux.md 3, Writes; faults.md T20)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from django.utils import timezone

from iwrouting.calls.caller import FREE_ID
from iwrouting.errors import BadRequest
from iwrouting.models import Change, OpenChange
from iwrouting.snapshot.moments import moment_text
from iwrouting.types import KeyFacts

HEADER = "idempotency-key"
KEPT = timedelta(hours=24)
DETAIL = "idempotency"
"""The part of a change's details that knows the attempt again."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A POST under the caller's own name for it; `request` is the SHA-256 of what it asks for.

    `address` gives where a new row stands, `reread` what to do where the answer that told of it was lost.
    """

    key_id: str
    name: str
    request: str
    address: Callable[[Any], str]
    reread: Callable[[str], str]

    def begin(self, made: OpenChange) -> None:
        """Take the name for this change; asked under the counter's lock. Raises BadRequest where it is taken.

        The UTC day in the event lets a name be taken again: two within 24 h have the same day or the next.
        """
        now = max(timezone.now(), made.not_before)
        events = [self._event(now), self._event(now - KEPT)]
        line = Change.objects.filter(event__in=events).order_by("-at").first()
        if line is not None and now - line.at < KEPT:
            raise self._refusal(line, json.loads(line.details)[DETAIL])
        made.event = events[0]

    def end(self, made: OpenChange, row: Any) -> None:
        """Keep with the change what came of it."""
        made.details[DETAIL] = {"key": self.name, "location": self.address(row), "request_sha256": self.request}

    def _event(self, at: datetime) -> str:
        return f"idempotency:{self.key_id}:{self.name}:{at.astimezone(UTC).date()}"

    def _refusal(self, line: Change, kept: Mapping[str, str]) -> BadRequest:
        until = moment_text(line.at + KEPT)
        if kept["request_sha256"] != self.request:
            return BadRequest(
                f"Idempotency-Key: '{self.name}' stands until {until} for another request, answered at "
                f"{moment_text(line.at)}. Send the same path and body, or another key.",
                code="idempotency_key_reused",
                param=HEADER,
                status=422,
                should_retry=False,
            )
        where = kept["location"]
        message = (
            f"This request was answered at {moment_text(line.at)}: revision {line.revision} made {where}. "
            f"{self.reread(where)} To make another, send another Idempotency-Key."
        )
        told = {"field": None, "code": "already_answered", "message": message}
        error = BadRequest(
            message,
            code="already_answered",
            param=HEADER,
            status=409,
            should_retry=False,
            details=[{**told, "location": where, "revision": line.revision}],
        )
        error.extra_headers = {"location": where}
        return error


def read_name(headers: Mapping[str, str]) -> str | None:
    """The name that a POST has; None without the header. Raises BadRequest."""
    name = headers.get(HEADER)
    if name is not None and not FREE_ID.fullmatch(name):
        text = (
            f"Idempotency-Key: '{name[:80]}' must be 1 to 128 characters of letters, digits and ._:/- without quotes."
        )
        raise BadRequest(text, param=HEADER)
    return name


def read_attempt(
    key: KeyFacts,
    headers: Mapping[str, str],
    path: str,
    said: Mapping[str, Any],
    address: Callable[[Any], str],
    reread: Callable[[str], str],
) -> Attempt | None:
    """The attempt that a POST of a body to a path is; None where it has no name. Raises BadRequest."""
    name = read_name(headers)
    if name is None:
        return None
    asked = json.dumps([path, said], sort_keys=True, separators=(",", ":"))
    return Attempt(key.key_id, name, sha256(asked.encode()).hexdigest(), address, reread)
