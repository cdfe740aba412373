"""What a first-time user reads when the service is ready."""

from __future__ import annotations

import http.client
import shlex
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from iwrouting.conf import settings
from iwrouting.management.first_start import PROJECT, FirstThings
from iwrouting.server.starting import ANY_HOST

READY_WAIT_S = 60.0


@dataclass
class Welcome:
    """Prints the welcome once the service answers. What is shown once is shown even if it never does."""

    host: str
    port: int
    things: FirstThings
    sandbox: bool
    _said: threading.Event = field(default_factory=threading.Event)

    def when_ready(self) -> None:
        """Wait for the service beside the caller, then print."""
        threading.Thread(target=self._wait_and_print, name="iw-welcome", daemon=True).start()

    def finish(self) -> None:
        """Print what was made, if the service ended before the welcome."""
        if not self._said.is_set() and (self.things.password or self.things.key):
            print("\n".join(made(self.things)), flush=True)

    def _wait_and_print(self) -> None:
        until = time.monotonic() + READY_WAIT_S
        while not self._answers() and time.monotonic() < until:
            time.sleep(0.05)
        print(self.text(), flush=True)
        self._said.set()

    def _answers(self) -> bool:
        link = http.client.HTTPConnection(_reachable(self.host), self.port, timeout=2)
        try:
            link.request("GET", "/readyz")
            link.getresponse().read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            link.close()
        return True

    def text(self) -> str:
        """The whole text."""
        address = _reachable(self.host)
        root = f"http://{f'[{address}]' if ':' in address else address}:{self.port}"
        return "\n".join(
            [
                "",
                f"Admin     {root}/admin/",
                f"API docs  {root}/api/docs",
                *([f"          (listening on every address of this machine: {self.host})"] if self._everywhere else []),
                *made(self.things),
                *(SANDBOX if self.sandbox else []),
                "",
                "Try it:" if self.things.key else "Try it, with your key in IW_API_KEY:",
                f"  {curl(root, self.things.key or '$IW_API_KEY')}",
                "",
                "Ctrl-C stops everything.",
            ]
        )

    @property
    def _everywhere(self) -> bool:
        return self.host in ANY_HOST


SANDBOX = [
    "",
    "No provider key found: the SANDBOX answers, no real model is called.",
    "Set OPENAI_API_KEY in the environment or in .env and start again to call the real provider.",
]


def made(things: FirstThings) -> list[str]:
    """What was made at the first start, shown once, and how to make more."""
    once = " (shown this once)"
    may = [f"          it may resolve, call and read the audit of project '{PROJECT}'"]
    return [
        f"User      {things.user}{f', password {things.password}{once}' if things.password else ''}",
        f"          reset the password: {manage(f'changepassword {shlex.quote(things.user)}')}",
        f"API key   {f'{things.key}{once}' if things.key else 'made at the first start'}",
        *(may if things.key else []),
        f"          make another: {manage(f'keys_create --project {PROJECT} --name me')}",
        *([f"Catalogue learned more, and filled it in, of {', '.join(things.learned)}"] if things.learned else []),
    ]


def curl(root: str, key: str) -> str:
    """A request that works when pasted into a shell."""
    body = '{"model": "auto", "messages": [{"role": "user", "content": "Say hello"}]}'
    headers = f"-H \"Authorization: Bearer {key}\" -H 'Content-Type: application/json'"
    return f"curl {root}/v1/chat/completions {headers} -d '{body}'"


def manage(command: str) -> str:
    """A command of manage.py as it is typed in this folder, with this interpreter, for what runs now.

    Production is what a command takes where nothing is said.
    """
    python, folder = Path(sys.executable), Path.cwd()
    shown = python.relative_to(folder) if python.is_relative_to(folder) else python
    prefix = "IW_ENV=development " if settings().development else ""
    return f"{prefix}{shlex.quote(str(shown))} manage.py {command}"


def _reachable(host: str) -> str:
    """An address under which this machine reaches a listener on `host`."""
    return {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
