"""Resolving without a call: `POST /api/v1/resolve` records, `GET` never does, and nobody records the past."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from iwrouting.audit import DECISION, OUTCOME
from iwrouting.autoroute import check_features, infer, measure
from iwrouting.calls.account import refuse
from iwrouting.calls.answers import decision_headers
from iwrouting.calls.caller import Caller, is_client_report, require
from iwrouting.calls.counting import count_ended
from iwrouting.calls.deciding import AUTO_NAMES, ask_resolver, guard_loop
from iwrouting.calls.draft import Draft, Ending
from iwrouting.calls.past import PastAsk, may_ask_past
from iwrouting.calls.requests import read_messages
from iwrouting.calls.service import Service
from iwrouting.errors import BadRequest, RoutingError
from iwrouting.resolver import endpoint_for
from iwrouting.snapshot.moments import Moment, moment_text
from iwrouting.types import Configuration, Inference, Resolution, Result, Scope

ENDPOINT = "resolve"
TTL_S = 30
MAX_ALIASES = 64


@dataclass(frozen=True, slots=True)
class ResolveAsk:
    """What is to be resolved. `several`: the answer is a list even for one alias."""

    aliases: tuple[str, ...]
    several: bool = False
    messages: Sequence[Mapping[str, Any]] = ()
    features: Mapping[str, int] | None = None
    dry_run: bool = False
    past: PastAsk | None = None

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> ResolveAsk:
        """Check a resolve body. Raises BadRequest that names the field."""
        known = {"alias", "aliases", "project", "messages", "features", "dry_run", "as_of", "environment_id"}
        if unknown := sorted(set(body) - known):
            raise BadRequest(f"{unknown[0]}: unknown field; known are {', '.join(sorted(known))}.", param=unknown[0])
        dry_run = body.get("dry_run", False)
        if not isinstance(dry_run, bool):
            raise BadRequest("dry_run: must be true or false.", param="dry_run")
        past = PastAsk.read(body)
        if past is not None and not dry_run:
            text = 'as_of: an answer about the past is not recorded; say that you know: send "dry_run": true with it.'
            raise BadRequest(text, param="as_of")
        return cls(
            aliases=_aliases(body),
            several="aliases" in body,
            messages=() if body.get("messages") in (None, []) else read_messages(body),
            features=_features(body),
            dry_run=dry_run,
            past=past,
        )


@dataclass(frozen=True, slots=True)
class Resolved:
    """An answer, and the headers that tell the same of one decision (ux.md 3)."""

    body: dict[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, draft: Draft, resolution: Resolution, at: Moment | None, *, recorded: bool) -> Resolved:
        """The answer of one resolution; nothing names a decision that is not in the audit."""
        headers = decision_headers(draft)
        if not recorded:
            del headers["x-iw-decision-id"]
        body = as_dict(draft, resolution, draft.id if recorded else None)
        if at is not None:
            body |= {"as_of": {"revision": at.revision, "at": moment_text(at.at)}, "ttl_s": TTL_S}
        return cls(body, headers)


def _aliases(body: Mapping[str, Any]) -> tuple[str, ...]:
    if ("alias" in body) == ("aliases" in body):
        raise BadRequest("alias: give either alias or aliases.", param="alias")
    if "alias" in body:
        names: Any = [body["alias"]]
    else:
        names = body["aliases"]
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        raise BadRequest("aliases: give names such as manager, or model ids.", param="aliases")
    if len(names) > MAX_ALIASES:
        raise BadRequest(f"aliases: at most {MAX_ALIASES} in one request, got {len(names)}.", param="aliases")
    return tuple(names)


def _features(body: Mapping[str, Any]) -> Mapping[str, int] | None:
    if body.get("features") is None:
        return None
    if body.get("messages"):
        raise BadRequest("features: give either messages or features.", param="features")
    try:
        return check_features(body["features"])
    except ValueError as error:
        raise BadRequest(f"features: {error}", param="features") from None


async def resolve_recorded(service: Service, caller: Caller, ask: ResolveAsk, size: int) -> Resolved:
    """Resolve all, then record all in one commit as decisions `resolved`, unless it is a dry run.

    A name that can't be resolved is recorded as `refused`, and then it alone. Raises RoutingError.
    """
    require(caller.key, Scope.RESOLVE)
    config, at = await _asked_for(service, caller, ask.past)
    drafts = [Draft(caller, ENDPOINT, config, size, asked=name) for name in ask.aliases]
    resolutions = [await _resolve_or_refuse(service, draft, ask, at) for draft in drafts]
    if not ask.dry_run:
        await _record(service, drafts)
    answers = [
        Resolved.of(draft, resolution, at, recorded=not ask.dry_run)
        for draft, resolution in zip(drafts, resolutions, strict=True)
    ]
    return Resolved({"resolutions": [answer.body for answer in answers]}) if ask.several else answers[0]


async def _asked_for(service: Service, caller: Caller, past: PastAsk | None) -> tuple[Configuration, Moment | None]:
    """The configuration that serves, or that of a past moment. Raises RoutingError."""
    if past is None:
        return service.config, None
    may_ask_past(caller.key)
    return await service.past.find(past)


async def _resolve_or_refuse(service: Service, draft: Draft, ask: ResolveAsk, at: Moment | None) -> Resolution:
    try:
        guard_loop(draft)
        draft.resolution = resolution = _resolve(draft, ask, at)
    except RoutingError as error:
        if not ask.dry_run:
            error.extra_headers = decision_headers(draft)
            await refuse(service, draft, error)
        raise
    return resolution


async def _record(service: Service, drafts: Sequence[Draft]) -> None:
    ending = Ending(Result.RESOLVED, 200)
    rows = [(DECISION, draft.decision_row()) for draft in drafts]
    rows += [(OUTCOME, draft.outcome_row(ending)) for draft in drafts]
    future = service.writer.submit(rows)
    for draft in drafts:
        count_ended(service.meters, draft, (), ending)
    # Shielded: a caller that leaves now must not take the rows out of their batch.
    await asyncio.shield(future)


async def peek(service: Service, caller: Caller, alias: str, past: PastAsk | None = None) -> Resolved:
    """Resolve without recording. Raises RoutingError."""
    require(caller.key, Scope.RESOLVE)
    # A client's report of its own answers is no property of this one: it would change the ETag.
    caller = replace(caller, warnings=tuple(text for text in caller.warnings if not is_client_report(text)))
    config, at = await _asked_for(service, caller, past)
    draft = Draft(caller, ENDPOINT, config, 0, asked=alias)
    resolution = _resolve(draft, ResolveAsk((alias,)), at)
    draft.resolution = resolution
    return Resolved.of(draft, resolution, at, recorded=False)


def _resolve(draft: Draft, ask: ResolveAsk, at: Moment | None) -> Resolution:
    endpoint = endpoint_for(draft.config, draft.asked)
    return ask_resolver(draft, draft.asked, _inference(draft.asked, ask), endpoint, at.at if at else None)


def _inference(name: str, ask: ResolveAsk) -> Inference | None:
    if name not in AUTO_NAMES:
        return None
    if ask.features is not None:
        return infer(ask.features)
    return infer(measure(ask.messages)) if ask.messages else None


def as_dict(draft: Draft, resolution: Resolution, decision_id: str | None) -> dict[str, Any]:
    """The REST answer of one resolution."""
    inference = resolution.inference
    return {
        "decision_id": decision_id,
        "alias": resolution.alias,
        "kind": resolution.kind,
        "inferred_mode": inference.mode if inference else None,
        "reason": inference.reason if inference else None,
        "features": inference.features if inference else None,
        "model": resolution.model,
        "upstream": resolution.upstream,
        "source": resolution.source,
        "ladder": [step.as_dict() for step in resolution.ladder],
        "chain": [rung.as_dict() for rung in resolution.chain],
        "warnings": list(draft.all_warnings),
        "revision": resolution.revision,
        "environment_id": resolution.environment_id,
        "ttl_s": ttl_s(draft, datetime.now(UTC)),
    }


def ttl_s(draft: Draft, now: datetime) -> int:
    """For how many seconds the answer may be kept: less where an override starts or expires before that."""
    moments = (
        moment
        for override in draft.config.overrides.values()
        if override.enabled and override.project in (None, draft.caller.project)
        for moment in (override.starts_at, override.expires_at)
        if moment is not None and moment > now
    )
    return int(min([TTL_S, *((moment - now).total_seconds() for moment in moments)]))


def with_project(headers: Mapping[str, str], project: object) -> Mapping[str, str]:
    """The headers, with the project of a body or query in the place of `x-iw-project`. Raises BadRequest."""
    if project is None or project == "":
        return headers
    if not isinstance(project, str):
        raise BadRequest("project: must be a slug or an external id.", param="project")
    return {**headers, "x-iw-project": project}
