"""The configuration as it was, or will be: every alias with its model and source, and all overrides."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html

from iwrouting.admin.decision_page import Table
from iwrouting.admin.differences import history_of
from iwrouting.admin.moments import AS_OF, AT, ENVIRONMENT, BadMoment, Looked, environments, look
from iwrouting.admin.require import MAY_SEE_CHANGES, require
from iwrouting.admin.show import NOTHING, badge, link, moment, value_badge
from iwrouting.errors import RoutingError
from iwrouting.resolver import endpoint_for, resolve
from iwrouting.resolver.ladder import override_state
from iwrouting.types import AliasFacts, OverrideFacts

Row = tuple[Any, ...]
ALIASES = ("Alias", "Kind", "Model", "Source", "Chain")
EMPTY = "No aliases: the configuration was never filled."
OVERRIDES = ("Override", "Alias", "Project", "Model", "State", "Starts (UTC)", "Expires (UTC)")


def as_of_page(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """The page; `as_of`, `at`, `environment_id` and `project` stand in the address."""
    require(request, MAY_SEE_CHANGES)
    context: dict[str, Any] = {
        **site.each_context(request),
        "title": "Config as of",
        "asked": request.GET,
        "environments": environments(),
    }
    try:
        context |= _parts(request, look(request.GET.dict()), request.GET.get("project", ""))
    except BadMoment as error:
        context["fault"] = str(error)
    return TemplateResponse(request, "admin/iwrouting/config/as_of.html", context)


def _parts(request: HttpRequest, looked: Looked, project: str) -> dict[str, Any]:
    config = looked.config
    if project and project not in config.projects:
        raise BadMoment(f"There is no project {project[:64]!r} at revision {config.revision}.")
    aliases = sorted(config.aliases.values(), key=lambda each: (each.kind, each.name))
    overrides = sorted(config.overrides.values(), key=lambda each: (each.alias, each.project or ""))
    return {
        "told": looked.told,
        "revision": config.revision,
        "projects": sorted(config.projects),
        "tables": [
            Table("Effective models", ALIASES, [_alias(request, looked, each, project) for each in aliases], EMPTY),
            Table("Overrides", OVERRIDES, [_override(request, looked, each) for each in overrides], "No overrides."),
        ],
    }


def _alias(request: HttpRequest, looked: Looked, alias: AliasFacts, project: str) -> Row:
    config = looked.config
    why = {name: request.GET.get(name, "") for name in (AS_OF, AT, ENVIRONMENT)}
    query = urlencode({"alias": alias.name, "project": project, **{name: text for name, text in why.items() if text}})
    name = link(f"{reverse('admin:resolve')}?{query}", alias.name)
    try:
        endpoint = endpoint_for(config, alias.name)
        found = resolve(config, alias.name, project=project or None, now=looked.at, endpoint=endpoint)
    except RoutingError as error:
        return name, alias.kind, badge(error.message, "bad"), NOTHING, NOTHING
    chain = " → ".join(f"{rung.model}{f' ({rung.skip})' if rung.skip else ''}" for rung in found.chain)
    model = format_html('<span class="iw-model">{}</span>', found.model)
    return name, alias.kind, model, value_badge(found.source), chain


def _override(request: HttpRequest, looked: Looked, override: OverrideFacts) -> Row:
    number = int(override.ref.removeprefix("override:"))
    return (
        link(history_of(request.user, "override", number), override.ref),
        override.alias,
        override.project or badge("all projects", "info"),
        override.model,
        value_badge(override_state(override, looked.at)),
        moment(override.starts_at),
        moment(override.expires_at),
    )
