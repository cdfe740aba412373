"""A change of the routing variables between restarts, as a line of the change list: once for each host and change.

What a host had before stands in the file `environment` in the folder of the journals, and in the host's own last line.
A host that has neither, such as a container that was just made, is compared with the last line of any host, else with
the last decision; an environment that others began with within a day is nothing new then.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from pydantic import TypeAdapter, ValidationError

from iwrouting.conf import settings
from iwrouting.models import Change, Decision, EnvironmentSnapshot
from iwrouting.models.contents import differences
from iwrouting.snapshot import sealed
from iwrouting.snapshot.lines import Line, tell
from iwrouting.snapshot.sealed import Unusable
from iwrouting.types import ChangeKind, EnvironmentFacts

log = logging.getLogger(__name__)
NAME = "environment"
FORM = b"iwrouting environment 1\n"
MOST_BYTES = 1_000_000
MOST_HOSTS = 50
HEAD = "environment:"
NEWS = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Had:
    """What a host had. `mark` tells this from the other times that it had the same."""

    id: str
    values: dict[str, str]
    mark: str


_file = TypeAdapter(dict[str, Had])


def note_environment(facts: EnvironmentFacts, host: str, at: datetime) -> None:
    """Tell that a host began with other routing variables at `at`, if it did. Blocking.

    Raises DatabaseError: then try again. It may be done any number of times.
    """
    known = _read()
    before = _before(known, host)
    if before is None:
        before = _elsewhere(facts.id, at)
    if before is not None and before.id != facts.id:
        _store(facts, at)
        tell([_line(before, facts, host, at)])
    if host not in known or known[host].id != facts.id or before != known[host]:
        try:
            _write(known, host, Had(facts.id, dict(facts.values), secrets.token_hex(6)))
        except OSError as error:
            log.warning("%s can't be written: %s", settings().journals / NAME, error.strerror)


def _before(known: Mapping[str, Had], host: str) -> Had | None:
    """What the host had last. Its line counts where the file does not know of it: lost, or not yet written."""
    had = known.get(host)
    line = Change.objects.filter(event__startswith=f"{HEAD}{host}:").order_by("-id").first()
    if line is None or (had is not None and str(line.event).split(":")[2] != had.mark):
        return had
    return _after(line)


def _elsewhere(ours: str, at: datetime) -> Had | None:
    """What is compared with for a host that nobody knows; None where there is nothing to tell."""
    lines = Change.objects.filter(kind=ChangeKind.ENVIRONMENT).order_by("-id")
    if any(_after(line).id == ours for line in lines.filter(at__gte=at - NEWS)):
        return None
    if (last := lines.first()) is not None:
        return _after(last)
    decided = Decision.objects.order_by("-id").values_list("environment_id", flat=True).first()
    known = decided and EnvironmentSnapshot.objects.filter(id=decided).exists()
    return _stored(str(decided), "decided") if known else None


def _after(line: Change) -> Had:
    return _stored(json.loads(line.details)["to"], f"line{line.pk}")


def _stored(number: str, mark: str) -> Had:
    return Had(number, json.loads(EnvironmentSnapshot.objects.get(id=number).values), mark)


def _store(facts: EnvironmentFacts, at: datetime) -> None:
    """As the writer does when it connects, whoever comes first."""
    if not EnvironmentSnapshot.objects.filter(id=facts.id).exists():
        row = EnvironmentSnapshot(id=facts.id, first_seen_at=at, values=json.dumps(dict(facts.values), sort_keys=True))
        EnvironmentSnapshot.objects.bulk_create([row], ignore_conflicts=True)


def _line(before: Had, facts: EnvironmentFacts, host: str, at: datetime) -> Line:
    changed = differences(before.values, facts.values)
    words = ", ".join(f"{name} {_shown(old)} -> {_shown(new)}" for name, (old, new) in sorted(changed.items()))
    return Line(
        event=f"{HEAD}{host}:{before.mark}:{facts.id}",
        kind=ChangeKind.ENVIRONMENT,
        at=at,
        reason=f"{host} began with other routing variables: {words}",
        details={
            "host": host,
            "from": before.id,
            "to": facts.id,
            "changed": changed,
        },
    )


def _shown(value: str | None) -> str:
    return "not set" if value is None else value or "blank"


def _read() -> dict[str, Had]:
    """The file; nothing where it is missing or not ours, as on a new host."""
    try:
        content = sealed.read(settings().journals / NAME, MOST_BYTES)
        payload = sealed.unsealed(content, FORM, _mac) if content.startswith(FORM) else b"{}"
        return _file.validate_json(payload, strict=True)
    except (Unusable, ValidationError):
        return {}


def _write(known: Mapping[str, Had], host: str, had: Had) -> None:
    others = [(name, each) for name, each in known.items() if name != host]
    payload = orjson.dumps(dict([*others[-MOST_HOSTS:], (host, had)]))
    sealed.replace(settings().journals / NAME, sealed.sealed(FORM, _mac(payload), payload))


def _mac(payload: bytes) -> bytes:
    return sealed.mac(sealed.secret_of(settings()), b"iwrouting environment", FORM + payload)
