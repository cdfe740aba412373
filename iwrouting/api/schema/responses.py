"""The routes of responses in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from iwrouting.api.schema import openai
from iwrouting.api.schema.lean import CALL_FAILURES, asked, document
from iwrouting.api.schema.parts import CONTEXT, DECIDED, EARLY, OPENAI, SERVED, answered, failures

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

RESPONSE_ID = OpenApiParameter("response_id", str, "path", description="The id of a response that the provider keeps.")
FETCH_FAILURES = failures(400, 401, 403, 404, 502, 503, 504, 508)

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


def about_one(operation: str, summary: str, description: str, answer: OpenApiResponse, *more: OpenApiParameter) -> Any:
    """An operation about one response that a provider keeps."""
    return extend_schema(
        operation_id=operation,
        summary=summary,
        description=f"{description} Sent to the upstream that holds the response; one of another project, or that the "
        "key may not use, does not exist. Scope `call`.",
        tags=[OPENAI],
        parameters=[RESPONSE_ID, *more, *CONTEXT, *DECIDED, *SERVED],
        request=None,
        responses={200: answer, **FETCH_FAILURES},
    )


document(
    "iwrouting.api.v1.Response",
    get=about_one(
        "read_response",
        "Read a response",
        "OpenAI's route: as it is now; with `stream=true` its events. The first look at the end of one made in "
        "the background records its usage.",
        answered(openai.ResponseSerializer, RESPONSE),
        OpenApiParameter("stream", bool, description="true: its events, as server-sent events."),
        OpenApiParameter("starting_after", int, description="With stream: only the events after this number."),
    ),
    delete=about_one(
        "delete_response",
        "Delete a response",
        "OpenAI's route: the provider forgets it.",
        answered(openai.DeletedSerializer, {"id": "resp_1", "object": "response", "deleted": True}),
    ),
)
document(
    "iwrouting.api.v1.ResponseCancel",
    post=about_one(
        "cancel_response",
        "Cancel a response",
        "OpenAI's route: ends one that is made in the background.",
        answered(openai.ResponseSerializer, {**RESPONSE, "status": "cancelled", "output": [], "usage": None}),
    ),
)
document(
    "iwrouting.api.v1.ResponseInputItems",
    get=about_one(
        "list_response_input_items",
        "List the input of a response",
        "OpenAI's route; its query parameters pass through.",
        answered(openai.InputItemsSerializer, {"object": "list", "data": [], "has_more": False}),
    ),
)
