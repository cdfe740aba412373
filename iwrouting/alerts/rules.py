"""All rules by name, and one round of looking at them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from django.db import InterfaceError, OperationalError

from iwrouting.alerts import host, keeping, traffic
from iwrouting.alerts.findings import Finding, Looked, this_host
from iwrouting.conf import Settings

log = logging.getLogger(__name__)
AWAY, JOURNAL, DISK, GLASS = "database_away", "journal_in_use", "disk_low", "break_glass"

Rule = Callable[[datetime, Settings], Iterable[tuple[str, str]]]
KEEPING: Mapping[str, Rule] = {
    JOURNAL: keeping.journal_in_use,
    "writer_silent": keeping.writer_silent,
    "rows_lost": keeping.rows_lost,
    "rows_quarantined": keeping.rows_quarantined,
    "snapshot_behind": keeping.snapshot_behind,
    "changed_by_sql": keeping.changed_by_sql,
    "default_partition": keeping.default_partition,
    "months_ahead": keeping.months_ahead,
    "seal_overdue": keeping.seal_overdue,
    "usage_behind": keeping.usage_behind,
}
TRAFFIC: Mapping[str, Rule] = {
    "dead_model": traffic.dead_model,
    "fallback_share": traffic.fallback_share,
    "upstream_quota": traffic.upstream_quota,
}
HOST: Mapping[str, Callable[[Settings], Iterable[tuple[str, str]]]] = {
    DISK: host.disk,
    GLASS: host.break_glass,
}
"""What each host looks at for itself, with the database and without."""


def look_with_database(now: datetime, conf: Settings) -> Looked:
    """A round of all rules that are on. Raises DatabaseError where the database is away."""
    looked = Looked()
    looked.add(AWAY, (), subject=this_host())
    for name, rule in {**KEEPING, **TRAFFIC}.items():
        if name not in conf.alert_off:
            _apply(looked, name, rule, now, conf)
    _look_at_host(looked, conf)
    return looked


def look_without_database(conf: Settings) -> Looked:
    """What can be said of this host alone."""
    looked = Looked()
    if AWAY not in conf.alert_off:
        then = "IW_AUDIT_STRICT: calls get 503." if conf.audit_strict else "Calls go on: rows are journaled."
        message = f"The database does not answer {this_host()}, or takes no rows. {then}"
        looked.add(AWAY, [(this_host(), message)], subject=this_host())
    if JOURNAL not in conf.alert_off:
        looked.add(JOURNAL, host.journal_on_disk(conf), subject=this_host())
    _look_at_host(looked, conf)
    return looked


def standing_findings(now: datetime, conf: Settings) -> list[Finding]:
    """What the rules over the audit's keeping find now, for people who look: no rule is off. Raises DatabaseError."""
    looked = Looked()
    for name, rule in KEEPING.items():
        _apply(looked, name, rule, now, conf)
    for name, host_rule in HOST.items():
        looked.add(name, host_rule(conf))
    return looked.findings


def _look_at_host(looked: Looked, conf: Settings) -> None:
    for name, rule in HOST.items():
        if name not in conf.alert_off:
            looked.add(name, rule(conf), subject=this_host())


def _apply(looked: Looked, name: str, rule: Rule, now: datetime, conf: Settings) -> None:
    try:
        looked.add(name, list(rule(now, conf)))
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        # Whatever it is: one rule that can't ask must not keep the others from being told.
        log.error("alert rule %s can't be asked: %s", name, type(error).__name__, exc_info=error)
