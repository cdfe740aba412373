"""Over sockets: the lean routes against the authority table and the OpenAPI document, races, and Swagger's page."""

from __future__ import annotations

import http.client
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from django.conf import settings
from openai import APIStatusError, OpenAI
from playwright.sync_api import sync_playwright
from pytest_django.plugin import DjangoDbBlocker

from iwrouting.api.authority import AUTHORITY
from iwrouting.api.schema.generator import openapi
from iwrouting.models import ApiKey, Project, Revision, new_key
from iwrouting.types import Scope
from tests.api.cells import CALLERS, METHODS, expected, of_map, wanted_scopes
from tests.api.conftest import EDITOR
from tests.api.document import faults
from tests.api.test_page import managing, parts
from tests.harness.programs import find_chromium
from tests.live.databases import ALIAS, readable
from tests.live.ledger import eventually
from tests.live.world import World

PATHS = {
    "chat-completions": "/v1/chat/completions",
    "responses": "/v1/responses",
    "response": "/v1/responses/resp_1",
    "response-cancel": "/v1/responses/resp_1/cancel",
    "response-input-items": "/v1/responses/resp_1/input_items",
    "embeddings": "/v1/embeddings",
    "models": "/v1/models",
    "model": "/v1/models/fast",
    "resolve": "/api/v1/resolve?alias=fast",
    "healthz": "/healthz",
    "readyz": "/readyz",
}
CELLS = [(route, method, caller) for route in PATHS for method in METHODS for caller in CALLERS]
HELLO = [{"role": "user", "content": "Say hello."}]


@dataclass(frozen=True)
class Answer:
    """An answer off the socket; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


class Service:
    """The running service, and keys that it has read, by their scopes."""

    def __init__(self, world: World) -> None:
        self.at = world.service.url.removeprefix("http://")
        self.keys = {frozenset[str](): ""}

    def ask(self, method: str, path: str, key: str = "", body: object = None, **headers: str) -> Answer:
        """One request on a connection of its own."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent |= {"authorization": f"Bearer {key}"} if key else {}
        data = None if body is None else json.dumps(body)
        link = http.client.HTTPConnection(self.at, timeout=20)
        try:
            link.request(method, path, data, {"content-type": "application/json", **sent})
            answer = link.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())
        finally:
            link.close()

    def key(self, *scopes: str) -> str:
        """A key for all projects with these scopes; made at the first call."""
        wanted = frozenset(scopes)
        if wanted not in self.keys:
            made = new_key()
            project, _ = Project.objects.using(ALIAS).get_or_create(slug="atlas")
            row = ApiKey(key_id=made.key_id, sha256=made.sha256, name="sockets", project=project, projects=["*"])
            row.scopes = sorted(wanted)
            if wanted == frozenset(Scope):
                row.key_id = EDITOR
            row.save(using=ALIAS)
            self.keys[wanted] = made.text
            eventually(lambda: self.ask("GET", "/v1/models", made.text).status == 200, "that the key is known")
        return self.keys[wanted]


@pytest.fixture(scope="module")
def served(running: World) -> Service:
    return Service(running)


@pytest.fixture
def service(served: Service, running: World, django_db_blocker: DjangoDbBlocker) -> Iterator[Service]:
    """The service, its database readable."""
    with django_db_blocker.unblock(), readable(running.database):
        yield served


@pytest.fixture
def key(service: Service) -> str:
    """A key that may do everything."""
    return service.key(*(scope.value for scope in Scope))


def test_these_tests_reach_every_lean_route() -> None:
    assert set(PATHS) == set(of_map(settings.LEAN_URLCONF)) - {"not-found"}
    assert AUTHORITY["not-found"] == {}


