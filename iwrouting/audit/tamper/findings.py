"""What a verification of the chain finds, and its tally (docs/tamper.md tells operators what each kind means)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from iwrouting.audit.tamper.placed import DECISION, Placed

EDITED, INSERTED, REMOVED, TAIL, LINK, HEAD, KEY, SEAL = (
    "edited",
    "inserted",
    "removed",
    "tail",
    "link",
    "head",
    "key",
    "seal",
)
KEPT = 1000
"""So many findings are listed, so that the memory stays flat; further ones are counted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was written. `first` and `last` are numbers in the writer's chain, or of seals."""

    kind: str
    text: str
    writer: str = ""
    first: int | None = None
    last: int | None = None
    table: str = ""
    row_id: str = ""
    decision_id: str = ""


def of_row(kind: str, row: Placed, text: str) -> Finding:
    """A finding that names a row."""
    values = row.values
    decision = values.get("id" if row.table == DECISION else "decision_id")
    writer = str(values["writer_id"])
    return Finding(kind, text, writer, row.number, row.number, row.table, str(values["id"]), str(decision or ""))


@dataclass(slots=True)
class Tally:
    """What was seen so far. `rows` are those whose hash was computed and is right; so many of all stand in quarantine.

    `unchecked`: taken with the hash they carry, as nothing to compute it from is there (what is before them is missing,
    the key is unknown, or they stand in quarantine without their whole contents). `not_covered`: rows from before
    there was a chain. `sealed_away`: rows that retention removed, as the seals say.
    """

    rows: int = 0
    unchecked: int = 0
    not_covered: int = 0
    quarantined: int = 0
    writers: int = 0
    seals: int = 0
    sealed_away: int = 0
    more: int = 0
    findings: list[Finding] = field(default_factory=list)
    pending: list[Finding] = field(default_factory=list)

    def add(self, finding: Finding) -> None:
        """Keep a finding, or count it where there are too many."""
        self._keep(self.findings, finding)

    def wait(self, finding: Finding) -> None:
        """Keep what is missing now and may still come."""
        self._keep(self.pending, finding)

    def _keep(self, kept: list[Finding], finding: Finding) -> None:
        if len(kept) < KEPT:
            kept.append(finding)
        else:
            self.more += 1

    @property
    def seen(self) -> int:
        """Rows that were looked at."""
        return self.rows + self.unchecked + self.not_covered


def as_dict(finding: Finding) -> dict[str, Any]:
    """A finding for people and programs."""
    return {
        "kind": finding.kind,
        "writer": finding.writer,
        "first": finding.first,
        "last": finding.last,
        "table": finding.table,
        "id": finding.row_id,
        "decision": finding.decision_id,
        "text": finding.text,
    }
