"""The routes of responses in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema

from iwrouting.api.schema import openai
from iwrouting.api.schema.lean import CALL_FAILURES, asked, document
from iwrouting.api.schema.parts import CONTEXT, DECIDED, EARLY, OPENAI, SERVED, answered

RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1795291200,
    "status": "completed",
    "model": "gpt-4.1-mini",
    "output": [
        {
            "id": "msg_1",
            "type": "message",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Hello.", "annotations": []}],
        }
    ],
    "usage": {"input_tokens": 10, "output_tokens": 2, "total_tokens": 12},
}

document(
    "iwrouting.api.v1.Responses",
    post=extend_schema(
        operation_id="create_response",
        summary="Make a response",
        description="OpenAI's route. As with a chat completion the decision is stored first and the chain takes over "
        "when a model fails; a model that only chat serves is asked there. A stream ends with its terminal event only "
        "if the provider ended it as whole, else with an error event. Scope `call`.",
        tags=[OPENAI],
        parameters=[*CONTEXT, *DECIDED, *SERVED, EARLY],
        request=openai.ResponsesRequest,
        examples=asked({"model": "auto", "input": "Say hello."}),
        responses={
            (200, "application/json"): answered(openai.ResponseSerializer, RESPONSE),
            (200, "text/event-stream"): OpenApiTypes.STR,
            **CALL_FAILURES,
        },
    ),
)
