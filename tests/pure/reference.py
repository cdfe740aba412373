"""The resolver as design.md 2, 4, 5 and 9.4 say it, slow and obvious. Shares no code with the product's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from iwrouting.types import AliasFacts, Configuration, KeyFacts
from tests.pure.worlds import Question

Ladder = list[tuple[str, str | None, str]]
Chain = list[tuple[int, str | None, str, str, str, str | None]]


class NoSuchName(Exception):
    """The name means nothing to this key."""


class NothingSet(Exception):
    """An alias on the way has no model at any source."""


@dataclass(frozen=True)
class Expected:
    """What the resolver must answer. The warnings are pairs of code and model."""

    alias: str | None
    kind: str | None
    model: str
    source: str
    upstream: str
    mode: str | None
    ladder: Ladder
    chain: Chain
    warnings: list[tuple[str, str]]


class Reference:
    """One question to one configuration at one moment."""

    def __init__(self, config: Configuration, question: Question, now: datetime) -> None:
        self.config = config
        self.question = question
        self.now = now

    def answer(self) -> Expected:
        """The expected answer. Raises NoSuchName or NothingSet."""
        asked = self.meant_alias()
        if asked is None:
            return self.named_model()
        mode = self.question.mode if self.infers(asked) else None
        serving = asked if mode is None else self.config.aliases[mode]
        ladder = self.ladder(serving)
        model, source = winner(ladder)
        chain = self.chain([(serving.name, model, source), *self.rungs(serving)])
        return Expected(
            asked.name, asked.kind, model, source, self.upstream(model), mode, ladder, chain, self.warnings(chain)
        )

    def named_model(self) -> Expected:
        name = self.question.name
        if not self.may_name(name):
            raise NoSuchName
        chain = self.chain([(None, name, "explicit")])
        return Expected(
            None,
            None,
            name,
            "explicit",
            self.upstream(name),
            None,
            [("explicit", name, "used")],
            chain,
            self.warnings(chain),
        )

    def meant_alias(self) -> AliasFacts | None:
        """`manager`, `role:manager`, `mode:deep`: and only what the key was granted."""
        for alias in self.config.aliases.values():
            spellings = [alias.name]
            if alias.kind.value == "role":
                spellings.append("role:" + alias.name)
            if alias.kind.value == "chat_mode":
                spellings.append("mode:" + alias.name)
            if self.question.name in spellings and self.granted(alias.name):
                return alias
        return None

    def granted(self, alias: str) -> bool:
        key = self.question.key
        return key is None or key.allowed_aliases is None or alias in key.allowed_aliases

    def infers(self, alias: AliasFacts) -> bool:
        """Only `auto`, asked with messages, with the alias's switch on and that of the override in force, if any."""
        if alias.name != "auto" or self.question.mode not in self.config.aliases:
            return False
        return self.switched_on(alias)

    def switched_on(self, auto: AliasFacts) -> bool:
        for source, override in (("project_override", self.question.project), ("override", None)):
            if winner(self.ladder(auto))[1] == source:
                return auto.infer and self.config.overrides[override, "auto"].infer
        return auto.infer

    def ladder(self, alias: AliasFacts) -> Ladder:
        steps = [
            self.project_override(alias),
            self.override("override", None, alias),
            self.environment(alias),
            text_step("default", alias.default_model),
        ]
        ladder: Ladder = []
        for source, value, state in steps:
            taken = any(earlier == "used" for _, _, earlier in ladder)
            ladder.append((source, value, "shadowed" if state == "used" and taken else state))
        return ladder

    def project_override(self, alias: AliasFacts) -> tuple[str, str | None, str]:
        if self.question.project is None and self.config.database:
            return "project_override", None, "not_set"
        return self.override("project_override", self.question.project, alias)

    def override(self, source: str, project: str | None, alias: AliasFacts) -> tuple[str, str | None, str]:
        if not self.config.database:
            return source, None, "unreadable"
        found = [o for o in self.config.overrides.values() if o.alias == alias.name and o.project == project]
        if not found:
            return source, None, "not_set"
        _, value, state = text_step(source, found[0].model)
        if not found[0].enabled:
            state = "disabled"
        elif found[0].expires_at is not None and self.now >= found[0].expires_at:
            state = "expired"
        elif found[0].starts_at is not None and self.now < found[0].starts_at:
            state = "scheduled"
        return source, value, state

    def environment(self, alias: AliasFacts) -> tuple[str, str | None, str]:
        if alias.variable not in self.config.environment.values:
            return "environment", None, "not_set"
        return text_step("environment", self.config.environment.values[alias.variable])

    def rungs(self, alias: AliasFacts) -> Iterator[tuple[str | None, str, str]]:
        for name in alias.chain:
            if name in self.config.aliases:
                yield name, *winner(self.ladder(self.config.aliases[name]))
            else:
                yield None, name, "explicit"

    def chain(self, candidates: list[tuple[str | None, str, str]]) -> Chain:
        chain: Chain = []
        for alias, model, source in candidates:
            earlier = [rung[2] for rung in chain]
            skip = "duplicate" if model in earlier else self.skip(model)
            chain.append((len(chain), alias, model, source, self.upstream(model), skip))
        return chain

    def skip(self, model: str) -> str | None:
        key, facts = self.question.key, self.config.models.get(model)
        upstream = self.config.upstreams.get(self.upstream(model))
        if key is not None and key.allowed_models is not None and model not in key.allowed_models:
            return "not_allowed"
        if upstream is None or not upstream.enabled or (facts is not None and not facts.enabled):
            return "model_disabled"
        wanted = {self.question.endpoint} | ({"responses"} if self.question.endpoint == "chat" else set())
        if facts is not None and self.question.endpoint is not None and not wanted & facts.endpoints:
            return "endpoint_unsupported"
        return None

    def upstream(self, model: str) -> str:
        facts = self.config.models.get(model)
        return facts.upstream if facts is not None and facts.upstream else self.config.default_upstream

    def may_name(self, model: str) -> bool:
        """An explicit list decides alone; else enabled catalogue models, and what a granted alias can reach."""
        key: KeyFacts | None = self.question.key
        if key is not None and key.allowed_models is not None:
            return model in key.allowed_models
        if model in self.config.models:
            return self.config.models[model].enabled
        return any(model in self.reach(alias) for alias in self.config.aliases.values() if self.granted(alias.name))

    def reach(self, alias: AliasFacts) -> set[str]:
        """The models at which a call for this alias can end."""
        try:
            models = {winner(self.ladder(alias))[0], *(model for _, model, _ in self.rungs(alias))}
            if alias.name == "auto" and self.switched_on(alias):
                modes = [a for a in self.config.aliases.values() if a.kind.value == "chat_mode" and a.name != "auto"]
                models = models.union(*(self.reach(mode) for mode in modes))
        except NothingSet:
            return set()
        return models

    def warnings(self, chain: Chain) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for _, _, model, _, _, _ in chain:
            code = self.finding(model)
            if code and (code, model) not in found:
                found.append((code, model))
        return found

    def finding(self, model: str) -> str:
        facts = self.config.models.get(model)
        if facts is None:
            return "model_unverified"
        if not facts.enabled:
            return "model_disabled"
        today = self.now.date()
        if facts.shutdown_date is None or facts.shutdown_date - today > timedelta(days=90):
            return ""
        return "model_retired" if facts.shutdown_date <= today else "model_retiring"


def winner(ladder: Ladder) -> tuple[str, str]:
    """Model and source of the step that is used. Raises NothingSet."""
    for source, value, state in ladder:
        if state == "used" and value is not None:
            return value, source
    raise NothingSet


def text_step(source: str, text: str) -> tuple[str, str | None, str]:
    """A step whose text counts, without the space around it; blank counts as unset."""
    text = text.strip()
    return source, text or None, "used" if text else "blank"
