"""What `/readyz` says of a worker, by how its writer and its configuration stand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from iwrouting.api.health import details, readiness_faults
from iwrouting.audit.writing.heartbeat import Mode
from iwrouting.conf import settings
from iwrouting.snapshot import builtin_configuration

FOLDER = Path("/data/of/nobodys/business")


def service(
    *, mode: Mode = Mode.DATABASE, fault: str = "", source: str = "database", glass_fault: str = "", **config: Any
) -> Any:
    """What the view reads of a worker."""
    given = replace(builtin_configuration(), database=True, revision=41, **config)
    told = {"mode": mode.value, "fault": fault, "journal_fault": f"{FOLDER}/x.journal can't be written: No space left"}
    store = SimpleNamespace(
        fault="",
        source=source,
        age_s=0.25,
        not_read="",
        keeper=SimpleNamespace(fault=""),
        current=given,
        glass=SimpleNamespace(fault=glass_fault),
    )
    return SimpleNamespace(
        config=given,
        conf=settings().model_copy(update={"journal_dir": FOLDER, "audit_strict": True}),
        store=store,
        writer=SimpleNamespace(mode=mode, fault=fault, state=lambda: dict(told)),
        dispatcher=SimpleNamespace(breakers=SimpleNamespace(standing=list)),
        draining=False,
    )


def ago(**past: float) -> datetime:
    return datetime.now(UTC) - timedelta(**past)


@pytest.mark.parametrize(
    ("given", "status", "fault"),
    [
        ({}, "ready", ""),
        ({"mode": Mode.JOURNAL, "fault": "StoreDown"}, "degraded", ""),
        ({"mode": Mode.JOURNAL}, "degraded", ""),
        ({"source": "disk", "from_disk": ago(hours=1)}, "degraded", ""),
        ({"glass": ("override:12",)}, "degraded", ""),
        ({"glass_fault": "the break-glass file is damaged"}, "degraded", ""),
        ({"mode": Mode.REFUSING, "fault": "StoreDown"}, "unavailable", "the audit can't be written"),
        ({"source": "disk", "from_disk": ago(hours=25)}, "unavailable", "older than IW_SNAPSHOT_MAX_AGE"),
        ({"source": "disk", "from_disk": ago(hours=-1)}, "unavailable", "set the clock"),
        ({"aliases": {}}, "unavailable", "matrix_load"),
    ],
)
def test_readiness__follows_writer_and_configuration(given: dict[str, Any], status: str, fault: str) -> None:
    of = service(**given)
    faults = readiness_faults(of)
    assert [fault in each for each in faults] == ([True] if fault else [])
    assert details(of, faults)["status"] == status


def test_a_configuration_that_can_not_be_refreshed__degrades() -> None:
    of = service()
    of.store.fault = "database: OperationalError"
    assert details(of, [])["status"] == "degraded"
    assert details(of, [])["snapshot"] == {
        "source": "database",
        "age_s": 0.2,
        "fault": of.store.fault,
        "disk_fault": "",
        "break_glass": [],
        "break_glass_fault": "",
    }


def test_the_state_of_the_audit__names_no_folder() -> None:
    state = details(service(), [])["audit"]
    assert state["journal_fault"] == "IW_JOURNAL_DIR/x.journal can't be written: No space left"
    assert (state["mode"], state["strict"]) == ("database", True)
