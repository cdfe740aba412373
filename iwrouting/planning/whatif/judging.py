"""Which model serves the calls of a group under a configuration, and what they meet there. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from iwrouting.errors import Unavailable, UnknownModel
from iwrouting.planning.whatif.groups import Group
from iwrouting.planning.whatif.splits import refuses_images, refuses_tools
from iwrouting.planning.whatif.statement import LATE_USAGE, RESOLVE
from iwrouting.resolver import endpoint_for, facts_of, resolve
from iwrouting.resolver.warnings import lifecycle_warning
from iwrouting.types import (
    AUTO,
    Configuration,
    Endpoint,
    Inference,
    KeyFacts,
    Kind,
    ModelFacts,
    Resolution,
    Skip,
)

AUTO_NAMES = (AUTO, f"mode:{AUTO}")
SKIPS = {Skip.NOT_ALLOWED: "not_allowed", Skip.MODEL_DISABLED: "disabled", Skip.ENDPOINT_UNSUPPORTED: "endpoint"}
"""What the resolver passes a rung over for, by our own kinds of conflicts."""

REFUSED = "refused"
LIFECYCLE = {"model_retired": "retired", "model_retiring": "retiring", "model_unverified": "unverified"}

Problem = tuple[str, str]
"""A kind of conflict, and the model where it is met; refusals have their reason in its place."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The primary by the ladder, the first rung that can serve, and what is met on the way; no model: refused."""

    primary: str
    model: str
    upstream: str
    problems: frozenset[Problem]


@dataclass(slots=True)
class Judge:
    """Judges under one configuration. `today` is for lifecycles: a model that is gone now is gone for the change.

    `barred` are the ids of keys that the change takes away.
    """

    config: Configuration
    today: date
    barred: frozenset[str] = frozenset()
    _keys: dict[str, KeyFacts] = field(default_factory=dict)
    _resolved: dict[tuple[object, ...], Resolution | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._keys = {key.key_id: key for key in self.config.keys.values()}

    def judge(self, group: Group, now: datetime) -> Verdict:
        """The verdict for a group's calls as if they came at `now`."""
        found = self._resolution(group, now)
        if isinstance(found, str):
            return Verdict("", "", "", frozenset({(REFUSED, found)}))
        if group.endpoint != RESOLVE and self._over_cap(group, found):
            return Verdict(found.model, "", "", frozenset({(REFUSED, "token_cap")}))
        problems: set[Problem] = set()
        for rung in found.chain:
            model = rung.model or ""
            facts = facts_of(self.config, model)
            if rung.skip is not None:
                problems |= {(SKIPS[rung.skip], model)} if rung.skip in SKIPS else set()
            elif _over_window(facts, group):
                problems.add(("window", model))
            else:
                problems.update((kind, model) for kind in self._met(facts, group))
                return Verdict(found.model, model, rung.upstream, frozenset(problems))
        return Verdict(found.model, "", "", frozenset({*problems, (REFUSED, "no_rung")}))

    def _resolution(self, group: Group, now: datetime) -> Resolution | str:
        """The resolver's answer, or why there would be none."""
        asked = (group.project, group.key_id, group.asked, group.mode, group.endpoint, now)
        if asked not in self._resolved:
            self._resolved[asked] = self._resolve(group, now)
        return self._resolved[asked]

    def _resolve(self, group: Group, now: datetime) -> Resolution | str:
        project = self.config.projects.get(group.project)
        if project is not None and not project.enabled:
            return "project_disabled"
        if group.key_id in self.barred:
            return "key"
        inference = Inference(group.mode, "", {}) if group.mode and group.asked in AUTO_NAMES else None
        is_call = group.endpoint != RESOLVE
        endpoint = endpoint_of(group) if is_call else endpoint_for(self.config, group.asked)
        try:
            found = resolve(
                self.config,
                group.asked,
                project=project.slug if project else None,
                now=now,
                inference=inference,
                endpoint=endpoint,
                key=self._keys.get(group.key_id),
            )
        except UnknownModel:
            return "unknown_name"
        except Unavailable:
            return "no_model"
        embeds = endpoint == Endpoint.EMBEDDINGS
        wrong = is_call and found.kind is not None and (found.kind is Kind.EMBEDDING) != embeds
        return "kind" if wrong else found

    def _over_cap(self, group: Group, found: Resolution) -> bool:
        """Whether the input passes a cap of the project, the alias, or the mode that it is taken for."""
        names = (found.alias or "", found.inference.mode if found.inference else "")
        holders = (self.config.projects.get(group.project), *(self.config.aliases.get(name) for name in names))
        caps = [each.max_context_tokens for each in holders if each is not None and each.max_context_tokens]
        return any(group.input > cap for cap in caps)

    def _met(self, facts: ModelFacts, group: Group) -> Iterator[str]:
        if facts.max_output is not None and group.output > facts.max_output:
            yield "output"
        if group.used_tools and refuses_tools(facts):
            yield "tools"
        if group.read_images and refuses_images(facts):
            yield "images"
        if group.endpoint != RESOLVE and facts.served_at(endpoint_of(group)) != endpoint_of(group):
            yield "translated"
        code = lifecycle_warning(facts, self.today, self.config.lifecycle_warning_days).partition(":")[0]
        if code in LIFECYCLE:
            yield LIFECYCLE[code]


def endpoint_of(group: Group) -> str:
    """Where the calls of a group came: usage that was told later belongs to a response."""
    return Endpoint.RESPONSES if group.endpoint == LATE_USAGE else group.endpoint


def _over_window(facts: ModelFacts, group: Group) -> bool:
    """Whether prompt, or prompt and answer together, are more than the model takes.

    Vectors are limited by the item, of which nothing is recorded, and a name that is resolved alone has no prompt.
    """
    if group.endpoint in (Endpoint.EMBEDDINGS, RESOLVE):
        return False
    over_input = facts.max_input is not None and group.input > facts.max_input
    return over_input or (facts.context_window is not None and group.whole > facts.context_window)


def vector_problem(before: ModelFacts, after: ModelFacts) -> bool:
    """Whether vectors of both must not stand in one store: other spaces or widths, or spaces that nobody knows."""
    return before.id != after.id and not (
        before.vector_space and before.vector_space == after.vector_space and before.dimensions == after.dimensions
    )
