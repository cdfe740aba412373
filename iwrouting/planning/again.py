"""A stored decision, resolved again: as of then, where it must give its own answer (G8), and as of now."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from iwrouting import __version__
from iwrouting.autoroute import RULES_VERSION, infer
from iwrouting.errors import RoutingError
from iwrouting.models import Decision
from iwrouting.models.contents import differences
from iwrouting.resolver import endpoint_for, resolve
from iwrouting.snapshot import SnapshotRefused, builtin_configuration
from iwrouting.snapshot.contents import NoSuchRevision, configuration_at, environment_of
from iwrouting.types import AUTO, Configuration, Endpoint, Inference, KeyFacts, Resolution, Skip, State

LOOKS = "responses."
"""How the endpoints begin at which no model is chosen: a kept response is looked at, or its usage told."""

BREAK_GLASS = "break_glass:"
GLASS = re.compile(r"override:[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Again:
    """What resolving a decision again gives.

    `differences` are `{field: [as stored, again]}`. `refusal`: why there is no resolution. `notes` are sentences about
    what was not as it is on the row, and so may be why the two differ.
    """

    resolution: Resolution | None = None
    refusal: str = ""
    differences: Mapping[str, list[Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def is_same(self) -> bool:
        """Whether the answer is the one that is stored."""
        return self.resolution is not None and not self.differences


def again(decision: Decision, config: Configuration, *, now: datetime | None = None) -> Resolution:
    """The resolver's answer to what a decision was asked, under a configuration; pure.

    `now` None: at the decision's own time, with the rules of `auto` that it records. A mode is inferred from the stored
    features; overrides that the row says were switched off by break-glass count as disabled. Raises RoutingError.
    """
    config = _glass_broken(decision, config) if now is None else config
    asked = decision.model_asked
    known = decision.endpoint in {each.value for each in Endpoint}
    return resolve(
        config,
        asked,
        project=_project(decision, config),
        now=decision.decision_at if now is None else now,
        inference=_inference(decision, anew=now is not None or decision.rules_version == RULES_VERSION),
        endpoint=decision.endpoint if known else endpoint_for(config, asked),
        key=_key(decision, config),
    )


def again_then(decision: Decision) -> Again:
    """Under what the row records: revision, environment, key, project, features and time (design.md 3, G8)."""
    if why := never_resolved(decision):
        return Again(refusal=why)
    try:
        config = configuration_then(decision)
    except (NoSuchRevision, SnapshotRefused) as error:
        return Again(refusal=str(error))
    found, refusal = _tried(decision, config, None)
    notes = tuple(_notes_then(decision, config))
    if not decision.source:
        told = () if found is None else ("The request was refused for something else: its outcome has the code.",)
        return Again(found, refusal, notes=(*notes, *told))
    return Again(found, refusal, _compared(decision, found), notes)


def again_now(decision: Decision, config: Configuration, now: datetime) -> Again:
    """Under a configuration of now: what the same request would get today."""
    if why := never_resolved(decision):
        return Again(refusal=why)
    found, refusal = _tried(decision, config, now)
    return Again(found, refusal, _compared(decision, found), tuple(_notes_now(decision, config, now)))


def never_resolved(decision: Decision) -> str:
    """Why there is nothing to resolve again; empty for every request that asked for a model."""
    if decision.endpoint.startswith(LOOKS):
        return "No model was chosen: this was about a response that a provider keeps, and went to who keeps it."
    if not decision.model_asked:
        return "Nothing was resolved: the request named no model."
    return ""


def configuration_then(decision: Decision) -> Configuration:
    """The configuration under which a decision was made. Raises NoSuchRevision or SnapshotRefused.

    Where its ladder was `unreadable` that is the built-in one. The name of the environment's upstream, which is no
    routing variable, is taken from the row.
    """
    environment = environment_of(decision.environment_id)
    built_in = builtin_configuration()
    if any(step.get("state") == State.UNREADABLE for step in _list(decision.ladder)):
        config = replace(built_in, environment=environment)
    else:
        config = configuration_at(decision.revision, environment)
    config = replace(config, keys={**built_in.keys, **config.keys})
    name = _upstream_then(decision, config)
    if name == config.default_upstream:
        return config
    upstream = config.upstreams[config.default_upstream]
    return replace(config, default_upstream=name, upstreams={**config.upstreams, name: replace(upstream, slug=name)})


def stored_answer(decision: Decision) -> dict[str, Any]:
    """The answer on the row, as `answer_of` gives it. That a rung's window was too small came from the request."""
    chain = [
        {**rung, "skip": None if rung.get("skip") == Skip.WINDOW else rung.get("skip")} for rung in _chain(decision)
    ]
    return {
        "alias": decision.alias,
        "kind": decision.kind,
        "inferred_mode": decision.inferred_mode,
        "reason": decision.reason,
        "model": decision.model_resolved,
        "upstream": decision.upstream,
        "source": decision.source,
        "ladder": _list(decision.ladder),
        "chain": chain,
    }


