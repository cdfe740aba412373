"""From a request to a decision: infer, resolve, and refuse what no rung may serve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from iwrouting.autoroute import infer, measure
from iwrouting.calls.draft import Draft
from iwrouting.conf import Settings
from iwrouting.errors import BadRequest, LoopDetected, Unavailable, UnknownModel
from iwrouting.resolver import resolve
from iwrouting.snapshot import stale_reason
from iwrouting.types import AUTO, Endpoint, Inference, Kind, Resolution, Skip

STALE_RETRY_S = 5
AUTO_NAMES = (AUTO, f"mode:{AUTO}")
PATHS = {
    Endpoint.CHAT: "/v1/chat/completions",
    Endpoint.RESPONSES: "/v1/responses",
    Endpoint.EMBEDDINGS: "/v1/embeddings",
}


def resolve_call(draft: Draft, name: str, messages: Sequence[Mapping[str, Any]] = ()) -> Resolution:
    """Resolve the name that a call asks for, and refuse what can't work. Raises BadRequest or one of its kinds."""
    draft.asked = name
    guard_loop(draft)
    guard_age(draft)
    inference = infer(measure(messages)) if messages and name in AUTO_NAMES else None
    draft.resolution = ask_resolver(draft, name, inference, draft.endpoint)
    check_kind(draft.resolution, draft.endpoint)
    check_candidates(draft.resolution, draft.endpoint)
    return draft.resolution


def ask_resolver(
    draft: Draft, name: str, inference: Inference | None, endpoint: str | None, now: datetime | None = None
) -> Resolution:
    """The resolver's answer under the draft's configuration, for its caller, at the decision's own time (G8).

    `now`: at another time.
    """
    return resolve(
        draft.config,
        name,
        project=draft.caller.project,
        now=now or draft.decision_at,
        inference=inference,
        endpoint=endpoint,
        key=draft.caller.key,
    )


def guard_loop(draft: Draft) -> None:
    """Refuse a request that we sent ourselves (design.md 5, Loops)."""
    if draft.caller.looped:
        raise LoopDetected(
            "This request came from this service itself: an upstream's base URL leads back here. "
            "Set IW_UPSTREAM_BASE_URL to the provider's address."
        )


def guard_age(draft: Draft) -> None:
    """Refuse a call under a configuration that was read from disk and is too old: keys may be revoked by now (G3)."""
    if reason := stale_reason(draft.config, datetime.now(UTC)):
        raise Unavailable(
            f"No call can be served now: {reason}. Resolving goes on; an operator can bring the database back.",
            code="snapshot_too_old",
            retry_after_s=STALE_RETRY_S,
        )


def check_kind(resolution: Resolution, endpoint: str) -> None:
    """Refuse an embedding alias asked for a chat, and the reverse."""
    if resolution.kind is None or (resolution.kind is Kind.EMBEDDING) == (endpoint == Endpoint.EMBEDDINGS):
        return
    other = Endpoint.EMBEDDINGS if resolution.kind is Kind.EMBEDDING else Endpoint.CHAT
    raise BadRequest(
        f"model: '{resolution.alias}' is of kind {resolution.kind.value}: ask for it at {PATHS[other]}.", param="model"
    )


def check_candidates(resolution: Resolution, endpoint: str) -> None:
    """Refuse where no rung may serve: nothing granted, or a named model that lacks this endpoint."""
    skips = {rung.skip for rung in resolution.chain if rung.skip is not Skip.DUPLICATE}
    if skips == {Skip.NOT_ALLOWED}:
        raise UnknownModel(
            f"The model '{resolution.asked[:80]}' does not exist or you do not have access to it. "
            "GET /v1/models lists the names you may use.",
            param="model",
        )
    if resolution.alias is None and resolution.chain[0].skip is Skip.ENDPOINT_UNSUPPORTED:
        raise BadRequest(
            f"model: '{resolution.model}' is not served at {PATHS[Endpoint(endpoint)]}: name another one.",
            param="model",
            code="endpoint_unsupported",
        )


def allowed_s(draft: Draft, resolution: Resolution, conf: Settings) -> tuple[float, bool]:
    """Seconds that a call may take since it arrived, and whether its own header made them fewer (design.md 5).

    The alias's deadline counts, else IW_DEADLINE_S; for `auto` that of the mode which it was taken for.
    """
    inference = resolution.inference
    alias = draft.config.aliases.get(inference.mode if inference else resolution.alias or "")
    seconds = conf.deadline_s if alias is None or alias.deadline_s is None else alias.deadline_s
    asked = draft.caller.deadline_s
    return (seconds, False) if asked is None or asked >= seconds else (asked, True)


def is_strict(draft: Draft) -> bool:
    """Whether the caller's project wants parameters refused instead of adapted."""
    project = draft.config.projects.get(draft.caller.project or "")
    return project is not None and project.strict_parameters
