"""What a call asks its run's budget for, what its requests may then say, and what it settles."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from iwrouting.audit import DECISION, OUTCOME, Rows, Settle, Verdict
from iwrouting.calls.account import decide
from iwrouting.calls.budget import plan, refusal, run_limit, settlement
from iwrouting.calls.caller import Caller
from iwrouting.calls.draft import Draft
from iwrouting.calls.limits import cap_of, count_input, window
from iwrouting.calls.purse import Purse
from iwrouting.calls.service import Service
from iwrouting.conf import Settings, settings
from iwrouting.dispatch.capping import cap_output
from iwrouting.errors import AuditUnavailable, Unavailable
from iwrouting.meters import mine
from iwrouting.resolver import resolve
from iwrouting.snapshot import builtin_configuration
from iwrouting.tokens import Count, TokenizersMissing
from iwrouting.types import AttemptRecord, Endpoint, KeyFacts, ModelFacts, ProjectFacts, Resolution, Skip, Usage

MODEL = ModelFacts(id="m", endpoints=frozenset({"chat"}), max_output=4_096)


def conf(**changed: Any) -> Settings:
    return settings().model_copy(update=changed)


def drafted(asked: str = "fast", **project: Any) -> tuple[Draft, Resolution]:
    key = KeyFacts("k", "h", frozenset({"call"}), "atlas", frozenset({"atlas"}))
    config = replace(builtin_configuration(), projects={"atlas": ProjectFacts("atlas", **project)})
    caller = Caller(key, "r", time.monotonic_ns(), "atlas", "atlas", run_id="run-1")
    draft = Draft(caller, Endpoint.CHAT, config, 10)
    return draft, resolve(config, asked, project="atlas", now=draft.decision_at)


def planned(asked: str = "fast", *, count: int = 1_000, reserve: int = 16_384, **body: Any) -> Purse:
    draft, resolution = drafted(asked)
    return plan(draft, resolution, body, Count(count, 0, "tiktoken"), 9_000, conf(run_output_reserve_tokens=reserve))


@pytest.mark.parametrize(
    ("own", "deployment", "limit"), [(None, None, None), (None, 9, 9), (7, None, 7), (7, 9, 7), (11, 9, 11)]
)
def test_run_limit__projects_own__goes_before_the_deployments(
    own: int | None, deployment: int | None, limit: int | None
) -> None:
    draft, _ = drafted(max_run_tokens=own)
    assert run_limit(draft, conf(autopilot_max_tokens_per_run=deployment)) == limit


def test_cap_of__every_combination__is_the_smallest_that_is_set() -> None:
    draft, resolution = drafted(max_context_tokens=50)
    found = cap_of(draft, resolution, conf(max_context_tokens_per_call=60))
    assert found is not None
    assert (found.tokens, found.origin) == (50, "the project 'atlas'")
    found = cap_of(draft, resolution, conf(max_context_tokens_per_call=40))
    assert found is not None
    assert (found.tokens, found.origin) == (40, "MAX_CONTEXT_TOKENS_PER_CALL")
    draft, resolution = drafted()
    assert cap_of(draft, resolution, conf()) is None


@pytest.mark.parametrize(
    ("body", "least", "wanted"),
    [
        ({}, 1_066, 1_050 + 16_384),
        ({"max_tokens": 100}, 1_150, 1_150),
        ({"max_tokens": 100, "max_completion_tokens": 200}, 1_250, 1_250),
        ({"max_output_tokens": 300, "n": 3}, 1_950, 1_950),
        ({"n": 3}, 1_098, 1_050 + 3 * 16_384),
        ({"max_tokens": 3}, 1_066, 1_066),
        ({"max_tokens": "many"}, 1_066, 1_050 + 16_384),
        ({"max_tokens": True}, 1_066, 1_050 + 16_384),
    ],
)
def test_plan__output_asked_for_or_not__is_set_aside_for_each_choice(
    body: dict[str, Any], least: int, wanted: int
) -> None:
    purse = planned(**body)
    assert (purse.prompt, purse.reserve.least, purse.reserve.wanted) == (1_050, least, wanted)
    assert (purse.reserve.key, purse.reserve.limit) == (("atlas", "run-1"), 9_000)


def test_plan__candidates_that_give_less__bound_what_is_wanted() -> None:
    draft, resolution = drafted()
    models = {name: replace(facts, max_output=500) for name, facts in draft.config.models.items()}
    draft.config = replace(draft.config, models=models)
    count = Count(10, 0, "tiktoken")
    assert plan(draft, resolution, {}, count, 9_000, conf()).reserve.wanted == 26 + 500
    assert plan(draft, resolution, {"max_tokens": 900}, count, 9_000, conf()).reserve.wanted == 26 + 500


def test_purse__what_was_granted__is_shared_by_the_choices() -> None:
    purse = planned(n=3)
    assert purse.output_cap is None
    purse.granted = 1_050 + 100
    assert purse.output_cap == 33


def test_refusal__tells_numbers_and_the_way_out__and_no_client_repeats_it() -> None:
    error = refusal(planned(max_tokens=100), Verdict(None, limit=9_000, used=8_000, reserved=500))
    assert (error.status, error.code, error.headers()["x-should-retry"]) == (403, "run_budget_exceeded", "false")
    for words in ("9000", "8000", "500", "1150", "run_raise run-1 --project atlas --by"):
        assert words in error.message


def attempt(status: int | None, code: str = "", *, kind: str = "call") -> AttemptRecord:
    found = AttemptRecord(1, kind, 0, 1, "", "m", "u", "chat", status=status, error_code=code)
    if kind == "call":
        draft, _ = drafted()
        found.sent_at = draft.decision_at
    return found


def failed(status: int | None, code: str) -> AttemptRecord:
    found = attempt(status, code)
    found.error_type = "some_error"
    return found


@pytest.mark.parametrize(
    ("attempts", "usage", "tokens"),
    [
        ([attempt(200)], Usage(prompt_tokens=7, completion_tokens=5), 12),
        ([attempt(200)], Usage(prompt_tokens=7), 7),
        ([attempt(200)], None, 900),
        ([failed(None, "timeout"), attempt(200)], Usage(prompt_tokens=7, completion_tokens=5), 900),
        ([failed(500, "server_error"), attempt(200)], Usage(prompt_tokens=7, completion_tokens=5), 12),
        ([failed(None, "timeout"), attempt(200)], Usage(prompt_tokens=7, completion_tokens=950), 957),
        ([attempt(None, "timeout")], None, 900),
        ([attempt(None, "client_closed")], None, 900),
        ([attempt(500), attempt(429), attempt(None, kind="skip")], None, 0),
        ([attempt(None, "connect_failed")], None, 0),
        ([attempt(500), attempt(200, "bad_body")], None, 900),
        ([], None, 0),
    ],
)
def test_settlement__reported_unbilled_or_unknown(
    attempts: list[AttemptRecord], usage: Usage | None, tokens: int
) -> None:
    purse = planned()
    purse.granted = 900
    assert settlement(purse, attempts, usage).tokens == tokens


@pytest.mark.parametrize(
    ("endpoint", "param", "body", "capped"),
    [
        ("chat", "max_tokens", {}, {"max_tokens": 100}),
        ("chat", "max_completion_tokens", {}, {"max_completion_tokens": 100}),
        ("responses", "max_tokens", {}, {"max_output_tokens": 100}),
        ("responses", "max_tokens", {"max_output_tokens": None}, {"max_output_tokens": 100}),
        ("chat", "max_tokens", {"max_completion_tokens": 900}, {"max_completion_tokens": 100}),
        ("chat", "max_tokens", {"max_completion_tokens": 9, "max_tokens": 900}, {"max_completion_tokens": 100}),
        ("chat", "max_tokens", {"max_tokens": "many"}, {"max_tokens": 100}),
        ("chat", "max_tokens", {"max_tokens": 9.0}, {"max_tokens": 100}),
        ("chat", "max_tokens", {"max_tokens": 0}, {"max_tokens": 100}),
    ],
)
def test_cap_output__no_limit_or_a_larger_one__becomes_what_the_budget_gives(
    endpoint: str, param: str, body: dict[str, Any], capped: dict[str, Any]
) -> None:
    found, changes = cap_output({"x": 1, **body}, replace(MODEL, completion_cap_param=param), endpoint, 100)
    assert found == {"x": 1, **capped}
    assert changes == (f"capped {next(iter(capped))} to 100 (run budget)",)


def test_cap_output__smaller_limits_models_and_embeddings__stay_as_they_are() -> None:
    for endpoint, body in (("chat", {"max_tokens": 100}), ("responses", {"max_output_tokens": 16}), ("embeddings", {})):
        assert cap_output(body, MODEL, endpoint, 100) == (body, ())
    assert cap_output({}, MODEL, "chat", 50_000)[0] == {"max_tokens": 4_096}


@pytest.mark.parametrize(
    ("facts", "output", "most"),
    [
        ({}, 100, None),
        ({"max_input": 500, "context_window": 900}, 100, 500),
        ({"context_window": 900}, None, 900),
        ({"context_window": 900}, 100, 800),
        ({"context_window": 900, "max_output": 50}, 100, 850),
        ({"context_window": 900, "max_output": None}, 1_000, 0),
    ],
)
def test_window__what_is_catalogued__leaves_room_for_the_output(
    facts: dict[str, Any], output: int | None, most: int | None
) -> None:
    assert window(replace(MODEL, **{"max_output": None, **facts}), output) == most


class Held:
    """A writer whose verdict the test gives when it likes."""

    def __init__(self) -> None:
        self.units: list[tuple[list[str], Any]] = []
        self.first: asyncio.Future[Verdict | None] | None = None

    def submit(self, rows: Rows, *, claim: Any = None, **_: Any) -> asyncio.Future[Verdict | None]:
        future: asyncio.Future[Verdict | None] = asyncio.get_running_loop().create_future()
        self.units.append(([table for table, _ in rows], claim))
        self.first = self.first or future
        return future


@pytest.mark.parametrize(
    ("verdict", "closed"),
    [(Verdict(500), [OUTCOME]), (Verdict(None), None), (AuditUnavailable("away"), [DECISION, OUTCOME])],
)
def test_decide__caller_leaves_before_the_verdict__is_closed_once_and_gives_back(
    verdict: Verdict | AuditUnavailable, closed: list[str] | None
) -> None:
    draft, resolution = drafted()
    draft.purse = plan(draft, resolution, {}, Count(10, 0, "tiktoken"), 9_000, conf())
    writer = Held()
    service = cast(Service, SimpleNamespace(writer=writer, cutting=False, held=None, meters=mine()))

    async def work() -> None:
        task = asyncio.create_task(decide(service, draft))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert writer.first is not None
        if isinstance(verdict, Verdict):
            writer.first.set_result(verdict)
        else:
            writer.first.set_exception(verdict)
        await asyncio.sleep(0)

    asyncio.run(work())
    (decided, reserve), *rest = writer.units
    assert (decided, reserve) == ([DECISION], draft.purse.reserve)
    assert rest == ([(closed, Settle(("atlas", "run-1"), draft.id, 0))] if closed else [])


def test_count_input__is_done_in_a_thread_for_the_first_model_that_may_serve() -> None:
    _, resolution = drafted()
    first = replace(resolution.chain[0], skip=Skip.NOT_ALLOWED)
    seen: list[str] = []

    def counter(model: str) -> Count:
        seen.extend((model, threading.current_thread().name))
        return Count(7, 0, "tiktoken")

    chain = (first, *resolution.chain[1:])
    assert asyncio.run(count_input(counter, replace(resolution, chain=chain))).tokens == 7
    assert seen[0] == next(rung.model for rung in chain if rung.skip is None) != first.model
    assert seen[1].startswith("iw-tokens")


def test_count_input__files_that_are_gone__are_a_503() -> None:
    def counter(_: str) -> Count:
        raise TokenizersMissing("gone")

    with pytest.raises(Unavailable) as error:
        asyncio.run(count_input(counter, drafted()[1]))
    assert (error.value.status, error.value.code) == (503, "tokenizers_missing")
