"""The lean routes in the OpenAPI document. They are described from outside, so that the views stay lean."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiViewExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view

from iwrouting.api.authentication import KeyAuthentication
from iwrouting.api.management.examples import CHAIN, LADDER
from iwrouting.api.schema import openai
from iwrouting.api.schema.parts import (
    CONTEXT,
    DECIDED,
    EARLY,
    HEALTH,
    OPENAI,
    PROJECT,
    REQUEST_ID,
    RESOLVING,
    SERVED,
    answered,
    failures,
    returned,
    sent,
)

CALL_FAILURES = failures(400, 401, 403, 404, 413, 502, 503, 504, 508)
RESOLUTION: dict[str, Any] = {
    "decision_id": "019aad1e-4c7b-7000-8a3b-5f0c9d2e7b11",
    "alias": "fast",
    "kind": "chat_mode",
    "inferred_mode": None,
    "reason": None,
    "features": None,
    "model": "gpt-4.1-mini",
    "upstream": "environment",
    "source": "default",
    "ladder": LADDER,
    "chain": CHAIN,
    "warnings": [],
    "revision": 41,
    "environment_id": "9f0c2b7d6a5e4f31",
    "ttl_s": 30,
}
COMPLETION: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1795291200,
    "model": "gpt-4.1-mini",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12},
}
VECTORS: dict[str, Any] = {
    "object": "list",
    "model": "text-embedding-3-small",
    "data": [
        {"object": "embedding", "index": 0, "embedding": [0.1, -0.2]},
        {"object": "embedding", "index": 1, "embedding": [0.3, 0.4]},
    ],
    "usage": {"prompt_tokens": 4, "total_tokens": 4},
}
READINESS: dict[str, Any] = {
    "status": "ready",
    "faults": [],
    "version": "0.1.0",
    "revision": 41,
    "environment_id": "9f0c2b7d6a5e4f31",
    "catalogue_version": "2026-11-22",
    "upstream": "environment",
    "snapshot": {
        "source": "database",
        "age_s": 0.2,
        "fault": "",
        "disk_fault": "",
        "break_glass": [],
        "break_glass_fault": "",
    },
    "audit": {
        "mode": "database",
        "fault": "",
        "journal_fault": "",
        "last_commit_at": "2026-11-22T20:00:00.123Z",
        "journaled_rows": 0,
        "quarantined_rows": 0,
        "dropped_rows": 0,
        "last_commit_age_s": 1.2,
        "queued": 0,
        "not_durable": "",
        "journal_bytes": 0,
        "last_seq": 1234,
        "strict": False,
    },
    "breakers": [],
    "warnings": [],
}
ALIAS_ENTRY = {
    "id": "fast",
    "object": "model",
    "created": 0,
    "owned_by": "iwrouting",
    "routing": {
        "kind": "chat_mode",
        "model": "gpt-4.1-mini",
        "source": "default",
        "chain": CHAIN,
        "purpose": "Short answers at low cost",
        "warnings": [],
    },
}


def document(view: str, **operations: Any) -> None:
    """Describe the methods of a lean view, named by its dotted path."""

    def view_replacement(self: OpenApiViewExtension) -> Any:
        target: Any = self.target_class
        keys = (KeyAuthentication,) if target.authentication_classes else ()
        return extend_schema_view(**operations)(type(target.__name__, (target,), {"authentication_classes": keys}))

    type("Document", (OpenApiViewExtension,), {"target_class": view, "view_replacement": view_replacement})


def asked(body: dict[str, Any]) -> list[OpenApiExample]:
    """A request's example."""
    return [OpenApiExample("Example", body, request_only=True)]


