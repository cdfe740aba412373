"""All cells of the matrix: each case in each of its modes, with models of its own, so that no cell touches another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from iwrouting.models import Alias, Model, Upstream
from tests.faults import stream_cases, upstream_cases
from tests.faults.cases import Case
from tests.faults.modes import MODES, Mode
from tests.live.databases import ALIAS, IS_POSTGRESQL

U_ROWS = range(1, 29)
BEHIND = "gpt-4.1"
"""The healthy model behind the first one of a chain."""


@dataclass(frozen=True)
class Cell:
    """One case in one mode. `number` makes its names."""

    number: int
    case: Case
    mode: Mode

    @property
    def alias(self) -> str:
        """The alias with the chain."""
        return f"cell{self.number}"

    @property
    def label(self) -> str:
        """The name of its test."""
        return f"{self.case.id}-{self.case.title}-{self.mode.name}".replace(" ", "_").replace(",", "")

    def model(self, part: str) -> str:
        """The first model: of the `chain` call, or of the `alone` call; or one `behind`."""
        return f"ft:{self.mode.base}:{part}:{self.number}"

    @property
    def behind(self) -> list[str]:
        """The models behind the first."""
        if self.case.rest is None:
            return [BEHIND]
        return [self.model(f"behind{index}") for index in range(len(self.case.rest))]

    def rules(self) -> Iterator[dict[str, Any]]:
        """The rules of the sandbox's plan."""
        if self.case.fault is not None:
            yield {"match": {"model": [self.model("chain"), self.model("alone")]}, "fault": self.case.fault}
        for model, fault in zip(self.behind, self.case.rest or (), strict=False):
            yield {"match": {"model": model}, "fault": fault}

    def rows(self, upstreams: dict[str, Upstream]) -> Iterator[Model | Alias]:
        """The rows of its models and of its alias."""
        for part in ("chain", "alone"):
            yield self._model(self.model(part), upstreams, **self.case.facts)
        if self.case.rest is not None:
            yield from (self._model(model, {}) for model in self.behind)
        if self.mode.chained:
            yield Alias(name=self.alias, kind="role", default_model=self.model("chain"), chain=self.behind)

    def _model(self, name: str, upstreams: dict[str, Upstream], **facts: Any) -> Model:
        known = {"context_window": 1_047_576, "max_input": 1_047_576, **facts}
        upstream = upstreams.get(self.case.upstream)
        return Model(model_id=name, endpoints=[self.mode.served], upstream=upstream, **known)


def cases() -> Iterator[Case]:
    """Every case, in the order of the rows."""
    for number in U_ROWS:
        for module in (upstream_cases, stream_cases):
            yield from getattr(module, f"U{number}", ())


STORED = ("U1", "U9", "U16", "U22", "U26", "U27", "U28")
"""The rows that PostgreSQL runs too: those that store something odd. What the others do no database can change."""


def cells() -> list[Cell]:
    """Every cell; on PostgreSQL those of some rows."""
    pairs = [(case, MODES[name]) for case in cases() for name in case.modes]
    found = [Cell(number, case, mode) for number, (case, mode) in enumerate(pairs)]
    return [cell for cell in found if cell.case.id in STORED or not IS_POSTGRESQL]


def make_rows(sandbox: str) -> None:
    """Store upstreams that can't be reached, and the models and aliases of all cells."""
    bases = {"nameless": "http://nobody.invalid/v1", "untlsed": sandbox.replace("http://", "https://"),
             "refusing": "http://127.0.0.1:9/v1"}  # fmt: skip
    upstreams = {}
    for slug, base in bases.items():
        upstreams[slug] = Upstream(slug=slug, base_url=base, secret_ref="env:IW_UPSTREAM_API_KEY")
        upstreams[slug].save(using=ALIAS)
    for cell in cells():
        for row in cell.rows(upstreams):
            row.save(using=ALIAS)
