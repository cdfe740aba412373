"""Switching an override off on this host without the database (docs/configuration-operations.md): no query is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from iwrouting.alerts.findings import this_host
from iwrouting.management.changing import NOT_READY, login_name
from iwrouting.models.changing import check_reason
from iwrouting.snapshot import disk, glass
from iwrouting.snapshot.sealed import Unusable
from iwrouting.types import OverrideFacts

MOST_NAMED = 20


def switch_off(number: int, options: Mapping[str, Any]) -> glass.Pane:
    """Switch an override of the configuration on disk off here, or say what would be. Raises CommandError."""
    reason = _reason(options)
    kept = _kept()
    found = _override(number, kept.overrides, kept.revision)
    pane = glass.Pane(
        number=glass.new_number(),
        ref=found.ref,
        told=_told(found),
        revision=kept.revision,
        host=this_host(),
        at=_now(),
        by=_by(options["user"]),
        reason=reason,
    )
    if options["dry_run"]:
        return pane
    after = _rewritten(partial(_with, pane))
    return next(each for each in after if each.ref == pane.ref and each.holds)


def lift(number: int, options: Mapping[str, Any]) -> glass.Pane:
    """Let an override that is switched off here count again, or say what would be. Raises CommandError."""
    reason, ref = _reason(options), f"override:{number}"
    before = [each for each in _read() if each.holds]
    held = next((each for each in before if each.ref == ref), None)
    if held is None:
        there = ", ".join(each.ref for each in before) or "none is"
        raise CommandError(f"{ref} is not switched off on {this_host()}. Switched off here: {there}.")
    ended = held.ended(_now(), _by(options["user"]), reason)
    if not options["dry_run"]:
        _rewritten(lambda panes: [ended if each.number == held.number else each for each in panes])
    return ended


def plain(pane: glass.Pane) -> dict[str, Any]:
    """A row of the command's answer."""
    return {
        name: value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
        for name, value in asdict(pane).items()
    }


def _with(pane: glass.Pane, panes: glass.Panes) -> Sequence[glass.Pane]:
    if any(each.holds and each.ref == pane.ref for each in panes):
        return panes
    return (*panes, pane)


def _kept() -> Any:
    try:
        return disk.read_kept().configuration
    except disk.SnapshotUnusable as error:
        raise CommandError(
            f"The configuration on disk, {disk.path()}, is {error}: nothing was switched off. Run it as the service "
            "runs: same user, same host, same IW_JOURNAL_DIR and IW_SECRET_KEY.",
            returncode=NOT_READY,
        ) from None


def _override(number: int, overrides: Sequence[OverrideFacts], revision: int) -> OverrideFacts:
    ref = f"override:{number}"
    for found in overrides:
        if found.ref == ref:
            return found
    named = [f"{found.ref.removeprefix('override:')} ({_told(found)})" for found in overrides[:MOST_NAMED]]
    more = f" and {len(overrides) - MOST_NAMED} more" if len(overrides) > MOST_NAMED else ""
    there = f"it has {', '.join(named)}{more}" if named else "it has none"
    raise CommandError(f"The configuration on disk, revision {revision}, has no override {number}: {there}.")


def _told(found: OverrideFacts) -> str:
    return f"{found.alias} for {found.project or 'all projects'} -> {found.model}"


def _read() -> glass.Panes:
    return _rewritten(lambda panes: panes)


def _rewritten(change: Any) -> glass.Panes:
    try:
        return glass.rewrite(change)
    except Unusable as error:
        raise CommandError(
            f"The break-glass file, {glass.path()}, is {error}: nothing was changed. Remove it, and do it again."
        ) from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise CommandError(f"{glass.path()} can't be written: {why}. Nothing was changed.") from None


def _reason(options: Mapping[str, Any]) -> str:
    try:
        return check_reason(options["reason"])
    except ValidationError as error:
        raise CommandError(error.messages[0]) from None


def _by(name: str) -> str:
    """Who does it, as far as can be known without the database: the login, and whom it names."""
    login = login_name()
    return f"{name} (said by {login})" if name and name != login else login


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
