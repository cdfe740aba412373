"""While the service is unavailable: who answers instead, and how the service learns of it."""

from __future__ import annotations

import logging
import re
import time
from datetime import UTC, datetime

import openai
import pytest

from iwrouting import client
from iwrouting._client.reports import Fallbacks, Report
from tests.client.conftest import Face
from tests.client.service import Reply, Service, error


def test_first_the_last_known_answer(service: Service, face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    service.ttl_s = 0
    face.resolve("manager")
    service.stop()
    monkeypatch.setenv("OPENAI_MODEL_MANAGER", "gpt-of-the-variable")
    answer = face.resolve("manager")
    assert (answer.model, answer.source, answer.decided_by) == ("gpt-from-the-service", "last_known", "override")
    assert answer.cause.startswith("connection failed: ")


def test_then_the_variable(service: Service, face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    service.stop()
    monkeypatch.setenv("OPENAI_MODEL_MANAGER", " gpt-of-the-variable ")
    monkeypatch.setenv("OPENAI_EMBEDDING_MODEL", "vectors-of-the-variable")
    assert face.get_model_for_role("manager") == "gpt-of-the-variable"
    assert face.get_embedding_model() == "vectors-of-the-variable"
    assert client.last_answer("manager").source == "environment"  # type: ignore[union-attr]


def test_then_the_built_in_default(service: Service, face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    service.stop()
    monkeypatch.setenv("OPENAI_MODEL_MANAGER", "  ")
    assert face.get_model_for_role("manager") == "gpt-5.1"
    assert face.get_model_for_mode("fast") == "gpt-4.1-mini"
    assert face.get_embedding_model() == "text-embedding-3-small"
    assert client.last_answer("manager").source == "default"  # type: ignore[union-attr]


def test_a_last_known_answer_of_another_project_does_not_count(service: Service, face: Face) -> None:
    with client.routing_context(project="atlas"):
        face.resolve("manager")
    service.stop()
    with client.routing_context(project="borealis"):
        assert face.resolve("manager").source == "default"


def test_an_alias_that_is_not_built_in_has_a_variable_too(
    service: Service, face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.stop()
    monkeypatch.setenv("OPENAI_MODEL_CODE_REVIEWER", "gpt-reviewer")
    assert face.get_model_for_role("code-reviewer") == "gpt-reviewer"


def test_with_nothing_to_go_by_it_says_so(service: Service, face: Face) -> None:
    service.stop()
    with pytest.raises(client.RouterUnavailable, match="'reviewer' has no last known answer, no OPENAI_MODEL_REVIEWER"):
        face.get_model_for_role("reviewer")
    assert client.last_answer("reviewer") is None


@pytest.mark.parametrize(
    "reply",
    [
        error(503, "not_ready"),
        Reply(502, b"<h1>Bad gateway</h1>", content_type="text/html"),
        Reply(504, b"upstream timed out", content_type="text/plain"),
        Reply(200, b"<h1>Down for maintenance</h1>", content_type="text/html"),
        Reply(200, b'{"status": "fine"}'),
        Reply(200, b'{"model": '),
        Reply(0),
    ],
    ids=["our 503", "502", "504", "a page", "another service", "cut JSON", "hang-up"],
)
def test_what_counts_as_unavailable(service: Service, face: Face, reply: Reply) -> None:
    service.order(reply)
    assert face.resolve("manager").source == "default"
    assert face.resolve("manager").source == "service"
    assert len(service.resolves) == 2


def test_a_service_that_does_not_answer_in_time(service: Service, face: Face) -> None:
    client.configure(timeout=0.1)
    service.order(Reply(delay_s=1))
    answer = face.resolve("manager")
    assert answer.source == "default"
    assert "no answer in time" in answer.cause


def test_after_a_time_out_the_next_answers_do_not_wait(
    service: Service, face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.configure(timeout=0.1)
    service.order(Reply(delay_s=1))
    assert [face.resolve(alias).source for alias in ("manager", "summary", "fast")] == ["default"] * 3
    assert len(service.resolves) == 1
    now = time.monotonic()
    monkeypatch.setattr("iwrouting._client.router.monotonic", lambda: now)
    sources = []
    for _ in range(3):
        now += 2
        sources.append(face.resolve("manager").source)
    assert sources == ["default", "default", "service"]


def test_a_call_that_gets_through_ends_the_wait(service: Service, face: Face) -> None:
    client.configure(timeout=0.1)
    service.order(Reply(delay_s=1))
    face.resolve("manager")
    client.configure()
    face.call_model_for_role("manager", [])
    assert face.resolve("manager").source == "service"


def test_the_log_says_who_answered_once(service: Service, face: Face, caplog: pytest.LogCaptureFixture) -> None:
    service.stop()
    with caplog.at_level(logging.WARNING, logger="iwrouting.client"):
        face.resolve("manager")
        face.resolve("manager")
    (record,) = [record for record in caplog.records if record.name == "iwrouting.client"]
    assert record.levelno == logging.WARNING
    assert f"{service.url} is unavailable" in record.getMessage()
    assert "manager is gpt-5.1 from default" in record.getMessage()


def test_a_second_outage_is_logged_again(service: Service, face: Face, caplog: pytest.LogCaptureFixture) -> None:
    service.ttl_s = 0
    for _ in range(2):
        service.order(Reply(0))
        face.resolve("manager")
        face.resolve("manager")
    assert len([record for record in caplog.records if record.name == "iwrouting.client"]) == 2


def test_the_next_contact_reports_the_fallbacks_once(service: Service, face: Face) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    service.stop()
    for _ in range(3):
        face.resolve("manager")
    service.start()
    face.resolve("manager")
    face.resolve("summary")
    told = re.fullmatch(r"3;since=(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)", service.reports()[0] or "")
    assert told is not None
    assert before <= datetime.fromisoformat(told[1]) <= datetime.now(UTC)
    assert service.reports()[1] is None


@pytest.mark.parametrize("carrier", ["call", "embeddings", "not modified"])
def test_every_kind_of_request_carries_the_report(service: Service, face: Face, carrier: str) -> None:
    service.ttl_s = 0
    face.resolve("summary")
    service.order(Reply(0))
    face.resolve("manager")
    if carrier == "call":
        face.call_model_for_mode("fast", [])
    elif carrier == "embeddings":
        face.embed_texts_batched(["a"])
    else:
        face.resolve("summary")
    face.resolve("summary")
    assert (service.reports()[2] or "").startswith("1;since=")
    assert service.reports()[3] is None


@pytest.mark.parametrize("reply", [Reply(0), error(503, "not_ready"), error(401, "invalid_api_key")])
def test_a_report_that_failed_is_told_again(service: Service, face: Face, reply: Reply) -> None:
    service.order(Reply(0), reply)
    face.resolve("manager")
    try:
        face.resolve("manager")
        failed = 2
    except openai.AuthenticationError:
        failed = 1
    face.resolve("manager")
    assert (service.reports()[1] or "").startswith("1;since=")
    assert (service.reports()[2] or "").startswith(f"{failed};since=")


def test_reports_that_meet_keep_the_first_time() -> None:
    first, second = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    for given in ([Report(2, first), Report(3, second)], [Report(3, second), Report(2, first)]):
        fallbacks = Fallbacks()
        for report in given:
            fallbacks.give_back(report)
        assert fallbacks.take().headers() == {"x-iw-client-fallbacks": "5;since=2026-01-01T00:00:00Z"}
        assert fallbacks.take().headers() == {}


def test_there_is_nothing_to_report_while_all_is_well(service: Service, face: Face) -> None:
    face.resolve("manager")
    face.call_model_for_role("manager", [])
    assert service.reports() == [None, None]
