"""A service with breakers of short times, all of them closed, and what a test asks of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from openai import APIStatusError, OpenAI

from iwrouting.models import BreakerEvent, Model, Upstream
from tests.live.databases import ALIAS
from tests.live.ledger import eventually
from tests.live.live import Called, Live
from tests.live.processes import ServiceProcess
from tests.live.world import Tenant

FIRST, SECOND, THIRD = "gpt-5.1", "gpt-4.1", "gpt-4.1-mini"
"""The chain of the role `manager`."""
CODEX = "gpt-5.1-codex"
"""The primary of `code`, shut down; `auto` follows it."""
VECTORS = "text-embedding-3-small"


@dataclass
class Guarded:
    """A service with breakers, and a tenant of its own."""

    live: Live
    service: ServiceProcess
    tenant: Tenant

    @property
    def client(self) -> OpenAI:
        return self.live.client(self.tenant, url=self.service.url)

    def chat(self, model: str = "manager", **more: Any) -> Called:
        return self.live.chat(model, client=self.client, **more)

    def stream(self, model: str = "manager", **more: Any) -> Called:
        return self.live.stream(model, client=self.client, **more)

    def fails(self, kind: type[APIStatusError], model: str = "manager", **more: Any) -> APIStatusError:
        with pytest.raises(kind) as caught:
            self.chat(model, **more)
        return caught.value

    @property
    def standing(self) -> dict[tuple[str, str], tuple[str, str]]:
        found = self.service.get("/readyz")[1]["breakers"]
        return {(each["upstream"], each["model"]): (each["state"], each["reason"]) for each in found}

    @property
    def probe_is_due(self) -> bool:
        """Whether the only breaker that is not closed would let a probe through."""
        (standing,) = self.service.get("/readyz")[1]["breakers"]
        return bool(standing["probe_in_s"] == 0)

    def rows(self, model: str, upstream: str = "sandbox") -> list[tuple[str, str, str]]:
        found = BreakerEvent.objects.using(ALIAS).filter(
            model=model, upstream=upstream, at__gte=self.tenant.row.created_at
        )
        return [(row.before, row.state, row.reason) for row in found.order_by("at", "id")]


def guarded_service(live: Live) -> Guarded:
    """All its breakers are closed: saving the rows of what they stand for makes them so."""
    service = live.world.other_service(
        "guarded",
        IW_BREAKER_FAILURES="3",
        IW_BREAKER_OPEN_S="0.6",
        IW_BREAKER_OPEN_MAX_S="60",
        IW_BREAKER_GONE_S="30",
    )
    tenant = live.tenant()
    for model in Model.objects.using(ALIAS).filter(model_id__in=[FIRST, SECOND, THIRD, CODEX, VECTORS]):
        model.save(using=ALIAS)
    for upstream in Upstream.objects.using(ALIAS).filter(slug__in=["hasty", "denied"]):
        upstream.save(using=ALIAS)
    revision = live.settle()
    eventually(lambda: service.get("/readyz")[1]["revision"] >= revision, "the new revision")
    live.sandbox.clear()
    found = Guarded(live, service, tenant)
    found.chat("fast")
    assert found.standing == {}
    return found
