"""Verifies the chains of all writers and the chain of seals (design.md 6). Reads alone; blocks.

Each writer is read up to where it is when its turn comes, in an order in which nothing that is written or removed
meanwhile looks like a finding: its `Writer` row, its last number, then the rows; what is missing is looked for again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple

from iwrouting.audit.tamper.awaited import Awaited, Surroundings
from iwrouting.audit.tamper.chain import HASH, AuditKey
from iwrouting.audit.tamper.findings import INSERTED, KEY, Finding, Tally, of_row
from iwrouting.audit.tamper.following import Follower, Head, Known, Place, Run, fitting_key
from iwrouting.audit.tamper.placed import Placed
from iwrouting.audit.tamper.reading import LOWEST, Reader
from iwrouting.audit.tamper.sealed import Exported, Sealed, check_seals, seals_after
from iwrouting.models import Writer

STEP = 500
"""After so many rows whoever runs this hears of it."""

TRIED = 20
"""By so many first rows of a writer its key is found."""

LOOKS = 10
"""So many holes of a writer are looked at again; more of them are no passing state."""

LOOK_S = 1.0
"""So long a live writer has for rows that it quarantines while others are stored already."""

GRACE = timedelta(days=1)
"""After the first seal older processes may write so long without a hash, while a release is rolled out."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is to be verified: one writer or all, from a time on until before another, against what was exported."""

    writer: str = ""
    since: datetime | None = None
    until: datetime | None = None
    exported: Sequence[Exported] = ()


class Position(NamedTuple):
    """How far a verification came: up to this writer's place, or behind this writer where there is no place."""

    writer: str
    place: Place | None


class Checkpoint(NamedTuple):
    """From where a run can go on later, and what it had seen by then."""

    position: Position
    tally: Tally


