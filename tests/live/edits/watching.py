"""Callers that ask one worker each, again and again, and remember what it said and when."""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.live.edits.editor import LEFT

OWN_PID = re.compile(r'^iwrouting_snapshot_age_seconds\{host="[^"]*",pid="(\d+)"\}', re.MULTILINE)
CORE = ("model", "source", "ladder", "chain")
PAUSE_S = 0.03
MOST_TRIES = 200


@dataclass
class Watcher:
    """One connection, which stays with one worker. `seen`: when an answer was asked for, came, and its revision."""

    link: http.client.HTTPConnection
    key: str
    pid: int
    seen: list[tuple[float, float, int]] = field(default_factory=list)
    answers: set[tuple[int, str]] = field(default_factory=set)
    failed: list[str] = field(default_factory=list)

    def ask(self, path: str) -> tuple[int, Any]:
        """One GET: status and JSON."""
        return _get(self.link, path, self.key)

    def watch(self, stop: threading.Event) -> None:
        """Resolve until told to stop."""
        while not stop.is_set():
            asked = time.time()
            status, body = self.ask(f"/api/v1/resolve?alias={LEFT}")
            if status != 200:
                self.failed.append(f"{status} {body}")
                continue
            self.seen.append((asked, time.time(), body["revision"]))
            self.answers.add((body["revision"], json.dumps({name: body[name] for name in CORE}, sort_keys=True)))
            time.sleep(PAUSE_S)


@contextmanager
def watchers(url: str, key: str, workers: int) -> Iterator[list[Watcher]]:
    """One for each worker of a service."""
    found: dict[int, Watcher] = {}
    with ExitStack() as stack:
        for _ in range(MOST_TRIES):
            link = http.client.HTTPConnection(str(urlsplit(url).hostname), urlsplit(url).port, timeout=60)
            stack.callback(link.close)
            _, text = _get(link, "/metrics", key)
            pid = int(OWN_PID.findall(text)[0])
            found.setdefault(pid, Watcher(link, key, pid))
            if len(found) == workers:
                break
        assert len(found) == workers, f"{len(found)} of {workers} workers answer"
        yield list(found.values())


@contextmanager
def watching(watchers: list[Watcher]) -> Iterator[None]:
    """Within it all of them watch."""
    stop = threading.Event()
    threads = [threading.Thread(target=each.watch, args=(stop,), daemon=True) for each in watchers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)


def all_lags(watcher: Watcher, changes: list[list[Any]], begun: float) -> Iterator[float]:
    """For each revision, how long after its commit this worker was last asked and answered by an older one.

    That bounds both how late the worker was, and how long it served what was changed or deleted.
    """
    ours = [(revision, at) for revision, at, _ in changes if at >= begun]
    for revision, at in ours:
        older = [asked for asked, _, seen in watcher.seen if seen < revision and asked >= at]
        yield max(older, default=at) - at


def _get(link: http.client.HTTPConnection, path: str, key: str) -> tuple[int, Any]:
    link.request("GET", path, headers={"authorization": f"Bearer {key}"})
    answer = link.getresponse()
    body = answer.read()
    is_json = "json" in str(answer.getheader("content-type"))
    return answer.status, json.loads(body) if is_json else body.decode()
