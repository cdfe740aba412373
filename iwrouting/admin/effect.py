"""What a change does: who would be served by which model instead, and which values it writes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from iwrouting.admin.show import NOTHING, badge, per_million, value_badge
from iwrouting.errors import RoutingError
from iwrouting.models import HistoryRow
from iwrouting.models.contents import CONFIGURATION, HIDDEN
from iwrouting.models.prices import PICO_FIELDS
from iwrouting.resolver import resolve
from iwrouting.resolver.faults.places import audiences, endpoint_of, serving
from iwrouting.types import Configuration, Operation, Skip
from iwrouting.types.faults import ALL_PROJECTS_NAME

MOST_LINES = 50
WORDS = {Operation.CREATE: "new", Operation.CHANGE: "changed", Operation.DELETE: "deleted"}
Audience = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Effect:
    """`served`: alias, for whom, from when, by what now, by what then. `values`: row, field, before, after."""

    served: list[tuple[object, ...]]
    values: list[tuple[object, ...]]
    more: int = 0


def effect_between(before: Configuration, after: Configuration, rows: Sequence[HistoryRow]) -> Effect:
    """What a change does that leads from one configuration to the other and writes these rows."""
    now = timezone.now()
    served = list(_served(before, after, now, "now"))
    for moment in sorted(_later(after, rows, now)):
        told = f"{moment:%Y-%m-%d %H:%M:%S}"
        served += [line for line in _served(before, after, moment, told) if (*line[:2], "now", *line[3:]) not in served]
    values = list(_values(rows))
    return Effect(served[:MOST_LINES], values[:MOST_LINES], max(0, len(served) - MOST_LINES))


def _later(after: Configuration, rows: Iterable[HistoryRow], now: datetime) -> set[datetime]:
    """When what these rows schedule begins."""
    touched = {f"override:{row.object_id}" for row in rows if row.object_type == "override"}
    found = (row.starts_at for row in after.overrides.values() if row.ref in touched and row.enabled)
    return {at for at in found if at is not None and at > now}


def _served(before: Configuration, after: Configuration, at: datetime, told: str) -> Iterator[tuple[object, ...]]:
    old, new = _by_audience(before, at), _by_audience(after, at)
    found = []
    for alias, project in dict.fromkeys([*old, *new]):
        was, will = (each.get((alias, project)) or each.get((alias, None)) for each in (old, new))
        if was != will:
            by_other = (was and was.first) != (will and will.first)
            found.append((by_other, (alias, project or ALL_PROJECTS_NAME, told, _shown(was), _shown(will))))
    # Who gets another model stands above those whose fallbacks alone change.
    yield from (line for _, line in sorted(found, key=lambda each: not each[0]))


@dataclass(frozen=True, slots=True)
class _Served:
    model: str
    source: str
    serves: str
    chain: tuple[str | None, ...]

    @property
    def first(self) -> tuple[str, str, str]:
        """What answers when nothing fails."""
        return self.model, self.source, self.serves


def _by_audience(config: Configuration, at: datetime) -> Mapping[Audience, _Served]:
    found: dict[Audience, _Served] = {}
    for alias, project in audiences(config):
        try:
            answer = resolve(config, alias.name, project=project, now=at, endpoint=endpoint_of(alias).value)
        except RoutingError:
            continue
        first = serving(config, alias, project, at)
        rest = tuple(rung.model for rung in answer.chain[1:] if rung.skip != Skip.DUPLICATE)
        found[alias.name, project] = _Served(answer.model, answer.source, (first.model if first else None) or "", rest)
    return found


def _shown(served: _Served | None) -> SafeString:
    if served is None:
        return format_html("{}", NOTHING)
    cell = format_html('<span class="iw-model">{}</span> {}', served.model, value_badge(served.source))
    if not served.serves:
        cell = format_html("{} {}", cell, badge("no rung can serve", "bad"))
    elif served.serves != served.model:
        cell = format_html("{} {}", cell, badge(f"passed over: {served.serves} serves", "warn"))
    if served.chain:
        cell = format_html('{} <span class="iw-quiet">then {}</span>', cell, ", ".join(map(str, served.chain)))
    return cell


def _values(rows: Sequence[HistoryRow]) -> Iterator[tuple[object, ...]]:
    for row in rows:
        name = f"{row.object_type} {row.name}"
        if row.operation == Operation.DELETE:
            yield name, WORDS[Operation.DELETE], NOTHING, NOTHING
            continue
        for field, (old, new) in json.loads(row.changed).items():
            if field not in HIDDEN and (row.operation == Operation.CHANGE or new not in (None, "", [])):
                yield name, label_of(row.object_type, field), plain_value(field, old), plain_value(field, new)


def label_of(object_type: str, field: str) -> str:
    """What people call a column."""
    if field in PICO_FIELDS:
        return f"{field.removesuffix('_pico').replace('_', ' ')}, $ per 1M tokens"
    return next(str(each.verbose_name) for each in CONFIGURATION[object_type]._meta.fields if each.name == field)


def plain_value(field: str, value: object) -> str:
    """A stored value as people read it."""
    if field in PICO_FIELDS and isinstance(value, int):
        return per_million(value)
    if value is None or value == "" or value == []:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(str(each) for each in value) if isinstance(value, list) else str(value)
