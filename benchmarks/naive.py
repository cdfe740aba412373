"""The naive way, for comparison: stock ASGI, the openai client, one ORM insert a request. `benchmarks.naive:app`."""

from __future__ import annotations

import json
import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path
from openai import AsyncOpenAI

client = AsyncOpenAI(base_url=os.environ["IW_UPSTREAM_BASE_URL"], api_key="sk-sandbox", max_retries=0)


async def chat(request: HttpRequest) -> JsonResponse:
    """Forward one chat completion and store one row."""
    from iwrouting.audit import new_id_at
    from iwrouting.models import Decision

    body: dict[str, Any] = json.loads(request.body)
    answer = await client.chat.completions.create(**{**body, "model": "gpt-5.1"})
    made, at = new_id_at()
    await Decision.objects.acreate(
        id=made, decision_at=at, writer_id="naive", writer_seq=0, endpoint="chat", revision=0, environment_id="",
        catalogue_version="", rules_version="", app_version="", model_asked=body["model"], model_resolved="gpt-5.1",
    )  # fmt: skip
    return JsonResponse(answer.model_dump())


urlpatterns = [path("v1/chat/completions", chat)]
settings.ROOT_URLCONF = "benchmarks.naive"
settings.MIDDLEWARE = []
app = get_asgi_application()