class Verification:
    """One run over the database, from its beginning or from a checkpoint. `tally` is what was seen so far."""

    def __init__(
        self,
        scope: Scope,
        keys: Sequence[AuditKey],
        around: Surroundings,
        *,
        checkpoint: Checkpoint | None = None,
        using: str = "default",
    ) -> None:
        self.tally = checkpoint.tally if checkpoint else Tally()
        self.checkpoint = checkpoint
        self._scope = scope
        self._keys = {key.id: key for key in keys}
        self._around = around
        self._using = using
        self._reader = Reader(using)
        self._sealed = Sealed()

    def run(self) -> Iterator[None]:
        """Verify; yields every STEP rows or sooner. Raises django.db.Error."""
        # Whoever goes on has the findings of the seals already; what they hold is needed all the same.
        tally = Tally() if self.checkpoint else self.tally
        self._sealed = check_seals(self._keys, self._scope.exported, tally, using=self._using)
        yield
        done, place = self.checkpoint.position if self.checkpoint else (None, None)
        for row in self._reader.strangers() if done is None and not self._scope.writer else ():
            self.tally.add(of_row(INSERTED, row, "its writer's id is no text"))
        for writer in self._writers():
            if done is None or writer > done or (writer == done and place is not None):
                yield from self._writer(writer, place if writer == done else None)
                self._keep(writer, None)

    def _keep(self, writer: str, place: Place | None) -> None:
        now = replace(self.tally, findings=[*self.tally.findings], pending=[*self.tally.pending])
        self.checkpoint = Checkpoint(Position(writer, place), now)

    def _writers(self) -> list[str]:
        if self._scope.writer:
            return [self._scope.writer]
        told = Writer.objects.using(self._using).values_list("id", flat=True)
        return sorted({*told, *self._sealed.heads, *self._sealed.runs, *self._reader.writers()})

    def _writer(self, writer_id: str, start: Place | None) -> Iterator[None]:
        writer = Writer.objects.using(self._using).filter(id=writer_id).first()
        known = self._known(writer_id, writer)
        to = self._reader.last_number(writer_id)
        if start is None:
            self.tally.writers += 1
            for row in self._reader.not_numbered(writer_id):
                self.tally.add(of_row(INSERTED, row, "its number is no number"))
        if writer is None and not known.last and not known.runs and not self._begins_with_hash(writer_id):
            yield from self._not_covered(writer_id)
            return
        place, to, to_end = self._range(writer_id, known, to)
        place = start or place
        key = self._key(writer_id, writer, place)
        follower = Follower(writer_id, key, known if to_end else replace(known, last=0), self.tally, place)
        yield from self._follow(follower, writer_id, place, to)

    def _follow(self, follower: Follower, writer_id: str, start: Place, to: int) -> Iterator[None]:
        after = start.number - 1 if start.number > 1 else LOWEST
        last = after
        for count, row in enumerate(self._reader.rows(writer_id, after=after, to=to)):
            # Between two rows of one number nobody could go on.
            if count % STEP == STEP - 1 and row.number > last:
                if follower.place is not None:
                    self._keep(writer_id, follower.place)
                yield
            last = row.number
            follower.see(row)
        follower.end()

    def _range(self, writer_id: str, known: Known, to: int) -> tuple[Place, int, bool]:
        """Where the range of the scope begins in a chain, its last number, and whether that is the chain's end."""
        first, to_end = 1, True
        if self._scope.since is not None:
            first = self._reader.first_number(writer_id, self._scope.since) or to + 1
        if self._scope.until is not None:
            until = self._reader.first_number(writer_id, self._scope.until)
            to_end, to = until is None, to if until is None else until - 1
        if first == 1:
            return Place(), to, to_end
        removed = next((run.last_hash for run in known.runs if run.last == first - 1), None)
        return Place(first, self._reader.hash_at(writer_id, first - 1) or removed), to, to_end

    def _key(self, writer_id: str, writer: Writer | None, start: Place) -> AuditKey | None:
        """The key of a writer: the one that fits its rows; else the one that its row names."""
        named = self._keys.get(writer.key_id) if writer is not None else None
        rows = list(islice(self._reader.rows(writer_id, after=start.number - 1), TRIED))
        others = [key for key in self._keys.values() if key is not named]
        found = fitting_key([*([named] if named else []), *others], rows, start)
        if writer is not None and found is not None and found is not named:
            text = f"its Writer row names the key {writer.key_id}, and its rows are hashed with {found.id}"
            self.tally.add(Finding(KEY, text, writer_id))
        if found is not None or named is not None:
            return found or named
        if writer is not None and rows:
            text = f"its key {writer.key_id} is not among IW_AUDIT_KEY: add the older key there, after a comma"
            self.tally.add(Finding(KEY, text, writer_id))
            return None
        return next(iter(self._keys.values()))

    def _known(self, writer_id: str, writer: Writer | None) -> Known:
        heads = dict(self._sealed.heads.get(writer_id, {}))
        last, last_by = max(((number, head.told_by) for number, head in heads.items()), default=(0, ""))
        if writer is not None and writer.chain_hash:
            heads.setdefault(writer.last_seq, Head(writer.chain_hash, "its Writer row"))
            if writer.last_seq > last:
                last, last_by = writer.last_seq, "its Writer row"
        awaited = Awaited(writer, writer_id, self._around)
        again = _LookAgain(self._reader, writer_id, self._sealed.last, self._using, awaited)
        return Known(heads, self._sealed.runs.get(writer_id, []), last, last_by, again, awaited)

    def _begins_with_hash(self, writer_id: str) -> bool:
        return any(row.values[HASH] for row in islice(self._reader.rows(writer_id), 1))

    def _not_covered(self, writer_id: str) -> Iterator[None]:
        """Rows of a writer that never had a chain: fine from before the first seal."""
        begun = self._sealed.first_at
        for count, row in enumerate(self._reader.rows(writer_id), 1):
            self.tally.not_covered += 1
            if row.values[HASH]:
                self.tally.add(of_row(INSERTED, row, "it carries a hash, amid rows of its writer that have none"))
            elif begun is not None and not _is_older(row, begun + GRACE):
                self.tally.add(
                    of_row(INSERTED, row, f"it carries no hash, though there are seals since {begun:%Y-%m-%d}")
                )
            if count % STEP == 0:
                yield


@dataclass(slots=True)
class _LookAgain:
    """Looks at numbers that were missing: retention may have run meanwhile, or the last of a batch come."""

    reader: Reader
    writer_id: str
    last_seal: int
    using: str
    awaited: Awaited
    left: int = LOOKS

    def __call__(self, first: int, last: int) -> tuple[Sequence[Placed], Sequence[Run]]:
        if self.left <= 0:
            return (), ()
        self.left -= 1
        runs = seals_after(self.last_seal, using=self.using).runs.get(self.writer_id, [])
        until = time.monotonic() + (LOOK_S if self.awaited.is_alive and not self.awaited() else 0)
        while True:
            rows = list(self.reader.rows(self.writer_id, after=first - 1, to=min(last, first + STEP)))
            if rows or time.monotonic() >= until:
                return rows, runs
            time.sleep(0.05)


def _is_older(row: Placed, moment: datetime) -> bool:
    """Whether a row's decision is older; values of SQLite are text."""
    at = row.values.get("decision_at", row.values.get("at"))
    if isinstance(at, str):
        try:
            at = datetime.fromisoformat(at)
        except ValueError:
            return False
    return isinstance(at, datetime) and at < moment
