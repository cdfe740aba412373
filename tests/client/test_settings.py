"""Where the service is: IW_BASE_URL, IW_API_KEY and configure()."""

from __future__ import annotations

import pytest

from iwrouting import client
from iwrouting._client.settings import settings
from tests.client.conftest import Face
from tests.client.service import Service


@pytest.mark.parametrize("name", ["IW_BASE_URL", "IW_API_KEY"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_setting_is_named(
    service: Service, face: Face, monkeypatch: pytest.MonkeyPatch, name: str, value: str | None
) -> None:
    if value is None:
        monkeypatch.delenv(name)
    else:
        monkeypatch.setenv(name, value)
    for function in (face.get_embedding_model, lambda: face.call_model_for_role("manager", [])):
        with pytest.raises(client.RouterNotConfigured, match=f"^{name}: not set; "):
            function()
    assert service.received == []


@pytest.mark.parametrize("end", ["", "/", "/v1", "/v1/", "//"])
def test_the_base_url_may_be_written_in_each_usual_way(
    service: Service, face: Face, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setenv("IW_BASE_URL", service.url + end)
    face.resolve("manager")
    face.call_model_for_role("manager", [])
    assert [request.path for request in service.received] == ["/api/v1/resolve", "/v1/chat/completions"]


def test_the_service_may_stand_under_a_path(service: Service, face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IW_BASE_URL", service.url + "/routing/v1")
    with pytest.raises(Exception, match="404"):
        face.resolve("manager")
    with pytest.raises(Exception, match="404"):
        face.call_model_for_role("manager", [])
    paths = [request.path for request in service.received]
    assert paths == ["/routing/api/v1/resolve", "/routing/v1/chat/completions"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("127.0.0.1:8000", "must begin with http"),
        ("ftp://host-canary", "must begin with http"),
        ("https://", "must begin with http"),
        ("http://user:canary@host", "must hold no user name"),
        ("http://host/?key=canary", "must hold no user name"),
        ("http://host:canary", "is not a URL"),
    ],
)
def test_a_malformed_base_url_is_refused_without_its_value(
    service: Service, face: Face, monkeypatch: pytest.MonkeyPatch, value: str, reason: str
) -> None:
    monkeypatch.setenv("IW_BASE_URL", value)
    with pytest.raises(client.RouterNotConfigured, match=f"^IW_BASE_URL: {reason}") as caught:
        face.resolve("manager")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("value", ["iw_two words", "iw_canaré", "iw_line\nbreak"])
def test_a_malformed_key_is_refused_without_its_value(
    service: Service, face: Face, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("IW_API_KEY", value)
    with pytest.raises(client.RouterNotConfigured, match=r"^IW_API_KEY: must be printable ASCII") as caught:
        face.resolve("manager")
    assert value not in str(caught.value)


def test_configure_wins_over_the_environment_and_can_be_taken_back(service: Service, face: Face) -> None:
    other = Service()
    other.matrix["manager"] = ("role", "gpt-of-the-other")
    try:
        client.configure(base_url=other.url + "/v1/", api_key="iw_configured")
        assert face.get_model_for_role("manager") == "gpt-of-the-other"
        assert other.received[0].headers["authorization"] == "Bearer iw_configured"
        client.configure()
        assert face.get_model_for_role("manager") == "gpt-from-the-service"
    finally:
        client.close()
        other.stop()


def test_what_another_key_was_told_is_not_known_to_this_one(service: Service, face: Face) -> None:
    face.resolve("manager")
    client.configure(api_key="iw_another")
    service.stop()
    assert face.resolve("manager").source == "default"


@pytest.mark.parametrize(
    "given", [{"base_url": "host"}, {"api_key": "two words"}, {"timeout": 0}, {"timeout": -1.0}, {"api_key": ""}]
)
def test_configure_refuses_what_is_malformed(given: dict[str, str]) -> None:
    with pytest.raises(client.RouterNotConfigured, match=f"^{next(iter(given))}: "):
        client.configure(**given)  # type: ignore[arg-type]


def test_the_configured_time_out_holds_for_calls(service: Service, face: Face) -> None:
    client.configure(timeout=12)
    face.call_model_for_role("manager", [])
    face.call_model_for_role("manager", [], timeout=30)
    face.embed_texts_batched(["a"])
    waits = [request.headers["x-stainless-read-timeout"] for request in service.received]
    assert [float(wait) for wait in waits] == [12, 30, 12]


def test_the_key_is_not_in_a_representation(service: Service) -> None:
    assert "iw_test" in settings().api_key
    assert "iw_test" not in repr(settings())
