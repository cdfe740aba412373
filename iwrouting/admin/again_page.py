"""A decision resolved again: as of then, which must give its own answer, and now, with the differences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from iwrouting.admin.decision_page import Table
from iwrouting.admin.effective import in_force
from iwrouting.admin.moments import AS_OF, AT, ENVIRONMENT
from iwrouting.admin.show import NOTHING, lines, moment
from iwrouting.models import Decision
from iwrouting.planning.again import Again, again_now, again_then
from iwrouting.snapshot import SnapshotRefused
from iwrouting.snapshot.moments import moment_text
from iwrouting.types import Resolution

COLUMNS = ("Field", "On the row", "Resolved again")
SAME_THEN = "The same answer: this configuration, environment, key and time give what the row says."
OTHER_THEN = "Not the answer on the row. That should not be; what may be the reason is said below."
SAME_NOW = "The same answer as then."
OTHER_NOW = "Another answer than then."


@dataclass(frozen=True)
class Verdict:
    """What came of resolving again, for the template."""

    title: str
    words: str
    tone: str
    notes: tuple[str, ...]
    table: Table | None


def again_parts(decision: Decision) -> dict[str, Any]:
    """As of then, and now, for the template."""
    then = _verdict("As of then", again_then(decision), (SAME_THEN, OTHER_THEN), "bad")
    return {
        "title": "Resolve again",
        "decision": decision,
        "at": moment(decision.decision_at),
        "then": then_address(decision),
        "parts": [then, _now(decision)],
    }


def then_address(decision: Decision) -> str:
    """Where the configuration is shown under which it was decided."""
    asked = {AS_OF: decision.revision, AT: moment_text(decision.decision_at), ENVIRONMENT: decision.environment_id}
    return f"{reverse('admin:config_as_of')}?{urlencode(asked)}"


def _now(decision: Decision) -> Verdict:
    title = "Now"
    try:
        found = again_now(decision, in_force(), timezone.now())
    except SnapshotRefused as error:
        return Verdict(title, f"The configuration can't be read: {error}.", "bad", (), None)
    return _verdict(title, found, (SAME_NOW, OTHER_NOW), "warn")


def _verdict(title: str, found: Again, words: tuple[str, str], tone: str) -> Verdict:
    if found.resolution is None:
        return Verdict(title, f"No answer: {found.refusal}", "info", found.notes, None)
    if found.is_same:
        return Verdict(title, f"{_served(found.resolution)} {words[0]}", "good", found.notes, None)
    rows = [(name, shown(old), shown(new)) for name, (old, new) in found.differences.items()]
    return Verdict(
        title, f"{_served(found.resolution)} {words[1]}", tone, found.notes, Table("Differences", COLUMNS, rows)
    )


def _served(found: Resolution) -> str:
    others = [rung.model for rung in found.chain[1:] if rung.model and rung.skip is None]
    return f"{found.model} ({found.source}){', then ' if others else ''}{', '.join(others)}."


def shown(value: Any) -> Any:
    """A value of an answer: a ladder or chain as its steps, a line each."""
    if isinstance(value, list):
        return lines(_steps(value)) or NOTHING
    return NOTHING if value in (None, "") else str(value)


def _steps(values: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for each in values:
        where = each.get("source") if "state" in each else f"{each.get('rung')}. {each.get('alias') or 'model'}"
        model = each.get("value") if "state" in each else each.get("model")
        state = each.get("state") if "state" in each else each.get("skip") or each.get("source")
        yield f"{where}: {model or NOTHING} ({state})"
