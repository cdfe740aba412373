"""Which decisions are asked for: by the columns of the decision, and by those of the outcome that counts."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import StrIndex

from iwrouting.models import Decision, Outcome
from iwrouting.types.ids import first_id

OUTCOME = "outcomes__"
"""Before the name of a column of the outcome."""

RESULT, OPEN = "outcomes__result", "open"
"""How it ended; `open` in the place of a result: it has not."""

TAG = "tag"
NAMED = frozenset({"request_id", "run_id"})
"""Columns that name few decisions, by an index of their own."""

IN_ORDER = "".join(
    f"SET LOCAL {name} = off; " for name in ("enable_hashjoin", "enable_mergejoin", "enable_sort", "jit")
)
"""For PostgreSQL, where outcomes are asked for: that an outcome's time is its decision's it takes for a coincidence, so
it expects one row, and would read whole months to find it. In the order of an index it can stop at a full page."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Decisions made from `start` up to, not including, `end`; None: no bound. `projects`: theirs alone; None: all.

    `lookups`: conditions in Django's words on the columns of Decision, on those of Outcome after OUTCOME, and TAG.
    """

    start: datetime | None = None
    end: datetime | None = None
    projects: Collection[str] | None = None
    lookups: Mapping[str, Any] = field(default_factory=dict)

    def rows(self) -> QuerySet[Decision]:
        """The decisions, each once and in no order."""
        return self.of(Decision.objects.order_by())

    def of(self, decisions: QuerySet[Decision]) -> QuerySet[Decision]:
        """Those of these, each once. Both tables are bounded in time: whole months are left unread."""
        rows = decisions.filter(**self._times(""))
        if self.projects is not None:
            rows = rows.filter(project__in=self.projects)
        said = dict(self.lookups)
        if TAG in said:
            # Tags are letters, digits and ._:/- alone, so that no other text can look like a quoted one.
            place = StrIndex(F("tags"), Value(json.dumps(said.pop(TAG))))
            rows = rows.alias(place=place).filter(place__gt=0)
        if said.get(RESULT) == OPEN:
            del said[RESULT]
            # By ids too: both tables have an index in their order, which alone says which decisions have no outcome.
            rows = rows.filter(~Exists(self._outcomes("pk").filter(**self._ids("decision_id"))), **self._ids("pk"))
        ended = {name: said.pop(name) for name in [*said] if name.startswith(OUTCOME)}
        rows = rows.filter(**said)
        return rows.filter(self._counts(), **ended, **self._times(OUTCOME)) if ended else rows

    @property
    def hints(self) -> str:
        """Statements for PostgreSQL before these rows are read in the order of their time."""
        ended = any(name.startswith(OUTCOME) for name in self.lookups)
        return IN_ORDER if ended and not NAMED & self.lookups.keys() else ""

    def _times(self, prefix: str) -> dict[str, datetime]:
        bounds = {"gte": self.start, "lt": self.end}
        return {f"{prefix}decision_at__{name}": at for name, at in bounds.items() if at is not None}

    def _ids(self, name: str) -> dict[str, UUID]:
        bounds = {"gte": self.start, "lt": self.end}
        return {f"{name}__{bound}": first_id(at) for bound, at in bounds.items() if at is not None}

    def _counts(self) -> Q:
        """That a joined outcome is the one that counts: the server's, else the sweeper's (design.md 6)."""
        server = self._outcomes("outcomes__decision_id").filter(origin="server")
        return Q(Q(outcomes__origin="server") | ~Exists(server), outcomes__decision_at=F("decision_at"))

    def _outcomes(self, of: str) -> QuerySet[Outcome]:
        rows = Outcome.objects.filter(decision_id=OuterRef(of), decision_at=OuterRef("decision_at"))
        return rows.filter(**self._times("")).order_by()
