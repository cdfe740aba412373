"""What is checked and said before workers start."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from iwrouting import __version__
from iwrouting.conf import Settings, read_environment
from iwrouting.conf.environment import environment_secret_ref, read_secret, variables
from iwrouting.conf.sqlite import need_file
from iwrouting.snapshot import disk
from iwrouting.snapshot.builtin import environment_upstream
from iwrouting.tokens import TokenizersMissing, prepare, tokenizers_dir

SQLITE_WORKERS = 2
ANY_HOST = ("0.0.0.0", "::", "")  # noqa: S104 - compared, not bound


class CannotStart(Exception):
    """The service must not start; the text is one clear line."""


def check_start(conf: Settings, host: str, port: int, workers: int) -> None:
    """Raise CannotStart for what would break at the first call. Raises SettingsError for a bad routing variable."""
    read_environment()
    if leads_back(conf.upstream_base_url, host, port):
        name = "IW_UPSTREAM_BASE_URL" if variables().get("IW_UPSTREAM_BASE_URL") else "OPENAI_BASE_URL"
        raise CannotStart(f"{name}: leads back to this service ({host}:{port}); set it to the provider's address.")
    if connection.vendor == "sqlite" and workers > SQLITE_WORKERS:
        raise CannotStart(
            f"--workers {workers}: SQLite has one writer at a time, so at most {SQLITE_WORKERS} workers; "
            "use PostgreSQL (DATABASE_URL=postgres://...) for more."
        )
    try:
        prepare(tokenizers_dir())
    except TokenizersMissing as error:
        raise CannotStart(str(error)) from None


def check_tables() -> None:
    """Raise CannotStart for a database that lacks migrations. A file that is away is none of those, and not made."""
    if disk.path().exists():
        need_file()
    if missing := _unapplied():
        raise CannotStart(f"The database lacks {missing} migrations: run 'python manage.py migrate' first.")


def _unapplied() -> int:
    """How many migrations are missing; 0 for a database that does not answer: serving starts without it (G3)."""
    try:
        executor = MigrationExecutor(connection)
        return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except DatabaseError:
        return 0
    finally:
        connection.close()


def leads_back(base_url: str, host: str, port: int) -> bool:
    """Whether a base URL is the address on which we are about to listen."""
    parts = urlsplit(base_url)
    if (parts.port or {"https": 443}.get(parts.scheme, 80)) != port:
        return False
    theirs = _addresses(parts.hostname or "")
    if host in ANY_HOST:
        return any(address.startswith("127.") or address in ("::1", *_own_addresses()) for address in theirs)
    return bool(theirs & _addresses(host))


def _own_addresses() -> set[str]:
    return _addresses(socket.gethostname())


def _addresses(host: str) -> set[str]:
    try:
        return {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except OSError:
        return {host}


def start_lines(conf: Settings, workers: int) -> Iterator[str]:
    """What an operator should read at each start. No secret."""
    database = "PostgreSQL" if connection.vendor == "postgresql" else "SQLite"
    upstream = environment_upstream(conf)
    yield f"iwrouting {__version__}: {workers} worker{'s' if workers > 1 else ''}, {database}, {conf.env}"
    yield f"upstream '{upstream.slug}': {upstream.base_url}"
    if upstream.slug == "sandbox":
        yield "The sandbox answers: no real model is called. Every answer and row says 'sandbox'."
    elif read_secret(environment_secret_ref(), conf) is None:
        yield "OPENAI_API_KEY: not set, so calls will be answered 502 upstream_auth; 'make run' has a sandbox"
    if not conf.development and not conf.allowed_hosts:
        yield "IW_ALLOWED_HOSTS: not set, so the admin answers to local names only"
