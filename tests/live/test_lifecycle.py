"""What callers and operators are told of models that are gone or going: a header, and /readyz."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from iwrouting.models import Model
from tests.live.databases import ALIAS
from tests.live.live import Live
from tests.live.world import RECORDED
from tests.sandbox.raw import hello

CHAT = "/v1/chat/completions"

TODAY = datetime.now(UTC).date()


def test_every_rung__is_told_of_in_the_header_and_in_readyz(live: Live) -> None:
    name = f"going-{live.run}"
    Model(model_id=name, endpoints=["chat"], shutdown_date=TODAY + timedelta(days=9)).save(using=ALIAS)
    tenant = live.tenant({"fast": name})
    called = live.chat("manager", client=live.client(tenant))
    assert called.record.tried[0][4] == "gpt-5.1"
    told = called.headers["x-iw-warning"]
    assert f"model_retiring: {name} will be shut down on {TODAY + timedelta(days=9)}" in told
    assert len(told) <= 2000
    warnings = live.service.get("/readyz")[1]["warnings"]
    assert f"model_retiring: {name} will be shut down on {TODAY + timedelta(days=9)} " in " ".join(warnings)
    assert any(name in text and text.endswith("(override of the alias fast for one project)") for text in warnings)
    assert tenant.slug not in " ".join(warnings)
    assert any(text.endswith("(default of the alias code)") for text in warnings if "gpt-5.1-codex" in text)


def test_corrected_entry__takes_effect_at_once(live: Live) -> None:
    name = f"own-{live.run}"
    recorded = Model.objects.using(ALIAS).get(model_id=RECORDED)
    row = Model(model_id=name, endpoints=["chat"], upstream=recorded.upstream)
    row.save(using=ALIAS)
    live.settle()
    assert "x-iw-changes" not in live.post(CHAT, hello(name, stop=["x"])).headers
    row.refused_params = ["stop"]
    row.save(using=ALIAS)
    live.settle()
    assert live.post(CHAT, hello(name, stop=["x"])).headers["x-iw-changes"] == "dropped stop"
    assert "stop" not in live.world.recorder.last.json