@pytest.mark.parametrize(("route", "method", "caller"), CELLS)
def test_each_cell_of_the_lean_routes(service: Service, route: str, method: str, caller: str) -> None:
    key = service.key(*wanted_scopes(route, method, caller))
    answer = service.ask(method, PATHS[route], key, {} if method not in ("GET", "HEAD") else None)
    assert expected(route, method, caller).fits(answer.status, answer.headers), (answer.status, answer.body)
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize("method", [*METHODS, "PROPFIND"])
def test_a_lean_path_that_leads_nowhere_is_not_found_by_any_method(service: Service, method: str) -> None:
    for path in ("/v1/nothing", "/v1/", "/v1/chat/completions/"):
        answer = service.ask(method, path)
        assert answer.status == 404
        if method != "HEAD":
            assert answer.json["error"]["code"] == "not_found"


def test_a_method_that_nobody_knows_is_not_possible(service: Service, key: str) -> None:
    for method in ("PROPFIND", "TRACE", "SEARCH"):
        answer = service.ask(method, "/v1/models", key)
        assert (answer.status, answer.json["error"]["code"]) == (405, "method_not_allowed")
        assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    ("method", "path", "address", "body", "status"),
    [
        ("POST", "/v1/chat/completions", "", {"model": "auto", "messages": HELLO}, 200),
        ("POST", "/v1/chat/completions", "", {"model": "manger", "messages": HELLO}, 404),
        ("POST", "/v1/chat/completions", "", {"model": "fast", "messages": []}, 400),
        ("POST", "/v1/chat/completions", "", {"model": "nobody-listens", "messages": HELLO}, 502),
        ("POST", "/v1/responses", "", {"model": "auto", "input": "Say hello."}, 200),
        ("POST", "/v1/responses", "", {"model": "auto", "input": 1}, 400),
        ("POST", "/v1/responses", "", {"model": "manger", "input": "Say hello."}, 404),
        ("GET", "/v1/responses/{response_id}", "/v1/responses/resp_1", None, 404),
        ("DELETE", "/v1/responses/{response_id}", "/v1/responses/resp_1", None, 404),
        ("POST", "/v1/responses/{response_id}/cancel", "/v1/responses/resp_1/cancel", None, 404),
        ("GET", "/v1/responses/{response_id}/input_items", "/v1/responses/resp_1/input_items", None, 404),
        ("POST", "/v1/embeddings", "", {"model": "embedding", "input": ["a", "b"]}, 200),
        ("POST", "/v1/embeddings", "", {"model": "embedding", "input": []}, 400),
        ("GET", "/v1/models", "", None, 200),
        ("GET", "/v1/models/{name}", "/v1/models/fast", None, 200),
        ("GET", "/v1/models/{name}", "/v1/models/gpt-4.1", None, 200),
        ("GET", "/v1/models/{name}", "/v1/models/gpt-0", None, 404),
        ("POST", "/api/v1/resolve", "", {"alias": "auto", "messages": HELLO}, 200),
        ("POST", "/api/v1/resolve", "", {"aliases": ["fast", "gpt-4.1"], "dry_run": True}, 200),
        ("POST", "/api/v1/resolve", "", {"alias": "fast", "as_of": 1}, 400),
        ("GET", "/api/v1/resolve", "/api/v1/resolve?alias=manager", None, 200),
        ("GET", "/api/v1/resolve", "/api/v1/resolve?alias=manger", None, 404),
        ("GET", "/healthz", "", None, 200),
        ("GET", "/readyz", "", None, 200),
    ],
)
def test_the_lean_routes_answer_as_described(
    service: Service, key: str, method: str, path: str, address: str, body: object, status: int
) -> None:
    answer = service.ask(method, address or path, key, body)
    assert answer.status == status, answer.body
    assert faults(method, path, status, answer.json) == []


def test_the_decision_of_a_call_is_read_back(service: Service, key: str) -> None:
    called = service.ask("POST", PATHS["chat-completions"], key, {"model": "auto", "messages": HELLO}, x_iw_tags="a,b")
    ident = called.headers["x-iw-decision-id"]
    answer = service.ask("GET", f"/api/v1/decisions/{ident}", key, x_request_id="read-1")
    assert answer.status == 200
    assert faults("GET", "/api/v1/decisions/{decision_id}", 200, answer.json) == []
    found = answer.json
    assert (found["decision_id"], found["request_id"]) == (ident, called.headers["x-request-id"])
    assert (found["alias"], found["inferred_mode"], found["tags"]) == ("auto", called.headers["x-iw-mode"], ["a", "b"])
    assert found["outcome"]["model_served"] == called.headers["x-iw-model"] == called.json["model"]
    assert found["outcome"]["cost_state"] == "exact"
    assert len(found["attempts"]) == int(called.headers["x-iw-attempts"])
    assert answer.headers["x-request-id"] == "read-1"


