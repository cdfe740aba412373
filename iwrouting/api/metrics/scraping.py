"""What one scrape finds: this process live, its siblings by their Writer rows, the calls of all workers of its
`serve` from the memory that they share, and the database's own numbers.

Whichever worker answers, a series has the same name and labels: `host` and `pid` tell the workers apart. Without the
database a scrape tells of the answering process and of the calls of its `serve`.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError

from iwrouting import __version__
from iwrouting.api.metrics import calls, database, workers
from iwrouting.api.metrics.text import Family
from iwrouting.calls import Service
from iwrouting.meters import names


@dataclass(frozen=True, slots=True)
class Scrape:
    """Who is asked, and when. `service`: this process's, None where the view runs outside of a worker.

    `with_calls`: whether that is told which counts the calls of all projects together.
    """

    service: Service | None
    now: datetime
    with_calls: bool = True

    @property
    def is_away(self) -> bool:
        """Whether the database is known not to answer: then a scrape does not wait for it."""
        return self.service is not None and bool(self.service.store.fault)


Source = Callable[[Scrape], Iterable[Family]]
SOURCES: tuple[Source, ...] = (lambda scrape: database.families(scrape.now),)
"""What is read from the database besides the workers' rows: each gives its families, or raises DatabaseError."""


def families(scrape: Scrape) -> list[Family]:
    """All of them."""
    build = Family("iwrouting_build_info", "gauge", "The release that answers.")
    build.add(1, version=__version__)
    reached = Family("iwrouting_database_up", "gauge", "Whether the database answered this scrape.")
    own, counted = None, []
    if scrape.service is not None:
        host = socket.gethostname()[:128]
        own = workers.live(scrape.service, host, os.getpid(), scrape.now)
        counted = calls.families(
            scrape.service.meters, host, names.METRICS if scrape.with_calls else names.OF_NO_PROJECT
        )
    found: list[Family] = []
    others: list[workers.Worker] = []
    try:
        if not scrape.is_away:
            others = workers.siblings(scrape.now, but=own.id if own else "")
            found = [family for source in SOURCES for family in source(scrape)]
    except DatabaseError:
        found, others = [], []
        reached.add(0)
    else:
        reached.add(0 if scrape.is_away else 1)
    return [build, reached, *_of_workers([*([own] if own else []), *others]), *counted, *found]


def _of_workers(found: list[workers.Worker]) -> Iterator[Family]:
    yield from workers.families(found)
