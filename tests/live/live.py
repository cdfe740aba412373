"""What one live test works with: clients with a run of their own, tenants, and what sandbox and audit say of them."""

from __future__ import annotations

import itertools
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from openai import OpenAI

from iwrouting.models import Alias, ApiKey, Attempt, Override, Project, Revision, change, new_key
from iwrouting.types import Via
from tests.harness.changes import BY
from tests.live import ledger
from tests.live.databases import ALIAS
from tests.live.processes import ServiceProcess
from tests.live.world import Tenant, World
from tests.sandbox import raw
from tests.sandbox.process import SandboxProcess

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Called:
    """An answer of the SDK with the headers that came with it."""

    answer: Any
    headers: Mapping[str, str]

    @cached_property
    def record(self) -> ledger.Record:
        """What the audit holds of it."""
        return ledger.record(self.headers["x-iw-decision-id"])


@dataclass
class Live:
    """The service under test and one tenant; everything that it sends carries the test's own run id."""

    world: World
    sdk: OpenAI
    run: str = field(default_factory=lambda: f"run-{secrets.token_hex(6)}")
    _since: int = 0

    def __post_init__(self) -> None:
        self.sandbox.clear()
        self._since = self.sandbox.state()["requests"]

    @property
    def service(self) -> ServiceProcess:
        """The service."""
        return self.world.service

    @property
    def sandbox(self) -> SandboxProcess:
        """The provider."""
        return self.world.sandbox

    @cached_property
    def home(self) -> Tenant:
        """A tenant without overrides, which the tests of a world share: every service reads each change of rows.

        A test that changes it, or counts all that it did, asks for the fixture `own_home`.
        """
        if self.world.home is None:
            self.world.home = self.tenant()
        return self.world.home

    def tenant(
        self,
        overrides: Mapping[str, Any] | None = None,
        *,
        external_id: str | None = None,
        introduce: bool = True,
        **key: Any,
    ) -> Tenant:
        """A new project with a key; `overrides` has a model, or the fields of an override, by alias.

        All in one commit, and the service has read it then. Without `introduce` the service is not asked to.
        """
        slug = f"p{next(_numbers)}-{secrets.token_hex(3)}"
        project = Project(slug=slug, name=slug, external_id=external_id)
        with change(author=BY, via=Via.CLI, reason="A test needs this tenant", using=ALIAS):
            project.save(using=ALIAS)
            for alias, given in (overrides or {}).items():
                self.override(alias, given, project)
            text = self._new_key(project, **key)
        if introduce:
            self.introduce(text)
        return Tenant(slug, text, project)

    def override(self, alias: str, given: Any, project: Project | None) -> Override:
        """An override of an alias: a model, or its fields."""
        fields = given if isinstance(given, dict) else {"model": given}
        row = Override(alias=Alias.objects.using(ALIAS).get(name=alias), project=project, **fields)
        row.save(using=ALIAS)
        return row

    def key(self, project: Project, **fields: Any) -> str:
        """A new key of a project, known to the service; its text."""
        text = self._new_key(project, **fields)
        self.introduce(text)
        return text

    def _new_key(self, project: Project, **fields: Any) -> str:
        made = new_key()
        ApiKey(key_id=made.key_id, sha256=made.sha256, name="live", project=project, **fields).save(using=ALIAS)
        return made.text

    def introduce(self, key: str, url: str = "") -> None:
        """Ask with a key until the service has looked it up: a busy one may say at first that it could not."""

        def known() -> bool:
            return raw.get(url or self.base_url, "/v1/models", authorization=f"Bearer {key}").status != 503

        ledger.eventually(known, "the look-up of the key")

    def settle(self) -> int:
        """Wait until the service has read what is committed; the revision."""
        wanted = Revision.objects.using(ALIAS).get().number
        raw.get(self.base_url, "/v1/models", authorization=f"Bearer {new_key().text}")
        ledger.eventually(lambda: self.service.get("/readyz")[1]["revision"] >= wanted, "the new revision")
        return wanted

    @property
    def base_url(self) -> str:
        """Where /v1 is."""
        return f"{self.service.url}/v1"

    def client(self, tenant: Tenant | None = None, *, url: str = "", max_retries: int = 0, **headers: str) -> OpenAI:
        """The SDK for a tenant's key; `headers` with _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if url:
            self.introduce((tenant or self.home).key, url)
        return self.sdk.with_options(
            base_url=f"{url}/v1" if url else self.base_url,
            api_key=(tenant or self.home).key,
            max_retries=max_retries,
            default_headers={"x-iw-run-id": self.run, **named},
        )

    def chat(self, model: str, text: str = "Say hello", *, client: OpenAI | None = None, **more: Any) -> Called:
        """One buffered chat call."""
        create: Any = (client or self.client()).chat.completions.with_raw_response.create
        messages = more.pop("messages", [{"role": "user", "content": text}])
        found = create(model=model, messages=messages, **more)
        return Called(found.parse(), found.headers)

    def stream(self, model: str, text: str = "Say hello", *, client: OpenAI | None = None, **more: Any) -> Called:
        """One streamed chat call, read to its end; `answer` has the chunks."""
        create: Any = (client or self.client()).chat.completions.with_raw_response.create
        messages = more.pop("messages", [{"role": "user", "content": text}])
        found = create(model=model, messages=messages, stream=True, **more)
        with found.parse() as chunks:
            return Called(list(chunks), found.headers)

    def embed(self, given: Any, model: str = "embedding", *, client: OpenAI | None = None, **more: Any) -> Called:
        """One embeddings call."""
        create: Any = (client or self.client()).embeddings.with_raw_response.create
        found = create(model=model, input=given, **more)
        return Called(found.parse(), found.headers)

    def post(self, path: str, body: object, tenant: Tenant | None = None, **headers: str) -> raw.Raw:
        """One POST over a bare socket, with a tenant's key unless `authorization` is among the headers."""
        key = {} if "authorization" in headers else {"authorization": f"Bearer {(tenant or self.home).key}"}
        return raw.post(self.base_url, path, body, wait_s=10, **{**self._common, **key, **headers})

    def get(self, path: str, tenant: Tenant | None = None, **headers: str) -> raw.Raw:
        """One GET over a bare socket."""
        key = {} if "authorization" in headers else {"authorization": f"Bearer {(tenant or self.home).key}"}
        return raw.get(self.base_url, path, **{**self._common, **key, **headers})

    @property
    def _common(self) -> dict[str, str]:
        return {"host": "127.0.0.1", "x_iw_run_id": self.run}

    def resolve(self, alias: str, tenant: Tenant | None = None, **body: Any) -> dict[str, Any]:
        """One recorded resolve."""
        got = self.post("/api/v1/resolve", {"alias": alias, **body}, tenant)
        assert got.status == 200, got.body
        found: dict[str, Any] = got.json
        return found

    def sent(self) -> list[dict[str, Any]]:
        """What the sandbox has logged since the test began."""
        return self.sandbox.requests(self._since)

    def records(self) -> list[ledger.Record]:
        """What the audit holds of this test's run."""
        return ledger.records_of_run(self.run)

    def the_record(self) -> ledger.Record:
        """The only decision of this test's run, as soon as it has its outcome."""
        found = ledger.eventually(lambda: [each for each in self.records() if each.outcomes], "the outcome")
        assert len(self.records()) == 1
        return found[0]

    def agrees(self, found: ledger.Record, *, in_order: bool = True) -> None:
        """Assert that attempts and the sandbox's log tell the same of one decision: its tries, in order, by id.

        A try whose connection broke before any answer may or may not have arrived there.
        """
        agree(found, self.sent(), in_order=in_order)


