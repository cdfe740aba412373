"""Keys at the door: what is missing, wrong or spent is a 401, what is not granted a recorded 403."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from openai import AuthenticationError, PermissionDeniedError

from iwrouting.models import new_key
from tests.live.ledger import record, records_of_request
from tests.live.live import Live
from tests.live.processes import manage
from tests.live.world import Tenant
from tests.sandbox import raw
from tests.sandbox.raw import Raw, hello

CHAT, EMBEDDINGS, RESOLVE, MODELS = "/v1/chat/completions", "/v1/embeddings", "/api/v1/resolve", "/v1/models"
BODIES = {CHAT: hello("fast"), EMBEDDINGS: {"model": "embedding", "input": "one"}, RESOLVE: {"alias": "fast"}}
HOUR = timedelta(hours=1)


def ask(live: Live, path: str, **headers: str) -> Raw:
    """One request with these headers alone."""
    given = {"x-request-id": live.run, **{name.replace("_", "-"): value for name, value in headers.items()}}
    data = raw.request_bytes(path, BODIES.get(path), "GET" if path == MODELS else "POST", **given)
    if "authorization" not in headers:
        data = b"\r\n".join(line for line in data.split(b"\r\n") if not line.startswith(b"authorization"))
    return raw.send(live.base_url, data)


def denied(live: Live, got: Raw, code: str) -> str:
    """Assert a 401 without rows; its message."""
    assert (got.status, got.error["type"], got.error["code"]) == (401, "authentication_error", code)
    assert got.headers["www-authenticate"] == "Bearer"
    assert got.headers["x-request-id"] == live.run
    assert records_of_request(live.run) == []
    assert live.sent() == []
    return str(got.error["message"])


@pytest.mark.parametrize("path", [*BODIES, MODELS])
def test_no_key__is_a_401_that_says_what_to_send(live: Live, path: str) -> None:
    assert "Authorization: Bearer" in denied(live, ask(live, path), "missing_api_key")


@pytest.mark.parametrize("header", ["Basic abc", "Bearer", "Bearer ", "iw_abc", "Bearer iw_short", "Bearer sk-sandbox"])
def test_malformed_key__is_a_401(live: Live, header: str) -> None:
    for path in (*BODIES, MODELS):
        denied(live, ask(live, path, authorization=header), "invalid_api_key")


@pytest.mark.parametrize(
    "value", ["Bearer \u00e9\u00e8", "Bearer " + "x" * 5000, "Bearer ' OR 1=1 --", "Bearer {{7*7}}"]
)
def test_hostile_key__is_a_401(live: Live, value: str) -> None:
    denied(live, ask(live, CHAT, authorization=value), "invalid_api_key")


def test_well_formed_but_unknown_key__is_a_401(live: Live) -> None:
    denied(live, ask(live, CHAT, authorization=f"Bearer {new_key().text}"), "invalid_api_key")


def test_new_key__is_known_at_once_even_in_a_flood_of_unknown_ones(live: Live) -> None:
    stop = threading.Event()

    def flood() -> None:
        while not stop.is_set():
            raw.get(live.base_url, MODELS, authorization=f"Bearer {new_key().text}")

    with ThreadPoolExecutor(6) as pool:
        for _ in range(6):
            pool.submit(flood)
        try:
            found = [
                ask(live, MODELS, authorization=f"Bearer {live.tenant(introduce=False).key}").status for _ in range(25)
            ]
        finally:
            stop.set()
    assert 401 not in found
    assert found.count(200) > 12


def test_scheme__is_read_whatever_its_case(live: Live) -> None:
    assert ask(live, MODELS, authorization=f"bearer {live.home.key}").status == 200


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"revoked_at": datetime.now(UTC) - HOUR}, "revoked_api_key"),
        ({"expires_at": datetime.now(UTC) - HOUR}, "expired_api_key"),
    ],
)
def test_spent_key__is_a_401_that_says_why(live: Live, fields: dict[str, datetime], code: str) -> None:
    tenant = live.tenant(None, external_id=None, introduce=True, **fields)
    for path in (*BODIES, MODELS):
        message = denied(live, ask(live, path, authorization=f"Bearer {tenant.key}"), code)
        assert tenant.key[:13] in message
        assert tenant.key[14:] not in message


def test_key_that_expires_later__works(live: Live) -> None:
    tenant = live.tenant(expires_at=datetime.now(UTC) + HOUR, revoked_at=datetime.now(UTC) + HOUR)
    assert live.chat("fast", client=live.client(tenant)).answer


def test_sdk__raises_its_own_exceptions(live: Live) -> None:
    nobody = Tenant("", new_key().text, live.home.row)
    with pytest.raises(AuthenticationError):
        live.chat("fast", client=live.client(nobody))
    with pytest.raises(PermissionDeniedError) as caught:
        live.chat("fast", client=live.client(live.tenant(scopes=["resolve"])))
    assert (caught.value.code, caught.value.type) == ("missing_scope", "permission_error")


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        (["call"], {CHAT, EMBEDDINGS, MODELS}),
        (["resolve"], {RESOLVE, MODELS}),
        (["read_audit"], {MODELS}),
        (["manage"], {MODELS}),
        (["call", "resolve"], {CHAT, EMBEDDINGS, RESOLVE, MODELS}),
    ],
)
def test_scope__opens_its_routes_alone(live: Live, scopes: list[str], allowed: set[str]) -> None:
    key = {"authorization": f"Bearer {live.tenant(scopes=scopes).key}"}
    for path in (*BODIES, MODELS):
        got = ask(live, path, **key)
        assert got.status == (200 if path in allowed else 403), path
        if path not in allowed:
            assert got.error["code"] == "missing_scope"
            found = record(got.headers["x-iw-decision-id"])
            assert (found.outcome.result, found.outcome.status, found.outcome.error_code) == (
                "refused",
                403,
                "missing_scope",
            )
            assert found.decision.request_id == got.headers["x-request-id"] == live.run
            assert found.decision.model_asked == ("embedding" if path == EMBEDDINGS else "fast")
    assert len(live.sent()) == len(allowed & {CHAT, EMBEDDINGS})


def test_public_routes__need_no_key(live: Live) -> None:
    for path in ("/healthz", "/readyz"):
        assert raw.send(live.base_url, f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode()).status == 200


def test_key_made_by_the_command__works_at_once(live: Live) -> None:
    key = manage(live.world.env, "keys_create", "--project", live.home.slug, "--name", "made").strip()
    assert key.startswith("iw_")
    got = live.post(CHAT, hello("fast"), None, authorization=f"Bearer {key}")
    assert got.status == 200
    assert (live.the_record().decision.key_id, live.the_record().decision.project) == (key[3:13], live.home.slug)
