"""`iwrouting.client` against the running service: roles, modes, vectors, streams, context, and the service gone."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import pytest
from openai import NotFoundError, OpenAI

from iwrouting import client
from iwrouting.client import (
    RouterUnavailable,
    acall_model_for_mode,
    aclose,
    aembed_texts_batched,
    aget_model_for_role,
    call_model_for_mode,
    call_model_for_role,
    configure,
    embed_texts_batched,
    get_embedding_model,
    get_model_for_mode,
    get_model_for_role,
    last_answer,
    resolve,
    routing_context,
)
from tests.live.ledger import record
from tests.live.live import Live, text_of
from tests.live.processes import ServiceProcess
from tests.sandbox.process import KEY

HELLO: list[Any] = [{"role": "user", "content": "Say hello"}]


@pytest.fixture
def backend(live: Live, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    """The client as the backend has it: bound to the service, with none of the owner's variables."""
    for name in list(os.environ):
        if name.startswith(("OPENAI_", "IW_BASE_URL", "IW_API_KEY")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("IW_BASE_URL", live.service.url)
    monkeypatch.setenv("IW_API_KEY", live.home.key)
    configure()
    yield live
    client.close()
    configure()


def test_names__are_resolved_by_the_service(backend: Live) -> None:
    assert get_model_for_role("manager") == "gpt-5.1"
    assert get_model_for_role("intent") == "gpt-4.1-mini"
    assert get_model_for_mode("code") == "gpt-5.1-codex"
    assert get_embedding_model() == "text-embedding-3-small"
    answer = resolve("intent")
    assert (answer.source, answer.decided_by, answer.model) == ("service", "environment", "gpt-4.1-mini")
    assert backend.sent() == []


def test_unknown_role__is_the_sdks_exception_with_the_nearest_name(backend: Live) -> None:
    with pytest.raises(NotFoundError) as caught:
        get_model_for_role("manger")
    assert "manager" in str(caught.value)
    with pytest.raises(NotFoundError):
        call_model_for_role("no_such_role", HELLO)


def test_role__is_called_and_recorded_for_project_run_and_tags(backend: Live) -> None:
    with routing_context(project=backend.home.slug, run_id=backend.run, tags=["live"]):
        answer = call_model_for_role("manager", HELLO, temperature=0.4)
    assert (answer.choices[0].message.content or "").startswith("sandbox: gpt-5.1 heard")
    found = backend.the_record()
    assert (found.decision.alias, found.decision.project, found.decision.tags) == (
        "manager",
        backend.home.slug,
        '["live"]',
    )
    assert found.decision.request_id == answer._request_id
    assert found.served() == ("ok", "gpt-5.1", 200)


def test_mode__falls_back_inside_the_service(backend: Live) -> None:
    backend.sandbox.plan([{"match": {"model": "gpt-5.1-codex"}, "fault": "model_gone"}])
    with routing_context(run_id=backend.run):
        answer = call_model_for_mode("code", HELLO)
    assert answer.model == "gpt-4.1"
    assert backend.the_record().outcome.result == "ok_after_fallback"


def test_stream__is_the_sdks_and_tells_its_decision(backend: Live) -> None:
    with call_model_for_mode("auto", HELLO, stream=True) as stream:
        headers = stream.response.headers
        text = text_of(list(stream))
    assert text.startswith("sandbox: gpt-4.1-mini heard")
    assert (headers["x-iw-mode"], headers["x-iw-model"]) == ("fast", "gpt-4.1-mini")
    assert record(headers["x-iw-decision-id"]).outcome.result == "ok"


def test_texts__come_back_as_vectors_in_order(backend: Live, sdk: OpenAI) -> None:
    texts = [f"chunk number {n}" for n in range(40)]
    direct = sdk.with_options(base_url=backend.sandbox.base_url, api_key=KEY)
    wanted = [item.embedding for item in direct.embeddings.create(model="text-embedding-3-small", input=texts).data]
    with routing_context(run_id=backend.run):
        assert embed_texts_batched(texts) == wanted
    assert backend.the_record().outcome.calls == 5
    assert embed_texts_batched([]) == []


def test_async_twins__do_the_same(backend: Live) -> None:
    async def all_of_it() -> tuple[str, str, int]:
        with routing_context(run_id=backend.run):
            model, answer, vectors = await asyncio.gather(
                aget_model_for_role("manager"),
                acall_model_for_mode("fast", HELLO),
                aembed_texts_batched(["one", "two"]),
            )
        await aclose()
        return model, answer.model, len(vectors)

    assert asyncio.run(all_of_it()) == ("gpt-5.1", "gpt-4.1-mini", 2)
    assert len(backend.records()) == 2


def test_override_of_the_project_in_context__is_followed(backend: Live) -> None:
    tenant = backend.tenant({"manager": "gpt-4.1-nano"}, external_id=f"7-{backend.run}")
    configure(api_key=backend.key(backend.home.row, projects=["*"]))
    assert get_model_for_role("manager") == "gpt-5.1"
    for name in (tenant.slug, f"7-{backend.run}"):
        with routing_context(project=name):
            assert get_model_for_role("manager") == "gpt-4.1-nano"
            assert call_model_for_role("manager", HELLO).model == "gpt-4.1-nano"


def test_service_gone__resolving_goes_on_and_calls_are_refused(backend: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    world = backend.world
    tenant = backend.tenant({"manager": "gpt-4.1-nano"})
    doomed = ServiceProcess(world.env, world.folder / "doomed.log").start()
    configure(base_url=doomed.url, api_key=tenant.key)
    assert get_model_for_role("manager") == "gpt-4.1-nano"
    assert doomed.stop() == 0
    client.close()
    monkeypatch.setenv("OPENAI_MODEL_SUMMARY", "from-the-variable")
    assert (get_model_for_role("manager"), source("manager")) == ("gpt-4.1-nano", "service")
    assert (get_model_for_role("summary"), source("summary")) == ("from-the-variable", "environment")
    assert (get_model_for_role("blueprint"), source("blueprint")) == ("gpt-4.1-mini", "default")
    with pytest.raises(RouterUnavailable, match=r"127\.0\.0\.1"):
        call_model_for_role("manager", HELLO)
    with pytest.raises(RouterUnavailable):
        embed_texts_batched(["one"])
    assert backend.sent() == []


def source(alias: str) -> str:
    found = last_answer(alias)
    assert found is not None
    return found.source