def agree(found: ledger.Record, sent: list[dict[str, Any]], *, in_order: bool = True) -> None:
    """Assert that the attempts of one decision and these lines of the sandbox's log tell the same."""
    lines = [line for line in sent if str(line["client_request_id"]).startswith(str(found.decision.id))]
    arrived = {str(line["client_request_id"]): line for line in lines}
    assert len(arrived) == len(lines)
    tries = {f"{found.decision.id}-{a.seq}": a for a in found.calls if a.upstream in REACHED}
    wanted = [name for name, a in tries.items() if name in arrived or not broke_off(a)]
    assert list(arrived) == wanted if in_order else sorted(arrived) == sorted(wanted)
    for name, line in arrived.items():
        attempt = tries[name]
        assert line["bytes_in"] == attempt.bytes_sent
        if attempt.status is not None:
            unread = attempt.status == 401 and line["model"] is None
            assert (line["model"], line["status"]) == (None if unread else attempt.model, attempt.status)
            assert line["request_id"] == attempt.upstream_request_id
    assert [attempt.seq for attempt in found.attempts] == list(range(1, len(found.attempts) + 1))


def broke_off(attempt: Attempt) -> bool:
    """Whether a try ended without an answer because its connection did."""
    return attempt.status is None and attempt.error_code == "connection_reset"


REACHED = ("sandbox", "hasty", "denied")
"""The upstreams whose requests arrive at the sandbox."""


def events(body: bytes) -> list[Any]:
    """The data of a stream's frames as JSON; the terminal marker as text, comments left out."""
    data = [frame[6:] for frame in body.split(b"\n\n") if frame.startswith(b"data: ")]
    return [part.decode() if part == b"[DONE]" else json.loads(part) for part in data]


def text_of(chunks: list[Any], choice: int = 0) -> str:
    """The text of one choice of a stream."""
    found = (each for chunk in chunks for each in chunk.choices if each.index == choice)
    return "".join(each.delta.content or "" for each in found)
