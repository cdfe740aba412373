"""The database stops and comes back: no key is refused for it, what needs it says so, and nothing is restarted (G3)."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from iwrouting.audit import new_id
from iwrouting.models import new_key
from tests.api.exposition import parse, series
from tests.harness import environment
from tests.harness.postgres import Cluster
from tests.live.databases import IS_POSTGRESQL
from tests.live.outages import SQLiteFile, fleeting_database
from tests.live.processes import ServiceProcess, manage, prepare
from tests.live.world import SETTINGS
from tests.sandbox import raw
from tests.sandbox.process import SandboxProcess
from tests.sandbox.raw import Raw, hello

BUDGET = "/api/v1/resolve?alias=budget"
CHAT, RESOLVE, DECISION = "/v1/chat/completions", "/api/v1/resolve?alias=intent", f"/api/v1/decisions/{new_id()}"
BACK_S = 5.0
"""Within how many seconds of its return the database must be in use again (faults.md T4)."""
OUTAGE_S = 8.0 if IS_POSTGRESQL else 0.0
"""Long enough for a pool that waits 1, 2, 4 and 8 s between its tries to sleep when the database comes back."""


@dataclass
class Away:
    """A service, its database, and a key that it knows."""

    database: Cluster | SQLiteFile
    service: ServiceProcess
    env: dict[str, str]
    folder: Path
    key: str

    def get(self, path: str, key: str = "", service: ServiceProcess | None = None, **headers: str) -> Raw:
        given = {"authorization": f"Bearer {key or self.key}", "host": "127.0.0.1", **headers}
        return raw.get((service or self.service).url, path, **given)

    def chat(self, service: ServiceProcess) -> Raw:
        return raw.post(service.url, CHAT, hello("fast"), 10, authorization=f"Bearer {self.key}")

    def start(self, name: str, **settings: str) -> ServiceProcess:
        return ServiceProcess({**self.env, **settings}, self.folder / f"{name}.log").start(ready=False)


@pytest.fixture(scope="module")
def away(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Away]:
    folder = tmp_path_factory.mktemp("away")
    with SandboxProcess(log_path=folder / "sandbox.jsonl") as sandbox, fleeting_database(folder) as database:
        given = {"DATABASE_URL": database.url(), "IW_UPSTREAM_BASE_URL": sandbox.base_url}
        env = environment.for_tests(folder, None) | SETTINGS | given
        prepare(env)
        scopes = "resolve,call,read_audit,manage"
        key = manage(env, "keys_create", "--project", "atlas", "--name", "away", "--scopes", scopes).strip()
        service = ServiceProcess(env, folder / "service.log").start()
        try:
            yield Away(database, service, env, folder, key)
        finally:
            service.stop()


def within(condition: Callable[[], object], seconds: float, what: str) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def check_known_and_unknown_keys(away: Away, service: ServiceProcess, note: str) -> None:
    """A known key resolves and is told why that may be old; one that nobody can look up is no 401."""
    got = away.get(RESOLVE, service=service)
    assert (got.status, got.json["model"]) == (200, "gpt-4.1-mini")
    assert got.headers["x-iw-warning"].startswith(note)
    assert got.json["warnings"][0].startswith(note)
    assert away.get("/v1/models", service=service).status == 200
    for path in ("/v1/models", RESOLVE, "/api/v1/aliases", DECISION):
        unknown = away.get(path, new_key().text, service)
        assert (unknown.status, unknown.error["code"]) == (503, "key_unchecked"), path
        assert int(unknown.headers["retry-after"]) > 0
        assert away.get(path, "iw_no", service).status == 401


def check_what_needs_the_database(away: Away) -> None:
    """The management API says so in JSON, the admin on a page."""
    with ThreadPoolExecutor(3) as pool:
        needing = [pool.submit(check, away) for check in (check_management, check_list, check_login)]
        for done in needing:
            done.result()


def check_management(away: Away) -> None:
    key = {"authorization": f"Bearer {away.key}", "host": "127.0.0.1", "content-type": "application/json"}
    put = raw.request_bytes("/api/v1/projects/p-1", {}, "PUT", **key)
    for got in (away.get(DECISION), raw.send(away.service.url, put, 10)):
        assert (got.status, got.error["code"]) == (503, "database_unavailable")
        assert int(got.headers["retry-after"]) > 0


def check_list(away: Away) -> None:
    check_page(away, "/admin/iwrouting/decision/")


def check_login(away: Away) -> None:
    check_page(away, "/admin/login/?next=/admin/")


def check_page(away: Away, path: str) -> None:
    page = away.get(path, accept="text/html", cookie="sessionid=abcdefghijklmnopqrstuvwxyz012345")
    assert (page.status, int(page.headers["retry-after"]) > 0) == (503, True)
    assert b"database can" in page.body
    assert b"manage.py doctor" in page.body


def set_override(away: Away) -> int:
    """An override of `budget`, on disk; its number."""
    manage(
        away.env, "routing_override", "set", "budget", "--model", "gpt-4.1-mini", "--expires", "never",
        "--reason", "To be switched off", "--yes", "--acknowledge", "all",
    )  # fmt: skip
    within(lambda: away.get(BUDGET).json["source"] == "override", 5, "the override")
    kept = away.folder / "journal" / "snapshot"
    within(lambda: b'"override:' in kept.read_bytes(), 5, "the override on disk")
    ref = away.get(BUDGET).json["ladder"][1]["ref"]
    return int(ref.removeprefix("override:"))


def check_break_glass(away: Away, number: int) -> None:
    """Switched off without the database, in all workers of the host, as is said everywhere; and lifted again."""
    given = ("routing_override", "disable", str(number), "--from-snapshot", "--yes", "--reason", "It answers nonsense")
    manage(away.env, *given)
    within(lambda: away.get(BUDGET).json["source"] == "default", 3, "the end of the override")
    got = away.get(BUDGET)
    assert (got.json["ladder"][1]["state"], f"break_glass: override:{number}" in got.json["warnings"]) == (
        "disabled",
        True,
    )
    assert f"break_glass: override:{number}" in got.headers["x-iw-warning"]
    assert away.service.get("/readyz")[1]["snapshot"]["break_glass"] == [f"override:{number}"]
    assert f"BREAK-GLASS: override:{number}" in away.service.words
    manage(away.env, *given, "--end")
    within(lambda: away.get(BUDGET).json["source"] == "override", 3, "the override again")


def is_told(away: Away) -> bool:
    """Whether the change list has what was done and what was found while the database was away."""
    found = json.loads(manage(away.env, "config_history", "--format", "json"))["changes"]
    glass = [each["details"]["what"] for each in found if each["kind"] == "break_glass"]
    changed = [each["details"]["changed"] for each in found if each["kind"] == "environment"]
    return glass == ["ended", "begun"] and {"OPENAI_MODEL_CODE": [None, "gpt-5.1"]} in changed


def test_a_database_that_stops__costs_no_key_its_answer(away: Away) -> None:
    assert away.chat(away.service).status == 200
    number = set_override(away)
    check_metrics(away, away.service, is_away=False)
    within((away.folder / "journal" / "snapshot").exists, 5, "the configuration on disk")
    away.database.stop()
    stopped_at = time.monotonic()
    services = []
    try:
        within(lambda: away.service.get("/readyz")[1]["snapshot"]["fault"], 5, "the fault")
        check_metrics(away, away.service, is_away=True)
        assert away.chat(away.service).status == 200
        assert away.service.get("/readyz")[1]["status"] == "degraded"
        check_known_and_unknown_keys(away, away.service, "configuration_not_refreshed: revision")
        with ThreadPoolExecutor(5) as pool:
            starts = [
                pool.submit(away.start, "fresh", OPENAI_MODEL_CODE="gpt-5.1"),
                pool.submit(away.start, "old", IW_SNAPSHOT_MAX_AGE="0"),
            ]
            needing = pool.submit(check_what_needs_the_database, away)
            glass = pool.submit(check_break_glass, away, number)
            services = [start.result() for start in starts]
            checks = zip((check_from_disk, check_too_old), services, strict=True)
            for done in [needing, glass, *(pool.submit(check, away, service) for check, service in checks)]:
                done.result()
        within(lambda: time.monotonic() - stopped_at > OUTAGE_S, OUTAGE_S, "the outage")
    finally:
        away.database.start()
    try:
        within(lambda: all(map(is_back, (away.service, *services))), BACK_S, "the way back")
        for service in (away.service, *services):
            check_back(away, service)
        within(lambda: is_told(away), 20, "the lines of break-glass and of another environment")
    finally:
        for service in services:
            service.stop()


def check_metrics(away: Away, service: ServiceProcess, *, is_away: bool) -> None:
    """Prometheus is told of the answering worker by itself, and of the others where the database answers."""
    got = away.get("/metrics", service=service)
    assert got.status == 200
    found = parse(got.body.decode())
    assert found[series("iwrouting_database_up")] == int(not is_away)
    [open_calls] = [value for (name, _), value in found.items() if name == "iwrouting_open_calls"]
    assert open_calls == 0
    source = {dict(labels)["source"]: value for (name, labels), value in found.items() if name.endswith("_source")}
    assert sum(source.values()) == 1
    assert source["database" if service is away.service else "disk"] == 1
    dropped = [value for (name, _), value in found.items() if name == "iwrouting_audit_dropped_rows_total"]
    assert dropped
    assert not any(dropped)


def check_from_disk(away: Away, fresh: ServiceProcess) -> None:
    """Started while the database is away: it serves by the configuration on disk."""
    state = fresh.get("/readyz")[1]
    assert state["snapshot"]["source"] == "disk"
    assert state["snapshot"]["age_s"] < 120
    assert state["revision"] > 0
    assert state["snapshot"]["fault"].startswith("database: ")
    check_known_and_unknown_keys(away, fresh, "snapshot_from_disk: revision")
    got = away.chat(fresh)
    assert got.status == 200
    assert got.headers["x-iw-warning"].startswith("snapshot_from_disk: revision")
    status, state = fresh.get("/readyz")
    assert (status, state["status"], state["audit"]["mode"]) == (200, "degraded", "journal")
    check_metrics(away, fresh, is_away=True)
    assert "snapshot_from_disk" in fresh.words


def check_too_old(away: Away, old: ServiceProcess) -> None:
    """The same with one that is too old: it resolves, and serves no call."""
    status, state = old.get("/readyz")
    assert (status, state["status"]) == (503, "unavailable")
    assert any("older than IW_SNAPSHOT_MAX_AGE" in fault for fault in state["faults"])
    check_known_and_unknown_keys(away, old, "snapshot_from_disk: revision")
    got = away.chat(old)
    assert (got.status, got.error["code"]) == (503, "snapshot_too_old")
    assert "retry-after" in got.headers


def is_back(service: ServiceProcess) -> bool:
    status, state = service.get("/readyz")
    snapshot = state["snapshot"]
    return (status, snapshot["source"], snapshot["fault"]) == (200, "database", "")


def check_back(away: Away, service: ServiceProcess) -> None:
    """The database is in use again, without a restart, and nothing on the way was a traceback."""
    # A look-up that takes longer than 0.3 s is a 503 too: the machine is busy.
    within(lambda: away.get("/v1/models", new_key().text, service).status == 401, BACK_S, "a look-up")
    assert away.get(DECISION, service=service).status == 404
    assert away.get("/admin/login/", accept="text/html", service=service).status == 200
    assert away.chat(service).status == 200
    assert not re.search("from_disk|not_refreshed", away.get(RESOLVE, service=service).headers["x-iw-warning"])
    assert "Traceback" not in service.words
