"""Why rows that are missing in the database may still come: their writer's journal holds them, or may hold them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from iwrouting.audit.journal.journal import left_segments
from iwrouting.audit.journal.segments import JournalFault, waiting_bytes
from iwrouting.models import Writer


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The folder of journals that can be seen here, and after how long without a heartbeat a writer is dead."""

    folder: Path
    folder_id: str
    dead_s: float


@dataclass(slots=True)
class Awaited:
    """Answers for one writer, asked once. `writer` is its row, as it was before its rows were read."""

    writer: Writer | None
    writer_id: str
    around: Surroundings
    _answer: str | None = field(default=None, init=False)

    def __call__(self) -> str:
        """Why its missing rows may still come; empty where they can't."""
        if self._answer is None:
            self._answer = self._here() or self._elsewhere()
        return self._answer

    @property
    def is_alive(self) -> bool:
        """Whether it has told something lately and has not ended."""
        writer = self.writer
        since = datetime.now(UTC) - timedelta(seconds=self.around.dead_s)
        return writer is not None and not (writer.ended_at or writer.swept_at) and writer.heartbeat_at > since

    def _here(self) -> str:
        for path in left_segments(self.around.folder).get(self.writer_id, ()):
            try:
                held = waiting_bytes(path)
            except JournalFault as error:
                return f"its journal may hold them: {error}"
            if held:
                return f"its journal {path.name} holds {held} bytes of rows that are not stored yet"
        return ""

    def _elsewhere(self) -> str:
        writer = self.writer
        if writer is None or writer.swept_at is not None:
            return ""
        if writer.journal_bytes or (self.is_alive and writer.mode != "database"):
            return (
                f"its writer on {writer.host} last told of {writer.journal_bytes} bytes in its journal, "
                f"and the mode '{writer.mode}'"
            )
        if writer.ended_at is None and not self.is_alive and writer.journal_id != self.around.folder_id:
            return f"its journal lies with the host {writer.host}, and nobody has told yet that it is empty"
        return ""
