"""The service as its own process, on a database of its own, with an admin user and a key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.harness import environment
from tests.live.databases import own_database
from tests.live.processes import ServiceProcess, manage, prepare
from tests.sandbox.process import KEY, SandboxProcess

USER = "ada"
PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Site:
    """A running service: its root URL, and the text of a key of the project atlas."""

    url: str
    key: str


@contextmanager
def site(folder: Path, worker: str) -> Iterator[Site]:
    """Start sandbox and service, and stop them at the end of the block. worker: makes the database this process's."""
    with ExitStack() as stack:
        sandbox = stack.enter_context(SandboxProcess(log_path=folder / "sandbox.jsonl"))
        database = stack.enter_context(own_database(folder, f"browser_{worker}"))
        env = environment.for_tests(folder, None) | {
            "DATABASE_URL": database,
            "IW_UPSTREAM_BASE_URL": sandbox.base_url,
            "IW_UPSTREAM_API_KEY": KEY,
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        }
        prepare(env)
        manage(env, "createsuperuser", "--noinput", "--username", USER, "--email", "")
        key = manage(env, "keys_create", "--project", "atlas", "--name", "browser").strip()
        service = ServiceProcess(env, folder / "service.log")
        stack.callback(service.stop)
        yield Site(service.start().url, key)
