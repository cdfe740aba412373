"""One service with small timers over a sandbox, and what came of every cell."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from openai import OpenAI
from pytest_django.plugin import DjangoDbBlocker

from tests.faults.client_rows import make_client_rows
from tests.faults.cutting import make_replay_rows
from tests.faults.driving import Call, drive
from tests.faults.matrix import cells, make_rows
from tests.faults.replay import listening
from tests.live.databases import ALIAS, readable
from tests.live.ledger import Record, everything_stored, records_of_run
from tests.live.live import Live
from tests.live.world import World, world

DEADLINE_S = 20.0
TIMERS = {
    "IW_DEADLINE_S": "20",
    "IW_FIRST_BYTE_TIMEOUT_S": "1.5",
    "IW_IDLE_TIMEOUT_S": "1.5",
    "IW_CONNECT_TIMEOUT_S": "2",
    "IW_FIRST_OUTPUT_TIMEOUT_S": "3",
    "IW_CLIENT_STALL_S": "2",
    "IW_REQUEST_TIMEOUT_S": "2",
    "IW_STREAM_TOTAL_S": "6",
    "IW_MIN_STREAM_BYTES_PER_S": "1200",
    "IW_MIN_STREAM_WINDOW_S": "2",
    "IW_RETRY_AFTER_MAX_S": "1",
    "IW_RETRY_BACKOFF_MS": "10",
    "IW_STREAM_HOLD_S": "10",
}


@dataclass(frozen=True)
class Driven:
    """Every call by the name that it asked for, what the audit holds of it, and the sandbox's log by decision."""

    calls: dict[str, Call]
    records: dict[str, Record]
    sent: dict[str, list[dict[str, Any]]]
    stored: str


@dataclass(frozen=True)
class Replaying:
    """The socket of the upstream that plays recordings back; it listens, and who serves it answers."""

    socket: socket.socket


@pytest.fixture(scope="session")
def replaying() -> Iterator[Replaying]:
    with listening() as made:
        yield Replaying(made)


@pytest.fixture(scope="session")
def running(
    worker_id: str,
    tmp_path_factory: pytest.TempPathFactory,
    django_db_blocker: DjangoDbBlocker,
    replaying: Replaying,
) -> Iterator[World]:
    def rows(_sandbox: str) -> None:
        with transaction.atomic(using=ALIAS):
            make_client_rows()
            make_replay_rows(replaying.socket.getsockname()[1])

    folder = tmp_path_factory.mktemp("faults")
    with world(folder, f"{worker_id}_faults", django_db_blocker, settings=TIMERS, rows=rows) as started:
        yield started


@pytest.fixture(scope="session")
def sdk() -> Iterator[OpenAI]:
    with OpenAI(base_url="http://127.0.0.1:9/v1", api_key="set by each test", timeout=30) as opened:
        yield opened


@pytest.fixture
def live(running: World, sdk: OpenAI, django_db_blocker: DjangoDbBlocker) -> Iterator[Live]:
    with django_db_blocker.unblock(), readable(running.database):
        yield Live(running, sdk)


@pytest.fixture(scope="session")
def driven(running: World, sdk: OpenAI, django_db_blocker: DjangoDbBlocker) -> Driven:
    """All cells, driven once."""
    with django_db_blocker.unblock(), readable(running.database):
        live = Live(running, sdk)
        with transaction.atomic(using=ALIAS):
            make_rows(live.sandbox.base_url)
        live.settle()
        live.sandbox.plan([rule for cell in cells() for rule in cell.rules()])
        calls = drive(cells(), live.base_url, live.home.key, live.run)
        found = {record.decision.model_asked: record for record in records_of_run(live.run)}
        sent: dict[str, list[dict[str, Any]]] = {}
        for line in live.sent():
            sent.setdefault(str(line["client_request_id"]).rpartition("-")[0], []).append(line)
        return Driven(calls, found, sent, everything_stored())