def test_the_commands_of_the_page_work(service: Service, key: str) -> None:
    decision = ""
    for heading, text in parts():
        words = shlex.split(re.findall(r"```sh\n(.*?)```", text, re.DOTALL)[0].replace("\\\n", " "))
        given = dict(pairwise(words))
        address = next(word for word in words if word.startswith("$IW/")).removeprefix("$IW")
        if decision and "/decisions/" in address:
            address = f"/api/v1/decisions/{decision}"
        if "resp_1" in address:
            asked = {"model": "gpt-4.1", "input": "Say hello.", "background": True}
            address = address.replace("resp_1", service.ask("POST", PATHS["responses"], key, asked).json["id"])
        body = json.loads(given["-d"]) if "-d" in given else None
        method = given.get("-X") or ("POST" if body else "GET")
        answer = service.ask(method, address, key if "Authorization: Bearer $KEY" in words else "", body)
        assert answer.status in (200, 201), (heading, answer.body)
        assert heading.startswith(method)
        decision = decision or answer.headers["x-iw-decision-id"]


PLACES = {
    "overrides/12": "overrides",
    "prices/731": "prices",
    "keys/0f3a9c1d2e": "keys",
}
"""What the managing page calls a row whose name the service gives."""


def test_the_commands_of_the_managing_page_work(service: Service, key: str) -> None:
    asked = {"model": "auto", "messages": HELLO}
    decision = service.ask("POST", PATHS["chat-completions"], key, asked).headers["x-iw-decision-id"]
    line = service.ask("GET", "/api/v1/changes?kind=configuration", key).json["results"][0]
    names = {"019aad1e-4c7b-7000-8a3b-5f0c9d2e7b11": decision, "changes/57": f"changes/{line['id']}"}
    # Another page's commands have made the project maps.
    names |= {"maps": "charts", "p-1": "p-charts"}
    for command in managing():
        path, said = command.path, json.dumps(command.body)
        for told, real in names.items():
            path, said = path.replace(told, real), said.replace(told, real)
        headers = dict(command.headers)
        if "If-Match" in headers:
            headers["If-Match"] = service.ask("GET", path, key).headers["etag"]
        answer = service.ask(command.method, path, key, json.loads(said), **headers)
        assert answer.status in (200, 201), (command, answer.body)
        assert faults(command.method, command.template, answer.status, answer.json) == []
        for told, kind in PLACES.items():
            if answer.status == 201 and command.template == f"/api/v1/{kind}":
                names[told] = answer.headers["location"].removeprefix("/api/v1/")


def test_a_project_made_at_run_time_counts_from_the_next_call_on(service: Service, key: str) -> None:
    made = service.ask("PUT", "/api/v1/projects/run-time:1", key, {"slug": "run-time"})
    called = service.ask("GET", "/api/v1/resolve?alias=fast", key, x_iw_project="run-time:1")
    assert (made.status, called.status) == (201, 200)
    assert called.json["revision"] == made.json["revision"]
    assert [warning for warning in called.json["warnings"] if warning.startswith("unknown_project")] == []


def test_of_many_that_make_one_project_one_makes_it(service: Service, key: str) -> None:
    before = Revision.objects.using(ALIAS).get().number
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(service.ask, "PUT", "/api/v1/projects/race", key, {"name": "R"}) for _ in range(8)]
        answers = [each.result() for each in asked]
    assert sorted(answer.status for answer in answers) == [200] * 7 + [201]
    assert len({answer.body for answer in answers}) == 1
    assert Revision.objects.using(ALIAS).get().number == before + 1


