"""A service that has never reached its database: it says so, blames no key, and is ready once the database is there."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from iwrouting.models import new_key
from iwrouting.models.keys import hash_key
from tests.live.databases import IS_POSTGRESQL, statement
from tests.live.ledger import eventually, record
from tests.live.live import Live
from tests.live.processes import ServiceProcess
from tests.sandbox import raw
from tests.sandbox.raw import hello

EMERGENCY = new_key()
LATER = "iw_later"
"""What is missing at the start: a PostgreSQL role, or the folder of the SQLite file."""


def address_of_later(live: Live) -> str:
    """The live database by a way that does not exist yet."""
    if not IS_POSTGRESQL:
        return f"sqlite:///{live.world.folder / LATER / 'live.sqlite3'}"
    parts = urlsplit(live.world.database)
    return parts._replace(netloc=f"{role(live)}:secret@{parts.hostname}:{parts.port}").geturl()


def role(live: Live) -> str:
    return f"{LATER}_{urlsplit(live.world.database).path[1:]}"


def open_the_way(live: Live) -> None:
    if IS_POSTGRESQL:
        statement(f"CREATE ROLE {role(live)} SUPERUSER LOGIN PASSWORD 'secret'")
    else:
        (live.world.folder / LATER).symlink_to(live.world.folder)


@pytest.fixture
def cut_off(live: Live) -> Iterator[ServiceProcess]:
    emergency = hash_key(EMERGENCY.text)
    later = address_of_later(live)
    yield live.world.other_service(
        "cut_off",
        ready=False,
        DATABASE_URL=later,
        IW_API_KEY_SHA256=emergency,
        IW_JOURNAL_DIR=str(live.world.folder / "cut_off"),
    )
    live.world.started.pop("cut_off").stop()
    if IS_POSTGRESQL:
        statement(f"DROP ROLE IF EXISTS {role(live)}")


def resolves_by_the_environment_and_the_defaults(service: ServiceProcess) -> str:
    """With a key of IW_API_KEY_SHA256: overrides are unreadable, the rest holds. The id of the decision of a call."""
    key = {"authorization": f"Bearer {EMERGENCY.text}"}
    for alias, model, source in (("intent", "gpt-4.1-mini", "environment"), ("fast", "gpt-4.1-mini", "default")):
        got = raw.get(service.url, f"/api/v1/resolve?alias={alias}", **key).json
        assert (got["model"], got["source"]) == (model, source)
        assert [step["state"] for step in got["ladder"][:2]] == ["unreadable", "unreadable"]
    got = raw.post(service.url, "/v1/chat/completions", hello("fast"), 5, **key)
    assert got.status == 200
    return got.headers["x-iw-decision-id"]


def test_no_database_at_start__answers_503_and_recovers_by_itself(live: Live, cut_off: ServiceProcess) -> None:
    status, state = cut_off.get("/readyz")
    assert (status, state["status"], state["revision"]) == (503, "unavailable", 0)
    assert any("database" in fault for fault in state["faults"])
    assert cut_off.status("/healthz") == 200
    key = {"authorization": f"Bearer {live.home.key}", "x-iw-run-id": live.run}
    for path, body in (
        ("/v1/chat/completions", hello("fast")),
        ("/v1/embeddings", {"model": "embedding", "input": "one"}),
        ("/api/v1/resolve", {"alias": "fast"}),
    ):
        got = raw.post(cut_off.url, path, body, 5, **key)
        assert (got.status, got.error["type"]) == (503, "server_error")
        assert "retry-after" in got.headers
    assert raw.get(cut_off.url, "/v1/models", **key).status == 503
    assert raw.get(cut_off.url, "/v1/models", authorization=f"Bearer {new_key().text}").status == 503
    assert raw.get(cut_off.url, "/v1/models", authorization="Bearer iw_no").status == 401
    assert live.sent() == []
    made = resolves_by_the_environment_and_the_defaults(cut_off)
    assert cut_off.get("/readyz")[1]["audit"]["mode"] == "journal"
    open_the_way(live)
    eventually(lambda: cut_off.status("/readyz") == 200, "the way back", 6)
    got = raw.post(cut_off.url, "/v1/chat/completions", hello("fast"), 5, **key)
    assert got.status == 200
    eventually(lambda: cut_off.get("/readyz")[1]["audit"]["mode"] == "database", "the replay", 6)
    assert {record(each).outcome.result for each in (made, got.headers["x-iw-decision-id"])} == {"ok"}