def answer_of(resolution: Resolution) -> dict[str, Any]:
    """What of a resolution a decision stores, as plain values."""
    inference = resolution.inference
    found = {
        "alias": resolution.alias or "",
        "kind": resolution.kind or "",
        "inferred_mode": inference.mode if inference else "",
        "reason": inference.reason if inference else "",
        "model": resolution.model,
        "upstream": resolution.upstream,
        "source": resolution.source,
        "ladder": [step.as_dict() for step in resolution.ladder],
        "chain": [rung.as_dict() for rung in resolution.chain],
    }
    plain: dict[str, Any] = json.loads(json.dumps(found))
    return plain


def _tried(decision: Decision, config: Configuration, now: datetime | None) -> tuple[Resolution | None, str]:
    try:
        return again(decision, config, now=now), ""
    except RoutingError as error:
        return None, error.message


def _compared(decision: Decision, found: Resolution | None) -> dict[str, list[Any]]:
    return {} if found is None else differences(stored_answer(decision), answer_of(found))


def _project(decision: Decision, config: Configuration) -> str | None:
    """The slug; None where the caller's text named no project."""
    name = decision.project
    return name if name in config.projects else config.projects_by_external_id.get(name)


def _key(decision: Decision, config: Configuration) -> KeyFacts | None:
    return next((key for key in config.keys.values() if key.key_id == decision.key_id), None)


def _inference(decision: Decision, *, anew: bool) -> Inference | None:
    features = _features(decision)
    if not features:
        return None
    return infer(features) if anew else Inference(decision.inferred_mode, decision.reason, features)


def _features(decision: Decision) -> dict[str, int]:
    found = _json(decision.features)
    return found if isinstance(found, dict) else {}


def _glass_broken(decision: Decision, config: Configuration) -> Configuration:
    off = broken_glass(decision)
    overrides = {
        place: replace(each, enabled=False) if each.ref in off else each for place, each in config.overrides.items()
    }
    return replace(config, overrides=overrides) if off else config


def broken_glass(decision: Decision) -> frozenset[str]:
    """The overrides that break-glass had switched off for this decision, as `override:12`."""
    told = _json(decision.warnings)
    texts = [text for text in told if isinstance(text, str)] if isinstance(told, list) else []
    return frozenset(ref for text in texts if text.startswith(BREAK_GLASS) for ref in GLASS.findall(text))


def _upstream_then(decision: Decision, config: Configuration) -> str:
    """What the environment's upstream was called: the one on the row that the database did not know."""
    named = [decision.upstream, *(str(rung.get("upstream") or "") for rung in _chain(decision))]
    others = {name for name in named if name and name not in config.upstreams}
    return others.pop() if len(others) == 1 else config.default_upstream


def _notes_then(decision: Decision, config: Configuration) -> Iterator[str]:
    if decision.rules_version != RULES_VERSION and _features(decision):
        yield f"The rules of auto were {decision.rules_version} then, {RULES_VERSION} now: its mode is as stored."
    if decision.app_version != __version__:
        yield f"The service was {decision.app_version} then and is {__version__} now."
    if not config.database and decision.catalogue_version != config.catalogue_version:
        yield f"The built-in matrix was {decision.catalogue_version} then and is {config.catalogue_version} now."
    for ref in sorted(broken_glass(decision)):
        yield f"Break-glass had switched off {ref} on that host: it counts as disabled here."
    if _key(decision, config) is None:
        yield f"The key iw_{decision.key_id} is not of that revision: its grants are left out."


def _notes_now(decision: Decision, config: Configuration, now: datetime) -> Iterator[str]:
    key = _key(decision, config)
    if key is None:
        yield f"There is no key iw_{decision.key_id} any more: its grants are left out."
    elif (key.revoked_at is not None and key.revoked_at <= now) or (
        key.expires_at is not None and key.expires_at <= now
    ):
        yield f"The key iw_{decision.key_id} is not valid any more: a call with it is refused."
    if decision.project and _project(decision, config) is None:
        yield f"There is no project {decision.project}: the global rungs are taken."
    if decision.alias == AUTO and not _features(decision):
        yield "No features of its messages were stored, so that auto is its own model here."


def _chain(decision: Decision) -> list[Mapping[str, Any]]:
    return _list(decision.chain)


def _list(text: str) -> list[Mapping[str, Any]]:
    found = _json(text)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
