"""`manage.py models_check`: asks upstreams for their models through the SDK, and says what differs or why it can't."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pytest
from django.core.management import CommandError, call_command

from iwrouting import catalogue
from iwrouting.conf import settings
from iwrouting.conf.environment import variables
from iwrouting.management.model_lists import CannotList, list_models, public_address
from iwrouting.models import Alias, Model
from iwrouting.types import UpstreamFacts
from tests.sandbox.process import SandboxProcess
from tests.start.folder import Folder

KEY = "sk-canary-0123456789abcdef"
Answer = tuple[int, str, bytes]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    """A provider's base URL."""
    with SandboxProcess() as running:
        yield running.base_url


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Set variables as if the process had been started with them."""

    def put(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        variables.cache_clear()
        settings.cache_clear()

    put(IW_UPSTREAM_CANARY=KEY)
    yield put
    monkeypatch.undo()
    variables.cache_clear()
    settings.cache_clear()


@contextmanager
def provider(status: int, body: object, kind: str = "application/json", **headers: str) -> Iterator[str]:
    """A provider that answers every request the same; its base URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = body if isinstance(body, str) else json.dumps(body)
            self.send_response(status)
            for name, value in {"content-type": kind, **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def upstream(url: str, *, trusted: bool = True, secret: str = "env:IW_UPSTREAM_CANARY") -> UpstreamFacts:
    return UpstreamFacts("eu", url, secret, connect_timeout_s=1, trusted=trusted)


def fault(url: str, **facts: Any) -> str:
    with pytest.raises(CannotList) as caught:
        list_models(upstream(url, **facts))
    assert KEY not in str(caught.value)
    return str(caught.value)


@pytest.mark.usefixtures("environment")
def test_list__is_read_and_what_is_no_entry_is_left_out() -> None:
    entries: list[Any] = [
        {"id": "a", "object": "model", "created": 1, "owned_by": "x"},
        {"id": "b", "shutdown_date": None},
        {"id": "c", "shutdown_date": "2027-01-14"},
        {"id": "d", "shutdown_date": "soon"},
        {"id": "e", "shutdown_date": ["2027-01-14"]},
        {"id": 7}, {}, {"id": "\x1b[31mred"}, {"id": ""}, None, 7, "text",
    ]  # fmt: skip
    with provider(200, {"object": "list", "data": entries}) as url:
        found = list_models(upstream(url))
    assert set(found) == set("abcde")
    assert [(each.shutdown_date, each.tells_shutdown) for each in found.values()] == [
        (None, False), (None, True), (date(2027, 1, 14), True), (None, False), (None, False),
    ]  # fmt: skip


REFUSALS: list[tuple[int, object, str]] = [
    (401, {"error": {"message": KEY}}, "it does not accept our key (401): check env:IW_UPSTREAM_CANARY."),
    (403, {"error": {"message": KEY}}, "it does not let our key list models (403): check the key's permissions."),
    (404, {}, "it has no list of models (404): check that the base URL ends with /v1."),
    (500, KEY, "it answered 500: try again later."),
    (429, {}, "it answered 429: try again later."),
    (200, {"data": 7}, "its answer is no list of models: check the base URL."),
    (200, [], "its answer is no list of models: check the base URL."),
    (200, "{", "its answer can't be read: check the base URL."),
    (200, "[" * 100_000, "its answer can't be read: check the base URL."),
]


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(("status", "body", "said"), REFUSALS)
def test_answer__that_is_no_list__is_told_with_the_next_step(status: int, body: object, said: str) -> None:
    with provider(status, body) as url:
        assert fault(url) == said


@pytest.mark.usefixtures("environment")
def test_page_in_html_and_redirect__are_no_list() -> None:
    with provider(200, "<html>", "text/html") as url:
        assert fault(url) == "its answer can't be read: check the base URL."
    with provider(302, "", location="http://127.0.0.1:1/v1/models") as url:
        assert fault(url) == "it answered 302: try again later."


@pytest.mark.usefixtures("environment")
def test_upstream__that_can_not_be_asked__says_why() -> None:
    assert fault("http://127.0.0.1:1/v1") == "it can't be reached: check the base URL and the network."
    assert fault("http://127.0.0.1:1/v1", secret="env:IW_UPSTREAM_NONE") == "its key is missing: set IW_UPSTREAM_NONE."
    assert "private, local or metadata address" in fault("http://127.0.0.1:1/v1", trusted=False)


@pytest.mark.usefixtures("environment")
def test_name__that_leads_inside__is_refused_at_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = "https://models.example.com/v1"
    monkeypatch.setattr("socket.getaddrinfo", lambda *args, **kwargs: [(0, 0, 0, "", ("169.254.169.254", 443))])
    assert fault(asked, trusted=False) == (
        "models.example.com is a private, local or metadata address; calls there are refused."
    )
    both = [(0, 0, 0, "", (address, 443)) for address in ("10.0.0.1", "93.184.216.34")]
    monkeypatch.setattr("socket.getaddrinfo", lambda *args, **kwargs: both)
    assert public_address("models.example.com", 443) == "93.184.216.34"


def test_name__that_nobody_knows__can_not_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **kwargs: object) -> list[Any]:
        raise OSError("no such name")

    monkeypatch.setattr("socket.getaddrinfo", unknown)
    with pytest.raises(httpx2.ConnectError):
        public_address("models.example.com", 443)


