"""The routing variables on the System page: value, whether it wins, and what shadows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from iwrouting.admin.decision_page import Table
from iwrouting.admin.effective import Effective
from iwrouting.admin.references import References
from iwrouting.admin.show import NOTHING, badge
from iwrouting.alerts.findings import counted
from iwrouting.resolver.variables import Standing, VariableFacts, variable_facts
from iwrouting.snapshot import store

COLUMNS = ("Variable", "Value", "Standing", "Alias", "Serves without a project", "Shadowed by")
TONES = {Standing.WINS: "good", Standing.SHADOWED: "warn", Standing.NOT_READ: "warn"}
MOST_PROJECTS = 20


def routing_variables(user: Any) -> Table:
    """One line for each variable and alias: those that are set first. What serves is by this worker."""
    seen = Effective()
    config = store.current if seen.config is None else store.glass.applied(seen.config)
    found = variable_facts(config, seen.now)
    links = References(user, [f'"alias:{each.alias}"' for each in found], "")
    rows = [_row(each, links) for each in sorted(found, key=lambda each: not each.is_set)]
    count = counted(sum(each.is_set for each in found), "variable")
    return Table(
        f"Routing variables ({count} set, environment {config.environment.id})", COLUMNS, rows, "None is read."
    )


def _row(found: VariableFacts, links: References) -> tuple[Any, ...]:
    alias = links.link(f"alias:{found.alias}") if found.alias else NOTHING
    return (
        found.name,
        "(not set)" if found.value is None else found.value or "(blank)",
        badge(found.standing.value, TONES.get(found.standing, "plain")),
        alias,
        f"{found.serves} by {found.source}" if found.serves else NOTHING,
        _shadows(found, links),
    )


def _shadows(found: VariableFacts, links: References) -> SafeString | str:
    parts = list(_parts(found, links))
    return format_html_join("; ", "{}", ((part,) for part in parts)) if parts else NOTHING


def _parts(found: VariableFacts, links: References) -> Iterator[SafeString]:
    if found.global_ref:
        yield format_html("{} for all projects", links.link(found.global_ref))
    if found.projects:
        shown = found.projects[:MOST_PROJECTS]
        named = format_html_join(", ", "{} ({})", ((project, links.link(ref)) for project, ref in shown))
        more = f" and {len(found.projects) - MOST_PROJECTS} more" if len(found.projects) > MOST_PROJECTS else ""
        yield format_html("{}: {}{}", counted(len(found.projects), "project"), named, more)
