"""What is known of one service: its clients, its answers so far, and what it still has to be told."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from openai import APITimeoutError

from iwrouting._client import context
from iwrouting._client.answers import Answer, Known, variable, without_service
from iwrouting._client.errors import RouterUnavailable, unavailable
from iwrouting._client.reports import Fallbacks
from iwrouting._client.sdk import Clients
from iwrouting._client.settings import settings

log = logging.getLogger("iwrouting.client")

QUIET_S = 5.0
"""After a resolve that timed out, how long the next ones do not wait for the service again, in seconds."""


class Router:
    """One service and key. Answers are kept by alias and project for the life of the process. Safe for threads."""

    def __init__(self, root: str, api_key: str) -> None:
        self.root = root
        self.clients = Clients(root, api_key)
        self.fallbacks = Fallbacks()
        self._known: dict[tuple[str, str | None], Known] = {}
        self._last: dict[tuple[str, str | None], Answer] = {}
        self._timed_out: RouterUnavailable | None = None
        self._quiet_until = 0.0

    @contextmanager
    def contact(self) -> Iterator[dict[str, str]]:
        """The headers for one request, made inside the block.

        An exception there gives the report back for the next contact; where it means that the service is unavailable,
        it comes out as RouterUnavailable.
        """
        report = self.fallbacks.take()
        try:
            yield {**context.current().headers(), **report.headers()}
        except BaseException as error:
            self.fallbacks.give_back(report)
            failure = unavailable(self.root, error)
            if failure is None:
                raise
            raise failure from error
        self._timed_out = None

    def known(self, alias: str) -> Known | None:
        """The service's last answer for the alias and the current project."""
        return self._known.get(_key(alias))

    def last(self, alias: str) -> Answer | None:
        """The last answer that was given for the alias and the current project, whoever answered."""
        return self._last.get(_key(alias))

    def learn(self, alias: str, known: Known) -> Answer:
        """Keep and give an answer of the service."""
        self._known[_key(alias)] = known
        self._last[_key(alias)] = known.answer
        return known.answer

    def quiet(self) -> RouterUnavailable | None:
        """The time-out that is too recent to try again, if there was one."""
        return self._timed_out if monotonic() < self._quiet_until else None

    def fall_back(self, alias: str, error: RouterUnavailable) -> Answer:
        """Answer without the service, say so in the log, and count it. Raises RouterUnavailable if nothing is known."""
        if isinstance(error.__cause__, APITimeoutError) and error is not self._timed_out:
            self._timed_out, self._quiet_until = error, monotonic() + QUIET_S
        answer = without_service(alias, self.known(alias), error.reason)
        if answer is None:
            reason = f"{error.reason}; {alias!r} has no last known answer, no {variable(alias)} and no built-in default"
            raise RouterUnavailable(self.root, reason, error.request) from error
        self._log(answer)
        self._last[_key(alias)] = answer
        self.fallbacks.add()
        return answer

    def _log(self, answer: Answer) -> None:
        before = self.last(answer.alias)
        repeated = before is not None and (before.source, before.model) == (answer.source, answer.model)
        log.log(
            logging.DEBUG if repeated else logging.WARNING,
            "iwrouting at %s is unavailable: %s; %s is %s from %s",
            self.root,
            answer.cause,
            answer.alias,
            answer.model,
            answer.source,
        )


def _key(alias: str) -> tuple[str, str | None]:
    return alias, context.current().project


_lock = threading.Lock()
_routers: dict[tuple[str, str], Router] = {}


def current() -> Router:
    """The router of the settings now in force. Raises RouterNotConfigured."""
    found = settings()
    where = (found.root, found.api_key)
    with _lock:
        if where not in _routers:
            _routers[where] = Router(*where)
        return _routers[where]


def used() -> list[Router]:
    """Every router that this process has used."""
    with _lock:
        return list(_routers.values())
