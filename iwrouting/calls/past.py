"""The configuration as of a past moment, for resolving on the event loop: read in a thread, and for a bounded time."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import Error as DatabaseError
from django.db import connection

from iwrouting.errors import BadRequest, Forbidden, NotFound, Unavailable
from iwrouting.snapshot.contents import NoSuchRevision, configuration_at, environment_of
from iwrouting.snapshot.moments import Moment, find_moment, read_moment
from iwrouting.snapshot.rows import SnapshotRefused
from iwrouting.types import Configuration, KeyFacts, Scope

KNOWN = 4
PATIENCE_S = 5.0
"""How long the database may take to tell of the past."""


@dataclass(frozen=True, slots=True)
class PastAsk:
    """Which moment is asked for, and under which environment; an empty one is that of the answering process."""

    moment: int | datetime
    environment_id: str = ""

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> PastAsk | None:
        """What a query or a body says, or None where it asks for now. Raises BadRequest."""
        as_of, environment = given.get("as_of"), given.get("environment_id")
        if as_of is None:
            if environment is not None:
                raise BadRequest("environment_id: goes with as_of; give both, or neither.", param="environment_id")
            return None
        if environment is not None and not (isinstance(environment, str) and environment):
            raise BadRequest("environment_id: must be one that a decision or an answer names.", param="environment_id")
        if isinstance(as_of, bool) or not isinstance(as_of, str | int):
            raise BadRequest("as_of: must be a revision or a time.", param="as_of")
        try:
            return cls(read_moment(str(as_of)), environment or "")
        except ValueError as error:
            raise BadRequest(f"as_of: {error}.", param="as_of") from None


def may_ask_past(key: KeyFacts) -> None:
    """Raise Forbidden unless a key may read what was configured at other times."""
    if not {Scope.READ_AUDIT, Scope.MANAGE} & key.scopes:
        raise Forbidden(
            "as_of tells of past configurations: this key needs the scope 'read_audit' or 'manage' for that.",
            code="missing_scope",
        )


class Past:
    """Reads past configurations for one worker, and keeps the last few: what a revision was stays as it was."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[int, str], Configuration] = OrderedDict()
        self._threads = ThreadPoolExecutor(2, "iw-past")

    async def find(self, ask: PastAsk) -> tuple[Configuration, Moment]:
        """The configuration as of a moment. Raises NotFound, BadRequest or Unavailable."""
        loop = asyncio.get_running_loop()
        try:
            found, moment = await asyncio.wait_for(loop.run_in_executor(self._threads, self._read, ask), PATIENCE_S)
        except NoSuchRevision as error:
            raise NotFound(str(error), code="revision_not_found") from None
        except SnapshotRefused as error:
            raise BadRequest(
                f"That configuration can't be resolved by: {error}.", status=409, code="unusable", should_retry=False
            ) from None
        except (DatabaseError, TimeoutError):
            raise Unavailable(
                "The past can't be looked up now: the database does not answer. Try again shortly.",
                code="database_unavailable",
            ) from None
        self._known[moment.revision, ask.environment_id] = found
        while len(self._known) > KNOWN:
            self._known.popitem(last=False)
        return found, moment

    def close(self) -> None:
        """Ask the database no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _read(self, ask: PastAsk) -> tuple[Configuration, Moment]:
        try:
            moment = find_moment(ask.moment)
            known = self._known.get((moment.revision, ask.environment_id))
            if known is not None:
                return known, moment
            environment = environment_of(ask.environment_id) if ask.environment_id else None
            return configuration_at(moment.revision, environment), moment
        finally:
            if not connection.in_atomic_block:
                connection.close()
