"""Which model stands behind an alias, as the service says."""

from __future__ import annotations

import openai
import pytest

from iwrouting import client
from tests.client.conftest import Face
from tests.client.service import Service, error


def test_each_kind_of_alias_has_its_function(service: Service, face: Face) -> None:
    assert face.get_model_for_role("manager") == "gpt-from-the-service"
    assert face.get_model_for_mode("deep") == "gpt-deep"
    assert face.get_embedding_model() == "vectors-1"
    assert [request.query["alias"] for request in service.resolves] == ["manager", "deep", "embedding"]


def test_the_key_is_sent_as_bearer(service: Service, face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IW_API_KEY", " iw_spaced\n")
    face.resolve("manager")
    assert service.received[0].headers["authorization"] == "Bearer iw_spaced"


def test_an_answer_carries_what_the_service_decided(service: Service, face: Face) -> None:
    answer = face.resolve("manager")
    assert (answer.alias, answer.model, answer.source) == ("manager", "gpt-from-the-service", "service")
    assert (answer.kind, answer.decided_by, answer.upstream, answer.revision) == ("role", "override", "openai", 7)
    assert answer.ladder[0]["ref"] == "override:1"
    assert answer.chain[0]["rung"] == 0
    assert answer.warnings == ("shutdown_soon",)
    assert answer.environment_id == "e1"
    assert answer.cause is None
    assert client.last_answer("manager") == answer


def test_nothing_was_answered_before_anything_was_asked(service: Service) -> None:
    assert client.last_answer("manager") is None
    assert service.received == []


def test_a_fresh_answer_is_given_again_without_asking(service: Service, face: Face) -> None:
    assert [face.get_model_for_role("manager") for _ in range(3)] == ["gpt-from-the-service"] * 3
    assert len(service.resolves) == 1


def test_a_stale_answer_is_revalidated_by_its_etag(service: Service, face: Face) -> None:
    service.ttl_s = 0
    first, second = face.resolve("manager"), face.resolve("manager")
    assert first == second
    sent = [request.headers.get("if-none-match") for request in service.resolves]
    assert sent[0] is None
    assert sent[1] is not None


def test_a_304_makes_the_answer_fresh_again(service: Service, face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("iwrouting._client.answers.monotonic", lambda: now)
    face.resolve("manager")
    now += 61
    face.resolve("manager")
    now += 59
    face.resolve("manager")
    assert len(service.resolves) == 2


def test_a_change_is_seen_after_the_time_to_live(service: Service, face: Face) -> None:
    service.ttl_s = 0
    face.get_model_for_role("manager")
    service.matrix["manager"] = ("role", "gpt-changed")
    assert face.get_model_for_role("manager") == "gpt-changed"


def test_answers_are_kept_apart_by_project(service: Service, face: Face) -> None:
    with client.routing_context(project="atlas"):
        face.get_model_for_role("manager")
    service.matrix["manager"] = ("role", "gpt-of-borealis")
    with client.routing_context(project="borealis"):
        assert face.get_model_for_role("manager") == "gpt-of-borealis"
    with client.routing_context(project="atlas"):
        assert face.get_model_for_role("manager") == "gpt-from-the-service"
    assert [request.query.get("project") for request in service.resolves] == ["atlas", "borealis"]


def test_an_alias_that_only_the_service_knows_is_passed_on(service: Service, face: Face) -> None:
    service.matrix["reviewer"] = ("role", "gpt-reviewer")
    assert face.get_model_for_role("reviewer") == "gpt-reviewer"


def test_an_unknown_alias_is_the_sdks_not_found_with_the_hint(service: Service, face: Face) -> None:
    with pytest.raises(openai.NotFoundError, match="Did you mean 'manager'") as caught:
        face.get_model_for_role("manger")
    assert caught.value.code == "model_not_found"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_what_the_service_refuses_is_no_fallback(service: Service, face: Face, status: int) -> None:
    service.ttl_s = 0
    face.resolve("manager")
    service.order(error(status, "refused", x_should_retry="false"))
    with pytest.raises(openai.APIStatusError) as caught:
        face.resolve("manager")
    assert caught.value.status_code == status
    assert client.last_answer("manager").source == "service"  # type: ignore[union-attr]


def test_a_mode_is_not_a_role(service: Service, face: Face) -> None:
    with pytest.raises(ValueError, match="'fast' is a chat mode; chat modes go through get_model_for_mode"):
        face.get_model_for_role("fast")
    with pytest.raises(ValueError, match="'manager' is a role"):
        face.get_model_for_mode("manager")


def test_a_model_id_is_not_a_role(service: Service, face: Face) -> None:
    service.matrix["gpt-4.1"] = (None, "gpt-4.1")  # type: ignore[assignment]
    with pytest.raises(ValueError, match=r"'gpt-4\.1' is a model id, not an alias"):
        face.get_model_for_role("gpt-4.1")
