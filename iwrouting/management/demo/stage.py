"""The demo's own service, beside the sandbox: `manage.py serve` on a free port, impatient, and gone with the block."""

from __future__ import annotations

import http.client
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from iwrouting.conf.settings import ROOT, SANDBOX_KEY

START_S = 30.0
STOP_S = 20.0
LISTENING = re.compile(r"listening on (http://\S+)")

IMPATIENT = {
    "IW_FIRST_BYTE_TIMEOUT_S": "2",
    "IW_IDLE_TIMEOUT_S": "2",
    "IW_DEADLINE_S": "20",
    "IW_RETRY_BACKOFF_MS": "20",
    "IW_BREAKER_OPEN_S": "1",
    "MAX_EMBED_ITEMS_PER_BATCH": "16",
    "OPENAI_MODEL_BLUEPRINT": "gpt-4.1",
}
"""Settings of this service alone: faults show at once, breakers come back, and one model stands in the environment."""


class DidNotStart(Exception):
    """The service did not come up; the message has its last words."""


@contextmanager
def running_service(sandbox: str) -> Iterator[str]:
    """The service in a process of its own within the block, with the sandbox as its only provider; gives its URL."""
    provider = {"IW_UPSTREAM_BASE_URL": sandbox, "IW_UPSTREAM_API_KEY": SANDBOX_KEY}
    with tempfile.TemporaryDirectory(prefix="iw-demo-") as folder:
        log = Path(folder) / "service.log"
        with log.open("wb") as words:
            service = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, str(ROOT / "manage.py"), "serve", "--port", "0", "--workers", "1"],
                cwd=ROOT,
                env={**os.environ, **IMPATIENT, **provider},
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        try:
            yield address(service, log)
        finally:
            stop(service)


def address(service: subprocess.Popen[bytes], log: Path) -> str:
    """Wait until the service is ready; its URL. Raises DidNotStart."""
    until = time.monotonic() + START_S
    while service.poll() is None and time.monotonic() < until:
        found = LISTENING.search(log.read_text(errors="replace"))
        if found and ready(found[1]):
            return found[1]
        time.sleep(0.05)
    raise DidNotStart(f"The service did not start:\n{log.read_text(errors='replace')[-2000:]}")


def ready(url: str) -> bool:
    """Whether the service says that it can serve."""
    where = urlsplit(url)
    link = http.client.HTTPConnection(str(where.hostname), where.port, timeout=5)
    try:
        link.request("GET", "/readyz")
        return link.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        link.close()


def stop(service: subprocess.Popen[bytes]) -> None:
    """Let it drain, so that every outcome is stored; kill it if it can't."""
    service.terminate()
    try:
        service.wait(STOP_S)
    except subprocess.TimeoutExpired:
        service.kill()
        service.wait()
