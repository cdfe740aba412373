"""Random worlds of overrides, variables and defaults, and what the one resolver says of them."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

from iwrouting.models import Alias, EnvironmentSnapshot, Model, Override, Project, Upstream, Writer, change
from iwrouting.resolver import infers, resolve
from iwrouting.snapshot import load
from iwrouting.types import Configuration, EnvironmentFacts, LadderStep, State, Via

MODELS = ("plain", "at-eu", "off", "shut", "closing", "unlisted")
STATES = ("none", "disabled", "scheduled", "expired", "expired-early", "used")
VALUES = (None, "", *MODELS[:2], "unlisted")
STEPS = ("project_override", "override", "environment", "default")


class World:
    """Every state of an override against every other and every kind of value; a seed decides the rest."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - a test's choices
        self.now = datetime.now(UTC)
        self.values: dict[str, str] = {}

    def make(self) -> None:
        """Store it, as one change, with a living process under its variables."""
        with change(author="tests", via=Via.CLI, reason="A world begins"):
            self._models()
            projects = [Project.objects.create(slug=state, enabled=state != "used") for state in STATES]
            for number, (everywhere, value) in enumerate(product(STATES, VALUES)):
                self._alias(f"alias-{number}", everywhere, value, projects)
            self._alias("auto", self._chance.choice(STATES), self._chance.choice(VALUES), projects)
        self.live("e1", self.values)

    def live(self, environment: str, values: dict[str, str], *, beat: int = 0, ended: bool = False) -> None:
        """A process under these variables, whose heart last beat so many seconds ago."""
        EnvironmentSnapshot.objects.get_or_create(
            id=environment, defaults={"first_seen_at": self.now, "values": json.dumps(values)}
        )
        at = self.now - timedelta(seconds=beat)
        made: dict[str, Any] = {"host": "h", "pid": 1, "key_id": "k", "app_version": "a", "mode": "database"}
        number = f"w{Writer.objects.count()}"
        Writer.objects.create(
            id=number,
            started_at=at,
            heartbeat_at=at,
            ended_at=at if ended else None,
            environment_id=environment,
            **made,
        )

    def configuration(self) -> Configuration:
        """As the workers under its variables have it."""
        return replace(load(), environment=EnvironmentFacts("e1", self.values))

    def _models(self) -> None:
        today = self.now.date()
        eu = Upstream.objects.create(slug="eu", base_url="https://eu.example.com/v1")
        make = Model.objects.create
        make(model_id="plain", endpoints=["chat"], tier="mid")
        make(model_id="at-eu", endpoints=["chat"], upstream=eu)
        make(model_id="off", endpoints=["chat"], enabled=False)
        make(model_id="shut", endpoints=["chat"], shutdown_date=today)
        make(model_id="closing", endpoints=["chat"], shutdown_date=today + timedelta(days=9))

    def _alias(self, name: str, everywhere: str, value: str | None, projects: list[Project]) -> None:
        variable = self._chance.choice(("", *[f"OPENAI_MODEL_{name.upper().replace('-', '_')}"] * 3))
        if value is not None:
            self.values[variable or "OPENAI_MODEL_OF_NO_ALIAS"] = value
        alias = Alias.objects.create(
            name=name,
            kind="chat_mode",
            variable=variable,
            default_model=self._chance.choice(MODELS),
            infer=self._chance.random() < 0.8,
            tier="small",
        )
        for project, state in [(None, everywhere), *((each, each.slug) for each in projects)]:
            if state != "none":
                self._override(alias, project, state)

    def _override(self, alias: Alias, project: Project | None, state: str) -> None:
        past, future = self.now - timedelta(hours=2), self.now + timedelta(hours=2)
        starts, expires = {
            "disabled": (None, None),
            "scheduled": (future, None),
            "expired": (None, past),
            "expired-early": (past - timedelta(days=1), past),
            "used": (self._chance.choice((None, past)), self._chance.choice((None, future))),
        }[state]
        Override.objects.create(
            alias=alias,
            project=project,
            model=self._chance.choice(MODELS),
            enabled=state != "disabled",
            infer=self._chance.random() < 0.5,
            starts_at=starts,
            expires_at=expires,
        )


def answer(config: Configuration, alias: str, project: str, now: datetime) -> dict[str, Any]:
    """What the one resolver says, in the view's words."""
    found = resolve(config, alias, project=project or None, now=now)
    steps = {step.source.value: step for step in found.ladder}
    used = next(step for step in found.ladder if step.state is State.USED)
    told: dict[str, Any] = {
        "model": found.model,
        "source": found.source.value,
        "override_id": int(used.ref.removeprefix("override:")) if used.ref.startswith("override:") else None,
        "variable": config.aliases[alias].variable,
        "upstream": "" if found.upstream == config.default_upstream else found.upstream,
        "is_inferring": int(infers(config, config.aliases[alias], project or None, now)),
        "revision": found.revision,
        "environment_id": found.environment_id,
    }
    states = {f"{name}_state": steps[name].state.value for name in STEPS}
    return told | states | {f"{name}_model": _value(steps[name]) for name in STEPS}


def _value(step: LadderStep) -> str | None:
    return "" if step.state is State.BLANK else step.value
