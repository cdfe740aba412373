"""`/healthz`: alive, touches nothing. `/readyz`: whether calls can be served, and what an operator should know."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.http import HttpResponse

from iwrouting import __version__
from iwrouting.api.lean import LeanView, json_response
from iwrouting.audit import Mode
from iwrouting.calls import Service
from iwrouting.resolver.lifecycle import public_warnings
from iwrouting.snapshot import SnapshotStore, stale_reason


class Healthz(LeanView):
    """Liveness."""

    authentication_classes = ()

    async def get(self, request: Any) -> HttpResponse:
        """Always 200 while the event loop runs."""
        return json_response({"status": "ok"})


class Readyz(LeanView):
    """Readiness."""

    authentication_classes = ()

    async def get(self, request: Any) -> HttpResponse:
        """200 with details; 503 where calls can't be served."""
        faults = readiness_faults(self.service)
        response = json_response(details(self.service, faults))
        response.status_code = 503 if faults else 200
        return response


def readiness_faults(service: Service) -> list[str]:
    """Why no call can be served now."""
    found = []
    if not service.config.database:
        found.append(f"no configuration has been read yet ({service.store.fault or 'starting'})")
    elif stale := stale_reason(service.config, datetime.now(UTC)):
        found.append(stale)
    elif not service.config.aliases:
        found.append("there are no aliases: run manage.py matrix_load")
    if service.writer.mode == Mode.REFUSING:
        found.append("the audit can't be written")
    if service.draining:
        found.append("shutting down")
    return found


def is_degraded(service: Service) -> bool:
    """Whether calls are served, but not as they should be: by an old configuration, by one of which
    overrides are switched off on this host alone, or into the journal."""
    writer, store = service.writer, service.store
    glass = store.current.glass or store.glass.fault
    return bool(store.fault or glass or store.source == "disk" or writer.fault or writer.mode is not Mode.DATABASE)


def details(service: Service, faults: list[str]) -> dict[str, Any]:
    """What /readyz tells: no secret, no address, no project."""
    config = service.config
    return {
        "status": "unavailable" if faults else "degraded" if is_degraded(service) else "ready",
        "faults": faults,
        "version": __version__,
        "revision": config.revision,
        "environment_id": config.environment.id,
        "catalogue_version": config.catalogue_version,
        "upstream": config.default_upstream,
        "snapshot": snapshot_state(service.store),
        "audit": audit_state(service),
        "breakers": service.dispatcher.breakers.standing(),
        "warnings": public_warnings(config, datetime.now(UTC)),
    }


def audit_state(service: Service) -> dict[str, Any]:
    """How the writer stands; where its journal is, is nobody's business."""
    state = service.writer.state()
    fault = state["journal_fault"].replace(str(service.conf.journals), "IW_JOURNAL_DIR")
    return {**state, "journal_fault": fault, "strict": service.conf.audit_strict}


def snapshot_state(store: SnapshotStore) -> dict[str, Any]:
    """Where the configuration was read, how long ago it was last known to be the newest, what is wrong, and which
    overrides are switched off on this host alone."""
    age = store.age_s
    return {
        "source": store.source,
        "age_s": None if age is None else round(age, 1),
        "fault": store.fault,
        "disk_fault": store.keeper.fault or store.not_read,
        "break_glass": list(store.current.glass),
        "break_glass_fault": store.glass.fault,
    }
