"""The lean routes, served on the event loop by the lean handler; exactly these (design.md 9.2)."""

from __future__ import annotations

from django.urls import path, re_path

from iwrouting.api.health import Healthz, Readyz
from iwrouting.api.resolve import Resolve
from iwrouting.api.v1 import (
    ChatCompletions,
    Embeddings,
    Model,
    Models,
    NothingHere,
    Response,
    ResponseCancel,
    ResponseInputItems,
    Responses,
)

urlpatterns = [
    path("v1/chat/completions", ChatCompletions.as_view(), name="chat-completions"),
    path("v1/responses", Responses.as_view(), name="responses"),
    path("v1/responses/<str:response_id>", Response.as_view(), name="response"),
    path("v1/responses/<str:response_id>/cancel", ResponseCancel.as_view(), name="response-cancel"),
    path("v1/responses/<str:response_id>/input_items", ResponseInputItems.as_view(), name="response-input-items"),
    path("v1/embeddings", Embeddings.as_view(), name="embeddings"),
    path("v1/models", Models.as_view(), name="models"),
    path("v1/models/<path:name>", Model.as_view(), name="model"),
    path("api/v1/resolve", Resolve.as_view(), name="resolve"),
    path("healthz", Healthz.as_view(), name="healthz"),
    path("readyz", Readyz.as_view(), name="readyz"),
    re_path(r"^", NothingHere.as_view(), name="not-found"),
]
