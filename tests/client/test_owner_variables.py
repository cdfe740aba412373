"""The owner's variables and the provider stay out of it; neither Django nor httpx is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from iwrouting import client
from iwrouting._client import router as routers
from tests.client.conftest import Face
from tests.client.service import Received, Service

CANARY = "canary-of-the-owner"


@pytest.fixture
def trap(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """What the owner's variables point to; nothing may arrive there."""
    provider = Service()
    monkeypatch.setenv("OPENAI_BASE_URL", provider.url + "/v1")
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_WEBHOOK_SECRET"):
        monkeypatch.setenv(name, CANARY)
    headers = ["X-Owner", "Authorization", "User-Agent", "OpenAI-Project", "X-Stainless-Lang", "Content-Type"]
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "\n".join(f"{name}: {CANARY}" for name in headers))
    yield provider
    provider.stop()


def everything(request: Received) -> str:
    """All that a request said."""
    return json.dumps([request.path, request.query, request.headers, request.body])


def test_the_owners_variables_are_never_sent(service: Service, face: Face, trap: Service) -> None:
    face.resolve("manager")
    face.call_model_for_role("manager", [])
    face.chunks("call_model_for_mode", "fast", [], stream=True)
    face.embed_texts_batched(["a"])
    assert len(service.received) == 4
    for request in service.received:
        assert CANARY not in everything(request)
        assert "openai-organization" not in request.headers
        assert "openai-project" not in request.headers
        assert request.headers["authorization"].startswith("Bearer iw_test_")
        assert request.headers["user-agent"].startswith("iwrouting-client/")
    assert trap.received == []


def test_the_sdk_does_not_even_hold_them(service: Service, trap: Service) -> None:
    sdk = routers.current().clients.sync()
    held = (sdk.api_key, sdk.admin_api_key, sdk.organization, sdk.project, sdk.webhook_secret, str(sdk.base_url))
    assert CANARY not in held
    assert sdk.base_url == f"{service.url}/v1/"


def test_nothing_goes_round_an_unreachable_service(service: Service, face: Face, trap: Service) -> None:
    service.stop()
    assert face.resolve("manager").source == "default"
    with pytest.raises(client.RouterUnavailable):
        face.call_model_for_role("manager", [])
    with pytest.raises(client.RouterUnavailable):
        face.embed_texts_batched(["a"])
    assert trap.received == []


def test_the_owners_variables_do_not_stand_in_for_ours(
    service: Service, face: Face, trap: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IW_BASE_URL")
    monkeypatch.delenv("IW_API_KEY")
    with pytest.raises(client.RouterNotConfigured):
        face.call_model_for_role("manager", [])
    assert trap.received == []


def test_it_imports_and_works_with_openai_alone(service: Service) -> None:
    """In a process where whatever the server needs can't be imported."""
    program = """
import sys
for name in ("django", "rest_framework", "aiohttp", "httpx", "orjson", "uvicorn", "dotenv", "tiktoken"):
    sys.modules[name] = None
from iwrouting.client import call_model_for_role, close, get_model_for_role
print(get_model_for_role("manager"), call_model_for_role("manager", []).model)
close()
print(*sorted({name.split(".")[1] for name in sys.modules if name.startswith("iwrouting.")}))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    assert first == "gpt-from-the-service gpt-served"
    assert second.split() == ["_client", "catalogue", "client", "types"]
