"""A random walk: operators edit, the environment changes between restarts, callers call. One seed, one walk.

Edits go through the one call, calls through the very code of a service that decides them; no service is started.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import ProtectedError

from iwrouting.calls.caller import identify
from iwrouting.calls.deciding import resolve_call
from iwrouting.calls.draft import Draft
from iwrouting.conf import settings
from iwrouting.conf.environment import variables
from iwrouting.errors import RoutingError
from iwrouting.models import (
    Alias,
    ApiKey,
    Decision,
    EnvironmentSnapshot,
    Model,
    Override,
    Project,
    Upstream,
    change,
    new_key,
)
from iwrouting.snapshot import load
from iwrouting.types import Endpoint, Via

MODELS = ("gpt-4.1", "gpt-4.1-mini", "gpt-5.1", "gpt-5.1-codex", "o3-deep-research", "gpt-5-mini", "unlisted-model")
MODES = ("auto", "fast", "deep", "code", "research")
ROLES = ("manager", "worker_code", "intent")
PROJECTS = ("atlas", "borealis", "cascade")
TEXTS = (
    "Hi",
    "def total(cart):\n    return sum(item.price for item in cart)\n\nWhy does this raise a TypeError?",
    "Compare the literature on retrieval, cite sources and write a comprehensive survey. " * 30,
    "Please explain how a group commit works and why it is fast, with its limits.",
)


class Walk:
    """`counts` tells what was done; `stored` are the decisions, oldest first."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - a test's choices
        self._config = load()
        self.counts: Counter[str] = Counter()
        self.stored: list[Decision] = []

    def step(self) -> None:
        """One edit, one restart under another environment, or one call."""
        roll = self._chance.random()
        if roll < 0.3:
            self.edit()
        elif roll < 0.34:
            self._restart()
        else:
            self._call()

    def begin(self) -> None:
        """The rows of a small installation."""
        with change(author="walk", via=Via.CLI, reason="The walk begins"):
            Upstream(slug="eu", base_url="https://eu.example.com/v1", secret_ref="env:OPENAI_API_KEY").save()
            for model in MODELS[:-1]:
                Model(model_id=model, endpoints=["chat", "responses"]).save()
            Model(model_id="text-embedding-3-small", endpoints=["embeddings"], vector_space="small").save()
            for name in MODES + ROLES:
                kind = "chat_mode" if name in MODES else "role"
                Alias(name=name, kind=kind, default_model="gpt-4.1", variable=f"OPENAI_MODEL_{name.upper()}").save()
            Alias(name="embedding", kind="embedding", default_model="text-embedding-3-small").save()
            for slug in PROJECTS:
                Project(slug=slug, external_id=f"ws-{slug}").save()
        for _ in range(3):
            self._tried(self._key)
        self._restart()

    def _restart(self) -> None:
        """Another process: with other variables, as often as not."""
        for name in MODES + ROLES:
            variable = f"OPENAI_MODEL_{name.upper()}"
            value = self._chance.choice(("", "gpt-5-mini", "gpt-5.1", None, None))
            os.environ.pop(variable, None)
            if value is not None:
                os.environ[variable] = value
        variables.cache_clear()
        self._config = load()
        now, values = datetime.now(UTC), json.dumps(dict(self._config.environment.values))
        EnvironmentSnapshot.objects.get_or_create(
            id=self._config.environment.id, defaults={"first_seen_at": now, "values": values}
        )
        self.counts["restart"] += 1

    def edit(self) -> None:
        """One edit, which may be refused."""
        kind = self._chance.choice(
            (self._override, self._override, self._override, self._alias, self._model, self._project, self._key)
        )
        self._tried(kind)
        self._config = load()

    def _tried(self, edit: Callable[[], None]) -> None:
        try:
            with change(author="walk", via=Via.ADMIN, reason="One step of the walk", acknowledged=("all",)):
                edit()
            self.counts["edit"] += 1
        except (ValidationError, ProtectedError):
            self.counts["refused edit"] += 1

    def _override(self) -> None:
        rows = list(Override.objects.all())
        if rows and self._chance.random() < 0.3:
            self._chance.choice(rows).delete()
            return
        alias = Alias.objects.get(name=self._chance.choice(MODES + ROLES))
        project = self._chance.choice((None, *Project.objects.all()))
        row = Override.objects.filter(alias=alias, project=project).first() or Override(alias=alias, project=project)
        row.model, row.enabled = self._chance.choice(MODELS), self._chance.random() < 0.8
        row.infer = self._chance.random() < 0.8
        row.starts_at, row.expires_at = self._edge(), self._edge()
        row.full_clean()
        row.save()

    def _edge(self) -> datetime | None:
        """A time so near that calls fall on both of its sides."""
        if self._chance.random() < 0.6:
            return None
        return datetime.now(UTC) + timedelta(milliseconds=self._chance.randint(-200, 400))

    def _alias(self) -> None:
        row = self._chance.choice(list(Alias.objects.exclude(kind="embedding")))
        row.default_model = self._chance.choice(MODELS)
        rungs = self._chance.sample([*MODES, *MODELS[:-1]], self._chance.randint(0, 3))
        row.chain = [rung for rung in rungs if rung != row.name]
        row.infer = self._chance.random() < 0.8
        row.full_clean()
        row.save()

    def _model(self) -> None:
        row = self._chance.choice(list(Model.objects.exclude(endpoints=["embeddings"])))
        row.enabled = self._chance.random() < 0.8
        row.endpoints = self._chance.choice((["chat"], ["responses"], ["chat", "responses"]))
        row.upstream = self._chance.choice((None, Upstream.objects.get()))
        row.full_clean()
        row.save()

    def _project(self) -> None:
        row = self._chance.choice(list(Project.objects.all()))
        row.enabled = self._chance.random() < 0.9
        row.full_clean()
        row.save()

    def _key(self) -> None:
        made = new_key()
        row = ApiKey(key_id=made.key_id, sha256=made.sha256, name="walk", project=Project.objects.order_by("?")[0])
        row.projects = self._chance.choice(([], ["*"], ["atlas"]))
        row.scopes = ["call", "resolve"]
        row.allowed_aliases = self._chance.choice((None, None, list(MODES)))
        row.allowed_models = self._chance.choice((None, None, ["gpt-4.1", "gpt-5.1", "unlisted-model"]))
        row.full_clean()
        row.save()

    def _call(self) -> None:
        key = self._chance.choice(list(self._config.keys.values()))
        named = self._chance.choice(("", "", "borealis", "ws-cascade", "nobody"))
        name = self._chance.choice((*MODES, "auto", *ROLES, "mode:deep", "role:manager", "gpt-5.1", "nonsense"))
        messages: list[dict[str, Any]] = [{"role": "user", "content": self._chance.choice(TEXTS)}]
        endpoint = self._chance.choice((Endpoint.CHAT, Endpoint.RESPONSES))
        if self._chance.random() < 0.1:
            name, messages, endpoint = "embedding", [], Endpoint.EMBEDDINGS
        headers = {"x-iw-project": named} if named else {}
        try:
            caller = identify(self._config, settings(), key, headers, ident="walk", started_ns=time.monotonic_ns())
        except RoutingError:
            self.counts["caller refused"] += 1
            return
        draft = Draft(caller, endpoint, self._config, 100)
        try:
            resolve_call(draft, name, messages)
            self.counts["call"] += 1
        except RoutingError:
            self.counts["call refused"] += 1
        self._store(draft)

    def _store(self, draft: Draft) -> None:
        row = {**draft.decision_row(), "writer_id": "walk", "writer_seq": len(self.stored) + 1}
        decision = Decision(**row)
        decision.save(force_insert=True)
        self.stored.append(Decision.objects.get(pk=decision.pk))
