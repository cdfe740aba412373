"""Keys, paths, methods, models, and models that are shut down."""

from __future__ import annotations

import pytest
from openai import AuthenticationError, NotFoundError, OpenAI

from iwrouting import catalogue
from tests.sandbox import raw
from tests.sandbox.process import KEY, SandboxProcess


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc"])
def test_a_missing_key_is_401_without_code(sandbox: SandboxProcess, header: str | None) -> None:
    data = raw.request_bytes(raw.CHAT, raw.hello(), authorization=header or "")
    if header is None:
        data = data.replace(b"authorization: \r\n", b"")
    answer = raw.send(sandbox.base_url, data)
    assert (answer.status, answer.error["code"]) == (401, None)


def test_a_wrong_key_is_401_and_masked(sandbox: SandboxProcess) -> None:
    wrong = "sk-proj-0123456789abcdefghij"
    with (
        OpenAI(base_url=sandbox.base_url, api_key=wrong, max_retries=0) as client,
        pytest.raises(AuthenticationError) as caught,
    ):
        client.models.list()
    assert caught.value.code == "invalid_api_key"
    assert wrong not in str(caught.value)
    assert "sk-********ghij" in str(caught.value)


def test_a_short_wrong_key_is_not_shown_at_all(sandbox: SandboxProcess) -> None:
    error = raw.post(sandbox.base_url, raw.CHAT, raw.hello(), authorization="Bearer hunter2").error
    assert "hunter2" not in error["message"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/v1/completions", 404, None),
        ("GET", "/", 404, None),
        ("GET", "/v1/responses/x/y", 404, None),
        ("GET", "/v1/chat/completions", 405, "method_not_supported"),
        ("POST", "/v1/models", 405, "method_not_supported"),
        ("DELETE", "/v1/models/gpt-4.1", 405, "method_not_supported"),
        ("GET", "/v1/responses", 405, "method_not_supported"),
    ],
)
def test_unknown_paths_and_methods(
    sandbox: SandboxProcess, method: str, path: str, status: int, code: str | None
) -> None:
    answer = raw.get(sandbox.base_url, path, method)
    assert (answer.status, answer.error["code"]) == (status, code)


def test_it_knows_every_model_of_the_catalogue(client: OpenAI) -> None:
    listed = {model.id: model for model in client.models.list()}
    assert set(listed) == set(catalogue.models())
    assert listed["gpt-5.1"].shutdown_date == "2027-04-01"
    assert listed["gpt-6-luna"].shutdown_date is None
    assert client.models.retrieve("gpt-5.1").owned_by == "sandbox"
    with pytest.raises(NotFoundError):
        client.models.retrieve("gpt-9")


def test_without_a_day_nothing_is_retired_and_with_one_the_dead_are_gone(client: OpenAI) -> None:
    assert client.responses.create(model="gpt-5.1-codex", input="hi").output_text
    with SandboxProcess(as_of="2026-10-23") as aged, OpenAI(base_url=aged.base_url, api_key=KEY, max_retries=0) as late:
        for model in ("gpt-5.1-codex", "gpt-4.1-nano"):
            with pytest.raises(NotFoundError) as caught:
                late.responses.create(model=model, input="hi")
            assert caught.value.code == "model_not_found"
            assert "deprecated" in str(caught.value)
        assert late.responses.create(model="gpt-5-mini", input="hi").output_text
        assert "gpt-4.1-nano" not in [model.id for model in late.models.list()]
        with pytest.raises(NotFoundError):
            late.models.retrieve("gpt-4.1-nano")