document(
    "iwrouting.api.v1.ChatCompletions",
    post=extend_schema(
        operation_id="create_chat_completion",
        summary="Make a chat completion",
        description="OpenAI's route. The decision is stored before the provider is called; the chain takes over when a "
        "model fails. With `stream` the answer comes as server-sent events; only a stream that the provider ended as "
        "whole ends with `[DONE]`. Scope `call`.",
        tags=[OPENAI],
        parameters=[*CONTEXT, *DECIDED, *SERVED, EARLY],
        request=openai.ChatCompletionRequest,
        examples=asked({"model": "auto", "messages": [{"role": "user", "content": "Say hello."}]}),
        responses={
            (200, "application/json"): answered(openai.ChatCompletionSerializer, COMPLETION),
            (200, "text/event-stream"): OpenApiTypes.STR,
            **CALL_FAILURES,
        },
    ),
)
document(
    "iwrouting.api.v1.Embeddings",
    post=extend_schema(
        operation_id="create_embeddings",
        summary="Make embeddings",
        description="OpenAI's route. Inputs over the batch limits are cut, sent side by side and joined in order, all "
        "or nothing. Scope `call`.",
        tags=[OPENAI],
        parameters=[*CONTEXT, *DECIDED, *SERVED],
        request=openai.EmbeddingsRequest,
        examples=asked({"model": "embedding", "input": ["first text", "second text"]}),
        responses={200: answered(openai.EmbeddingsSerializer, VECTORS), **CALL_FAILURES},
    ),
)
document(
    "iwrouting.api.v1.Models",
    get=extend_schema(
        operation_id="list_models",
        summary="List aliases and models",
        description="What the key may name, aliases first. Nothing is recorded. Any key.",
        tags=[OPENAI],
        parameters=[PROJECT, *REQUEST_ID],
        responses={
            200: answered(openai.ModelList, {"object": "list", "data": [ALIAS_ENTRY]}),
            **failures(401, 403),
        },
    ),
)
document(
    "iwrouting.api.v1.Model",
    get=extend_schema(
        operation_id="read_model",
        summary="Read an alias or a model",
        description="One entry of the list. Any key.",
        tags=[OPENAI],
        parameters=[
            OpenApiParameter("name", str, "path", description="An alias, or a model id, which may hold slashes."),
            PROJECT,
            *REQUEST_ID,
        ],
        responses={200: answered(openai.ModelEntrySerializer, ALIAS_ENTRY), **failures(401, 403, 404)},
    ),
)
document(
    "iwrouting.api.resolve.Resolve",
    post=extend_schema(
        operation_id="resolve",
        summary="Resolve and record",
        description="Which model would serve, and why, without a call. Each alias becomes a decision `resolved` in the "
        "audit, unless `dry_run`. Scope `resolve`; with `as_of` also `read_audit` or `manage`.",
        tags=[RESOLVING],
        parameters=[*CONTEXT, *DECIDED],
        request=openai.ResolveRequest,
        examples=asked({"alias": "fast", "project": "atlas"}),
        responses={200: answered(openai.RESOLVED, RESOLUTION), **failures(400, 401, 403, 404, 409, 413, 503, 508)},
    ),
    get=extend_schema(
        operation_id="peek",
        summary="Resolve without recording",
        description="The same for one alias. Nothing is recorded; a known ETag is answered 304. Scope `resolve`; with "
        "`as_of` also `read_audit` or `manage`.",
        tags=[RESOLVING],
        parameters=[
            OpenApiParameter("alias", str, required=True, description=openai.MODEL),
            OpenApiParameter("project", str, description="Slug or external id; wins over x-iw-project."),
            OpenApiParameter("as_of", str, description=openai.AS_OF),
            OpenApiParameter("environment_id", str, description=openai.ENVIRONMENT),
            PROJECT,
            sent("if-none-match", "An ETag that you have."),
            returned("etag", "Changes when the answer does.", 200, 304),
            *REQUEST_ID,
            *DECIDED[1:],
        ],
        responses={
            200: answered(openai.ResolutionSerializer, {**RESOLUTION, "decision_id": None}),
            304: OpenApiResponse(description="As you have it."),
            **failures(400, 401, 403, 404, 409, 503),
        },
    ),
)
document(
    "iwrouting.api.health.Healthz",
    get=extend_schema(
        operation_id="healthz",
        summary="Is it alive?",
        description="Touches nothing. Public.",
        tags=[HEALTH],
        parameters=REQUEST_ID,
        responses={200: answered(openai.HealthSerializer, {"status": "ok"})},
    ),
)
document(
    "iwrouting.api.health.Readyz",
    get=extend_schema(
        operation_id="readyz",
        summary="Can it serve calls?",
        description="Public; tells no secret, address or project.",
        tags=[HEALTH],
        parameters=REQUEST_ID,
        responses={
            200: answered(openai.ReadinessSerializer, READINESS),
            503: OpenApiResponse(openai.ReadinessSerializer, "No: `faults` says why."),
        },
    ),
)