def test_of_many_that_change_one_project_none_is_lost(service: Service, key: str) -> None:
    service.ask("PUT", "/api/v1/projects/busy", key, {})
    before = Revision.objects.using(ALIAS).get().number
    bodies: list[dict[str, Any]] = [{"name": "N"}, {"owner": "O"}, {"enabled": False}]
    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(service.ask, "PUT", "/api/v1/projects/busy", key, body) for body in bodies]
        answers = [each.result() for each in asked]
    row = Project.objects.using(ALIAS).get(external_id="busy")
    assert (row.name, row.owner, row.enabled) == ("N", "O", False)
    assert sorted(answer.json["revision"] for answer in answers) == [before + 1, before + 2, before + 3]


def test_of_many_that_change_one_row_on_top_of_the_same_one_does(service: Service, key: str) -> None:
    etag = service.ask("GET", "/api/v1/aliases/manager", key).headers["etag"]
    bodies = [{"purpose": f"Plans {number}", "change_reason": "A race"} for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        asked = [
            pool.submit(service.ask, "PATCH", "/api/v1/aliases/manager", key, body, if_match=etag) for body in bodies
        ]
        answers = [each.result() for each in asked]
    assert sorted(answer.status for answer in answers) == [200] + [412] * 5
    [won] = [answer.json for answer in answers if answer.status == 200]
    for lost in (answer.json["error"]["details"] for answer in answers if answer.status == 412):
        assert [each["stored"] for each in lost if each["field"] == "purpose"] == [won["purpose"]]
    assert service.ask("GET", "/api/v1/aliases/manager", key).json == won


def test_of_many_posts_of_one_attempt_one_makes_a_key_and_the_others_tell_where(service: Service, key: str) -> None:
    body = {"name": "race", "project": "atlas", "change_reason": "A race"}
    with ThreadPoolExecutor(6) as pool:
        asked = [
            pool.submit(service.ask, "POST", "/api/v1/keys", key, body, idempotency_key="race-1") for _ in range(6)
        ]
        answers = [each.result() for each in asked]
    assert sorted(answer.status for answer in answers) == [201] + [409] * 5
    assert {answer.json["error"]["code"] for answer in answers if answer.status == 409} == {"already_answered"}
    [made] = ApiKey.objects.using(ALIAS).filter(name="race")
    assert {answer.headers["location"] for answer in answers} == {f"/api/v1/keys/{made.key_id}"}


def test_the_openai_client_reads_what_refuses_a_change(service: Service, key: str) -> None:
    client = OpenAI(base_url=f"http://{service.at}/api/v1", api_key=key, max_retries=2)
    alias = {"name": "fast", "kind": "role", "default_model": "gpt-5.1", "change_reason": "A test"}
    override = {"alias": "fast", "model": "nobody-knows", "change_reason": "A test"}
    chain = {"chain": ["manager", "manager"], "change_reason": "A test"}
    cases: list[tuple[int, str, Any]] = [
        (409, "already_exists", lambda: client.post("/aliases", cast_to=object, body=alias)),
        (409, "not_acknowledged", lambda: client.post("/overrides", cast_to=object, body=override)),
        (400, "reason_required", lambda: client.post("/aliases", cast_to=object, body={})),
        (428, "match_required", lambda: client.patch("/aliases/fast", cast_to=object, body=chain)),
        (404, "not_found", lambda: client.get("/aliases/none", cast_to=object)),
    ]
    for status, code, ask in cases:
        with pytest.raises(APIStatusError) as caught:
            ask()
        assert (caught.value.status_code, caught.value.code) == (status, code)
        assert caught.value.request_id
        # The client says with each repetition which one it is: it made none.
        assert caught.value.request.headers["x-stainless-retry-count"] == "0"


def test_swaggers_page_works_under_the_policy_without_the_internet(service: Service) -> None:
    asked: list[str] = []
    wrong: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(find_chromium()), args=["--no-sandbox"])
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(f"http://{service.at}/api/docs")
        page.wait_for_selector("#operations-Management-put_project")
        shown = page.locator(".opblock").count()
        browser.close()
    assert shown == sum(len(each) for each in openapi()["paths"].values())
    assert wrong == []
    assert [url for url in asked if not url.startswith((f"http://{service.at}/", "data:"))] == []
