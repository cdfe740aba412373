"""What may not be in a configuration, and what should be known of one before it is saved. Pure: no I/O, no clock.

`structural_faults` are refused at save and, where they would break routing, at load (G4); `findings` warn and are
acknowledged. docs/configuration-rules.md lists every code.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import TypeVar

from iwrouting.resolver.faults import concerns, mixing
from iwrouting.resolver.faults.chains import chain_faults
from iwrouting.resolver.faults.changes import change_faults
from iwrouting.resolver.faults.places import effective_overrides
from iwrouting.resolver.faults.rows import row_faults
from iwrouting.resolver.faults.switches import switch_findings, unserved
from iwrouting.resolver.faults.targets import SWITCHED_OFF, switched_off, target_faults
from iwrouting.resolver.faults.vectors import vector_faults, vector_findings
from iwrouting.types import Configuration
from iwrouting.types.faults import Fault, Finding, ObjectType, override_name

__all__ = ["SWITCHED_OFF", "findings", "refusals", "standing_findings", "structural_faults"]

Remark = TypeVar("Remark", Fault, Finding)
STANDING: tuple[Callable[[Configuration, datetime], Iterator[Finding]], ...] = (
    concerns.lifecycle,
    concerns.prices,
    concerns.overrides,
    concerns.environment,
    concerns.names,
    mixing.mixing,
    mixing.translated,
    unserved,
)


ROUTING = ("aliases", "overrides", "models", "upstreams", "prices", "environment")
"""The parts of a configuration that decide which model serves, and what it costs."""


def structural_faults(config: Configuration, now: datetime) -> list[Fault]:
    """Every fault of a configuration by itself, each once, in the order of its rows' names."""
    return _sorted(chain(chain_faults(config), target_faults(config, now), row_faults(config)))


def standing_findings(config: Configuration, now: datetime) -> list[Finding]:
    """Every finding on a configuration by itself, each once, in the order of its rows' names."""
    return _sorted(chain.from_iterable(rule(config, now) for rule in STANDING))


def refusals(
    before: Configuration | None, after: Configuration, touched: Collection[tuple[str, str]], *, now: datetime
) -> list[Fault]:
    """The faults for which a change is refused: those that it brings, and those of the rows that it touches.

    `touched` are the rows that the change writes, by object type and name. A model that was switched off before refuses
    only where the change names it anew, and an old fault no row that is off: whatever is wrong can always be switched
    off, and a configuration with a switch that was turned can be copied.
    """
    former = before or _nothing(after)
    had = {fault.key for fault in structural_faults(former, now)}
    found = [
        fault
        for fault in structural_faults(after, now)
        if (
            _named_anew(former, after, fault, touched, now)
            if fault.code == SWITCHED_OFF
            else fault.key not in had or (fault.row in touched and not _is_off(after, fault))
        )
    ]
    gone = change_faults(former, after, now)
    return _sorted(chain(found, gone, vector_faults(former, after, now)))


def findings(before: Configuration | None, after: Configuration, now: datetime) -> list[Finding]:
    """The findings that a change brings."""
    former = before or _nothing(after)
    if all(getattr(former, part) == getattr(after, part) for part in ROUTING):
        # Projects and keys are made at run time: what no such change can bring need not be looked for.
        return _brought(concerns.names(former, now), concerns.names(after, now))
    brought = _brought(standing_findings(former, now), standing_findings(after, now))
    switched = list(switch_findings(former, after, now))
    off = {finding.name for finding in switched}
    kept = (each for each in brought if not (each.code == SWITCHED_OFF and each.subject in off))
    return _sorted(chain(kept, switched, vector_findings(former, after, now)))


def _brought(before: Iterable[Finding], after: Iterable[Finding]) -> list[Finding]:
    had = {finding.key for finding in before}
    return _sorted(finding for finding in after if finding.key not in had)


def _named_anew(
    before: Configuration, after: Configuration, fault: Fault, touched: Collection[tuple[str, str]], now: datetime
) -> bool:
    model = before.models.get(fault.subject)
    was_off = model is not None and bool(switched_off(before, model))
    return was_off and fault.row in touched and _at_place(before, fault, now) != _at_place(after, fault, now)


def _is_off(config: Configuration, fault: Fault) -> bool:
    if fault.object_type is ObjectType.MODEL:
        return not config.models[fault.name].enabled
    rows = (row for row in config.overrides.values() if override_name(row.alias, row.project) == fault.name)
    return fault.object_type is ObjectType.OVERRIDE and not any(row.enabled for row in rows)


def _at_place(config: Configuration, fault: Fault, now: datetime) -> object:
    """What a row says at the place of a fault: a default, a chain, or the model of an override that serves or will."""
    if fault.object_type is ObjectType.ALIAS:
        return getattr(config.aliases.get(fault.name), fault.field, None)
    rows = (row for row, _ in effective_overrides(config, now) if override_name(row.alias, row.project) == fault.name)
    return [row.model for row in rows]


def _nothing(after: Configuration) -> Configuration:
    """The configuration before the first: the same process, and no row."""
    return replace(after, aliases={}, overrides={}, projects={}, models={}, keys={}, prices={})


def _sorted(remarks: Iterable[Remark]) -> list[Remark]:
    found = {remark.key: remark for remark in remarks}
    return sorted(found.values(), key=lambda each: (*each.row, each.field, each.code, each.subject))
