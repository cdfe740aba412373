"""A Prometheus of its own for the tests, and its promtool."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from tests.live.ledger import eventually

EVERY = "500ms"
CONFIG = """
global: {{scrape_interval: {every}, scrape_timeout: {every}}}
scrape_configs:
  - job_name: iwrouting
    authorization: {{credentials: {key}}}
    static_configs: [{{targets: ["{target}"]}}]
"""
Sample = tuple[dict[str, str], float]


def program(name: str = "prometheus") -> Path:
    """The program that the run was given, or the one beside it."""
    return Path(os.environ["IW_TEST_PROMETHEUS"]).with_name(name)


class Prometheus:
    """A running server: `ask` evaluates PromQL now."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str, **query: str) -> Any:
        """The data of an answer of its API. AssertionError with its words where it refuses."""
        answer = httpx2.get(f"{self.url}/api/v1/{path}", params=query, trust_env=False, timeout=10)
        assert answer.status_code == 200, f"{query}: {answer.text}"
        return answer.json()["data"]

    def ask(self, expression: str) -> list[Sample]:
        """The samples that a query finds: labels and value."""
        return [(each["metric"], float(each["value"][1])) for each in self.get("query", query=expression)["result"]]

    def number(self, expression: str) -> float:
        """The one value of a query; 0 where there is none."""
        found = self.ask(expression)
        assert len(found) < 2, found
        return found[0][1] if found else 0.0


@contextmanager
def prometheus(folder: Path, target: str, key: str) -> Iterator[Prometheus]:
    """One that scrapes `target` twice a second with a key, until the end of the block."""
    folder.mkdir()
    config = folder / "prometheus.yml"
    config.write_text(CONFIG.format(every=EVERY, key=key, target=target))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(program()), f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
    with (folder / "log").open("wb") as words, subprocess.Popen(command, stdout=words, stderr=words) as process:
        try:
            found = Prometheus(f"http://127.0.0.1:{port}")
            eventually(lambda: is_up(found), f"a scrape: {(folder / 'log').read_text()}", 30)
            yield found
        finally:
            process.terminate()


def is_up(server: Prometheus) -> bool:
    """Whether it has scraped its target."""
    try:
        return httpx2.get(f"{server.url}/-/ready", trust_env=False).status_code == 200 and server.number("up") == 1
    except httpx2.TransportError:
        return False


def lint(text: str) -> str:
    """What promtool has to say of a scrape; empty: nothing."""
    done = subprocess.run([program("promtool"), "check", "metrics"], input=text, capture_output=True, text=True)
    return done.stdout + done.stderr + ("" if done.returncode == 0 else f"exit code {done.returncode}")
