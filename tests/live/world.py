"""What all live tests of one test process share: sandbox, database, service, and a small cast of rows."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pytest_django.plugin import DjangoDbBlocker

from iwrouting.models import Model, Project, Upstream
from tests.harness import environment
from tests.live.databases import ALIAS, forget, own_database, readable
from tests.live.processes import ServiceProcess, prepare
from tests.live.recorder import Recorder, recorder
from tests.sandbox.process import SandboxProcess

WRONG_KEY = f"sk-canary{secrets.token_hex(12)}"
"""A provider key that the sandbox does not take: the secret that must be seen nowhere."""

SETTINGS = {
    "IW_UPSTREAM_API_KEY": "sk-sandbox",
    "IW_UPSTREAM_WRONG": WRONG_KEY,
    "IW_ALLOW_PRIVATE_UPSTREAMS": "1",
    "IW_RETRY_BACKOFF_MS": "10",
    "IW_RETRY_AFTER_MAX_S": "1",
    "IW_FIRST_BYTE_TIMEOUT_S": "10",
    "IW_IDLE_TIMEOUT_S": "10",
    "IW_DEADLINE_S": "20",
    "IW_BREAKER_FAILURES": "0",
    "IW_DRAIN_S": "2",
    # What the shared service has told of a journal, the services that tests of alerts start do not tell again.
    "IW_ALERT_OFF": "journal_in_use",
    "IW_MAX_BODY_MB": "1",
    "MAX_EMBED_ITEMS_PER_BATCH": "8",
    "MAX_EMBED_TOKENS_PER_BATCH": "100",
    "OPENAI_MODEL_INTENT": "gpt-4.1-mini",
    "OPENAI_MODEL_SNAPSHOT": " ",
}

# Each of these models is behind an upstream of its own. The first three are models of the catalogue.
HASTY = "gpt-5.6-sol"
"""Answers within half a second or is given up."""
DENIED = "gpt-6.1-terra"
"""Its upstream does not accept our key, WRONG_KEY."""
KEYLESS = "gpt-6.1-sol"
"""Its upstream's secret reference leads to nothing."""
DEAD = "nobody-listens"
"""Connections are refused."""
WALLED = "nobody-accepts"
"""Connections are neither refused nor made."""
RECORDED = "recorded"
"""Takes every parameter; its upstream is the recorder. So is that of the next two."""
RECORDED_REASONING = "recorded-reasoning"
RECORDED_EFFORT = "recorded-effort"

CHAT_ONLY = "gpt-6-luna"
"""A model of the catalogue that only chat serves here."""

RULES: dict[str, dict[str, Any]] = {
    RECORDED_REASONING: {
        "reasoning": True,
        "default_effort": "medium",
        "sampling": "never",
        "completion_cap_param": "max_completion_tokens",
    },
    RECORDED_EFFORT: {
        "reasoning": True,
        "default_effort": "none",
        "sampling": "effort_none",
        "completion_cap_param": "max_completion_tokens",
    },
}


@dataclass(frozen=True)
class Tenant:
    """A project and a key for it."""

    slug: str
    key: str
    row: Project


@dataclass
class World:
    """The processes of one test process and where things are. home: the tenant that its tests share, once made."""

    folder: Path
    env: Mapping[str, str]
    database: str
    sandbox: SandboxProcess
    recorder: Recorder
    service: ServiceProcess
    started: dict[str, ServiceProcess] = field(default_factory=dict)
    home: Tenant | None = None

    def other_service(self, name: str, *, workers: int = 1, ready: bool = True, **settings: str) -> ServiceProcess:
        """A second service on the same database with other settings; started at the first call for its name."""
        env = {**self.env, **settings}
        if name in self.started:
            assert self.started[name].env == env, f"{name} is the name of a service with other settings"
        else:
            process = ServiceProcess(env, self.folder / f"{name}.log", workers=workers)
            self.started[name] = process
            process.start(ready=ready)
        return self.started[name]

    def stop_others(self) -> None:
        """Stop what `other_service` has started: each reads every change of the configuration that a test makes."""
        for process in self.started.values():
            process.stop()
        self.started.clear()

    def stop(self) -> None:
        """Stop every service."""
        self.stop_others()
        self.service.stop()


@contextmanager
def world(
    folder: Path,
    worker: str,
    blocker: DjangoDbBlocker,
    *,
    settings: Mapping[str, str] = MappingProxyType({}),
    rows: Callable[[str], None] = lambda _sandbox: None,
) -> Iterator[World]:
    """Start all of it, and stop it at the end of the block.

    settings: go over SETTINGS. rows: makes more rows before the service starts; it gets the sandbox's base URL.
    """
    with ExitStack() as stack:
        sandbox = stack.enter_context(SandboxProcess(log_path=folder / "sandbox.jsonl"))
        database = stack.enter_context(own_database(folder, worker))
        stack.callback(forget, database)
        recording = stack.enter_context(recorder())
        given = {"DATABASE_URL": database, "IW_UPSTREAM_BASE_URL": sandbox.base_url}
        env = environment.for_tests(folder, None) | SETTINGS | dict(settings) | given
        prepare(env)
        walled = stack.enter_context(accepting_nobody())
        with blocker.unblock(), readable(database):
            make_upstreams(sandbox.base_url, recording.base_url, walled)
            only_chat(CHAT_ONLY)
            rows(sandbox.base_url)
        shared = World(folder, env, database, sandbox, recording, ServiceProcess(env, folder / "service.log"))
        stack.callback(shared.stop)
        shared.service.start()
        yield shared


def make_upstreams(sandbox: str, recording: str, walled: int) -> None:
    """The upstreams beside the environment's, each with its models."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        closed = probe.getsockname()[1]
    ours, wrong = "env:IW_UPSTREAM_API_KEY", "env:IW_UPSTREAM_WRONG"
    for slug, models, base_url, secret_ref in (
        ("hasty", [HASTY], sandbox, ours),
        ("denied", [DENIED], sandbox, wrong),
        ("keyless", [KEYLESS], sandbox, "env:IW_UPSTREAM_UNSET"),
        ("dead", [DEAD], f"http://127.0.0.1:{closed}/v1", ours),
        ("walled", [WALLED], f"http://127.0.0.1:{walled}/v1", ours),
        ("recorder", [RECORDED, RECORDED_REASONING, RECORDED_EFFORT], recording, ours),
    ):
        upstream = Upstream(slug=slug, base_url=base_url, secret_ref=secret_ref)
        upstream.connect_timeout_s = upstream.idle_timeout_s = 0.5
        upstream.first_byte_timeout_s = 0.5 if slug == "hasty" else 5
        super(Upstream, upstream).save(using=ALIAS)
        for model in models:
            row = Model.objects.using(ALIAS).filter(model_id=model).first()
            row = row or Model(model_id=model, endpoints=["chat"], **RULES.get(model, {}))
            row.upstream = upstream
            row.save(using=ALIAS)


def only_chat(model: str) -> None:
    """Take the Responses API from a model."""
    row = Model.objects.using(ALIAS).get(model_id=model)
    row.endpoints = ["chat"]
    row.save(using=ALIAS)


@contextmanager
def accepting_nobody() -> Iterator[int]:
    """A port whose queue of connections is full: nobody refuses, nobody answers."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        yield int(listener.getsockname()[1])
