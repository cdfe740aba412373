"""The plan that puts other models in the place of some, and what stays outside it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from iwrouting.models.contents import Content, name_of
from iwrouting.planning.plan import Plan, plan_wanted
from iwrouting.planning.replacing.compared import Compared, compare
from iwrouting.planning.replacing.left import Left, left_in_environment, left_in_keys, left_in_words
from iwrouting.planning.replacing.swaps import Swaps
from iwrouting.snapshot.contents import Contents
from iwrouting.types import Configuration


class Part(StrEnum):
    """Where models are named and can be replaced."""

    DEFAULTS = "defaults"
    OVERRIDES = "overrides"
    CHAINS = "chains"


@dataclass(frozen=True, slots=True)
class Replacing:
    """The plan, how the models differ, and what goes on naming the old ones once it is made true."""

    swaps: Swaps
    plan: Plan
    compared: tuple[Compared, ...]
    left: tuple[Left, ...]


def plan_replacing(
    now: Contents,
    config: Configuration,
    swaps: Swaps,
    at: datetime,
    *,
    parts: Collection[Part] = tuple(Part),
    project: str | None = None,
) -> Replacing:
    """Plan it on top of `now`, whose configuration `config` is; `at` says which overrides have ended, and
    which prices hold.

    `project`: the overrides of this project alone, whatever `parts` says. An override that has ended keeps its model:
    it has no effect, and history is not rewritten. One that is switched off or scheduled gets the new one.
    """
    chosen = {Part.OVERRIDES} if project is not None else set(parts)
    work = _Walk(now, swaps.models, chosen, project, at)
    wanted = {"alias": dict(work.aliases()), "override": dict(work.overrides())}
    left = [
        *work.left,
        *left_in_environment(config, swaps.models),
        *left_in_keys(now, swaps.models),
        *left_in_words(swaps.models),
    ]
    plan = plan_wanted(now, config.revision, wanted)
    return Replacing(swaps, plan, compare(now, config, swaps.models, at), tuple(left))


@dataclass(slots=True)
class _Walk:
    """Goes through the rows that name models."""

    now: Contents
    models: Mapping[str, str]
    parts: set[Part]
    project: str | None
    at: datetime
    left: list[Left] = field(default_factory=list)

    def aliases(self) -> Iterator[tuple[str, Content]]:
        """The aliases with another default or chain."""
        known = {content["name"] for content in self.now["alias"].values()}
        for content in self.now["alias"].values():
            name, default = content["name"], content["default_model"].strip()
            changed: dict[str, object] = {}
            if default in self.models and self._takes(Part.DEFAULTS, f"alias {name}", "default", default):
                changed["default_model"] = self.models[default]
            rungs = [rung for rung in content["chain"] if rung in self.models and rung not in known]
            if rungs and self._takes(Part.CHAINS, f"alias {name}", "chain", rungs[0]):
                changed["chain"] = self._chain(content["chain"], known)
            if changed:
                yield name, {**content, **changed}

    def overrides(self) -> Iterator[tuple[str, Content]]:
        """The overrides with another model."""
        for content in self.now["override"].values():
            model = content["model"].strip()
            if model not in self.models:
                continue
            name = name_of("override", content)
            if self._has_ended(content):
                text = f"it ended at {content['expires_at']} and has no effect: it stays as it is"
                self.left.append(Left("override", name, model, text))
            elif self._is_chosen(content) and self._takes(Part.OVERRIDES, f"override {name}", "model", model):
                yield name, {**content, "model": self.models[model]}

    def _chain(self, chain: list[str], known: set[str]) -> list[str]:
        """With the new models; a model that stands there already is not named twice."""
        return list(dict.fromkeys(rung if rung in known else self.models.get(rung, rung) for rung in chain))

    def _takes(self, part: Part, row: str, field: str, model: str) -> bool:
        if part in self.parts:
            return True
        kind, _, name = row.partition(" ")
        if self.project is None:
            self.left.append(Left(kind, name, model, f"its {field} is left out by --only: add {part} to change it"))
        else:
            text = f"its {field} is no override of {self.project}: leave out --project to change it"
            self.left.append(Left(kind, name, model, text))
        return False

    def _is_chosen(self, content: Content) -> bool:
        if self.project is None or content["project"] == self.project:
            return True
        text = f"it is no override of {self.project}: leave out --project to change it"
        self.left.append(Left("override", name_of("override", content), content["model"].strip(), text))
        return False

    def _has_ended(self, content: Content) -> bool:
        end = content["expires_at"]
        return end is not None and datetime.fromisoformat(end) <= self.at
