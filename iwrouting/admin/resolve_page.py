"""Why this model? The resolver's answer with its ladder and chain, now or then. Nothing is sent, nothing recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse

from iwrouting.admin.change_filters import is_number
from iwrouting.admin.decision_page import chain_table, ladder_table
from iwrouting.admin.moments import AS_OF, AT, ENVIRONMENT, BadMoment, Looked, environments, look
from iwrouting.admin.references import References
from iwrouting.admin.require import MAY_SEE_CHANGES, require
from iwrouting.admin.resolve_links import ways
from iwrouting.autoroute import check_features, infer, measure
from iwrouting.errors import RoutingError, UnknownModel
from iwrouting.models import Alias, Project
from iwrouting.resolver import endpoint_for, resolve
from iwrouting.resolver.names import find_alias, nearest
from iwrouting.types import AUTO, Configuration, Inference, Resolution

MAY_RESOLVE = "iwrouting.view_alias"
MAY_OVERRIDE = "iwrouting.add_override"
IN_ADDRESS = ("alias", "project", "features", AS_OF, AT, ENVIRONMENT)
LONGEST_TEXT = 100_000
"""Characters of a sample text that are measured."""


@dataclass(frozen=True)
class Ask:
    """What an address asks for."""

    alias: str
    project: str
    features: Mapping[str, int]
    moment: Mapping[str, str]

    @classmethod
    def read(cls, params: Mapping[str, str]) -> Ask:
        """Raises ValueError that names the field."""
        given = {name: params.get(name, "").strip() for name in (AS_OF, AT, ENVIRONMENT)}
        moment = {name: text for name, text in given.items() if text}
        features = read_features(params.get("features", ""))
        return cls(params.get("alias", "").strip(), params.get("project", "").strip(), features, moment)


def read_features(text: str) -> Mapping[str, int]:
    """Measured features as they stand in an address: `words:12,lines:1`. Raises ValueError."""
    pairs = [pair.strip().partition(":") for pair in text.split(",") if pair.strip()]
    if bad := next((name for name, _, number in pairs if not is_number(number)), None):
        raise ValueError(f"features: {bad[:40]!r} has no number; write them as words:12,lines:1")
    try:
        return check_features({name: int(number) for name, _, number in pairs})
    except ValueError as error:
        raise ValueError(f"features: {error}") from None


def resolve_page(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """The form and, once an alias is named, the answer. A sample text is measured and forgotten: the address that
    follows holds its numbers alone (design.md 3, G6)."""
    require(request, MAY_RESOLVE)
    if request.method == "POST":
        return HttpResponseRedirect(f"{reverse('admin:resolve')}?{_address(request.POST)}")
    context: dict[str, Any] = {
        **site.each_context(request),
        "title": "Resolve",
        "asked": request.GET,
        "environments": environments(),
        "aliases": Alias.objects.order_by("name").values_list("name", flat=True),
        "projects": Project.objects.values_list("slug", flat=True)[:200],
    }
    try:
        ask = Ask.read(request.GET.dict())
        if ask.moment:
            require(request, MAY_SEE_CHANGES)
        if ask.alias:
            context |= _answer(request, ask, look(ask.moment))
    except ValueError as error:
        context["fault"] = str(error)
    return TemplateResponse(request, "admin/iwrouting/config/resolve.html", context)


def _address(posted: QueryDict) -> str:
    found = {name: posted.get(name, "").strip() for name in IN_ADDRESS}
    if text := posted.get("text", "").strip():
        features = measure([{"role": "user", "content": text[:LONGEST_TEXT]}])
        found["features"] = ",".join(f"{name}:{number}" for name, number in features.items() if number)
    return urlencode({name: text for name, text in found.items() if text})


def _answer(request: HttpRequest, ask: Ask, looked: Looked) -> dict[str, Any]:
    """Raises BadMoment for what has no answer, in words that say what to do."""
    config = looked.config
    project = ask.project if ask.project in config.projects else config.projects_by_external_id.get(ask.project)
    if ask.project and project is None:
        near = nearest(ask.project, config.projects)
        raise BadMoment(_unknown("project", ask.project, near, looked))
    found = _resolved(config, ask, project, looked)
    refs = [f'"{step.ref}"' for step in found.ladder]
    links = References(request.user, refs, config.environment.id)
    return {
        "told": looked.told,
        "sentence": _sentence(found, ask.project),
        "tables": [
            ladder_table([step.as_dict() for step in found.ladder], links.link),
            chain_table([rung.as_dict() for rung in found.chain]),
        ],
        "warnings": found.warnings,
        "inference": _inferred(found, ask),
        "ways": ways(request, ask.alias, project, ask.features, ask.moment),
        "override": _override(request, config, found, project),
    }


def _resolved(config: Configuration, ask: Ask, project: str | None, looked: Looked) -> Resolution:
    inference: Inference | None = infer(ask.features) if ask.features else None
    endpoint = endpoint_for(config, ask.alias)
    try:
        return resolve(config, ask.alias, project=project, now=looked.at, inference=inference, endpoint=endpoint)
    except UnknownModel:
        names = [*config.aliases, *config.models]
        near = nearest(ask.alias.rpartition(":")[2], config.aliases) or nearest(ask.alias, names)
        raise BadMoment(_unknown("alias", ask.alias, near, looked)) from None
    except RoutingError as error:
        raise BadMoment(error.message) from None


def _unknown(kind: str, name: str, near: str, looked: Looked) -> str:
    when = "" if looked.is_now else f" at revision {looked.config.revision}"
    return f"No {kind} {name[:80]!r}{when}.{f' Did you mean {near!r}?' if near else ''}"


def _sentence(found: Resolution, project: str) -> str:
    mode = f" stands for {found.inference.mode} and" if found.inference else ""
    return f"{found.asked}{mode} is served by {found.model} ({found.source}) for {project or 'callers of no project'}."


def _inferred(found: Resolution, ask: Ask) -> str:
    """What became of the sample text."""
    if found.inference:
        return f"{found.inference.mode}: {found.inference.reason}."
    if ask.features:
        return "The text counts for auto alone, and while inference is on: nothing was inferred."
    return "No sample text: auto is its own model." if found.alias == AUTO else ""


def _override(request: HttpRequest, config: Configuration, found: Resolution, project: str | None) -> str:
    """The address of the form that overrides this, for who may."""
    alias = find_alias(config, found.asked)
    stored = Alias.objects.filter(name=alias.name).first() if alias is not None else None
    if stored is None or not request.user.has_perm(MAY_OVERRIDE):
        return ""
    owner = Project.objects.filter(slug=project).first() if project else None
    values = {"alias": stored.pk, "model": found.model, **({"project": owner.pk} if owner else {})}
    return f"{reverse('admin:iwrouting_override_add')}?{urlencode(values)}"