def check(capsys: pytest.CaptureFixture[str], code: int, *arguments: str) -> tuple[dict[str, Any], str]:
    capsys.readouterr()
    with pytest.raises(CommandError) as caught:
        call_command("models_check", "--format", "json", *arguments)
    assert caught.value.returncode == code
    return json.loads(capsys.readouterr().out), str(caught.value)


@pytest.mark.django_db
def test_catalogue_as_loaded__agrees_with_the_sandbox_until_it_is_changed(
    sandbox: str, environment: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    environment(IW_UPSTREAM_BASE_URL=sandbox, IW_UPSTREAM_API_KEY="sk-sandbox")
    call_command("matrix_load")
    call_command("models_check", "--format", "json")
    said = capsys.readouterr()
    assert json.loads(said.out) == {"version": 1, "findings": [], "errors": {}}
    assert f"sandbox lists {len(catalogue.models())} models." in said.err
    assert said.err.endswith("The catalogue agrees with what the upstreams list.\n")

    row = Model.objects.get(model_id="gpt-5.1")
    row.shutdown_date = date(2030, 1, 2)
    row.save()
    Model.objects.get(model_id="gpt-6-luna").delete()
    Model(model_id="gpt-elsewhere", endpoints=["chat"]).save()
    Alias(name="greeter", kind="role", default_model="gpt-elsewhere").save()
    found, said_last = check(capsys, 3)
    assert said_last == "3 differences from what the upstreams list."
    assert [(each["code"], each["model"], each["catalogue"], each["told"]) for each in found["findings"]] == [
        ("missing_in_use", "gpt-elsewhere", "", ""),
        ("shutdown_differs", "gpt-5.1", "2030-01-02", "2027-04-01"),
        ("new", "gpt-6-luna", "", ""),
    ]
    assert found["findings"][0]["used_by"] == ["default of the alias greeter"]
    assert len(check(capsys, 3, "--no-new", "--upstream", "sandbox")[0]["findings"]) == 2
    with pytest.raises(CommandError):
        call_command("models_check", "--format", "table")
    assert capsys.readouterr().out.splitlines()[0].split() == [
        "code", "upstream", "model", "catalogue", "told", "used_by",
    ]  # fmt: skip


@pytest.mark.django_db
def test_upstream_that_fails__is_exit_code_1_and_an_unknown_one_names_the_known(
    environment: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    environment(IW_UPSTREAM_BASE_URL="http://127.0.0.1:1/v1", IW_UPSTREAM_API_KEY=KEY)
    found, said = check(capsys, 1)
    assert said == "environment: it can't be reached: check the base URL and the network."
    assert found["errors"] == {"environment": "it can't be reached: check the base URL and the network."}
    with pytest.raises(CommandError, match="There is no upstream 'mars': there are environment"):
        call_command("models_check", "--upstream", "mars")


def test_process__asks_the_real_sandbox(prepared: Folder, sandbox: str) -> None:
    done = prepared.manage(
        "models_check", IW_ENV="development", IW_UPSTREAM_BASE_URL=sandbox, IW_UPSTREAM_API_KEY="sk-sandbox"
    )
    assert (done.returncode, json.loads(done.stdout)["findings"]) == (0, []), done.stderr
