"""What `make run` makes on a fresh folder: tables, matrix, admin user, first API key. A second start makes nothing."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection

from iwrouting.conf import settings
from iwrouting.conf.environment import environment_secret_ref, read_secret, variables
from iwrouting.conf.settings import ROOT, SANDBOX_KEY
from iwrouting.management.catalogue_rows import fill_learned
from iwrouting.management.changing import login_name
from iwrouting.management.commands.keys_create import make_key
from iwrouting.management.commands.matrix_load import fill
from iwrouting.models import Alias, ApiKey, Revision, change
from iwrouting.server.starting import ANY_HOST
from iwrouting.types import Via

ADMIN = "admin"
PROJECT = "infinitywindow"
FIRST_SCOPES = ["resolve", "call", "read_audit"]
LOCAL_HOSTS = ["localhost", ".localhost", "127.0.0.1", "[::1]"]


@dataclass(frozen=True, slots=True)
class FirstThings:
    """What was made now, and is shown this once; empty for what existed. `user` is the first superuser's name,
    `learned` the models of which the catalogue file knew more than their rows."""

    user: str
    password: str = ""
    key: str = ""
    learned: tuple[str, ...] = ()


def prepare_database() -> FirstThings:
    """Migrate; fill the matrix, and make the first admin user and key, where there are none."""
    _make_private()
    call_command("migrate", verbosity=0, interactive=False)
    # One transaction: a start that is cut short has made neither, so that the next one makes and shows both.
    if Revision.standing().is_touched:
        # The workers say what waits to be adopted, and serve what was in force before.
        return FirstThings(_first_admin()[0])
    with change(author=login_name(), via=Via.CLI, reason="The first start fills what is missing"):
        learned = fill_learned() if Alias.objects.exists() else fill()[2]
        user, password = _first_admin()
        return FirstThings(user, password, _first_key(), tuple(model for model, names in learned if names))


def _make_private() -> None:
    """A SQLite file that is not there yet, for its owner alone; its journal and index take its mode after it."""
    if connection.vendor == "sqlite":
        # What hinders it is told by migrate, which needs the file as well.
        with suppress(OSError):
            os.close(os.open(connection.settings_dict["NAME"], os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _first_admin() -> tuple[str, str]:
    users = get_user_model().objects
    if found := users.filter(is_superuser=True).order_by("pk").first():
        return found.get_username(), ""
    password = secrets.token_urlsafe(12)
    users.create_superuser(username=ADMIN, email="", password=password)
    return ADMIN, password


def _first_key() -> str:
    if ApiKey.objects.exists():
        return ""
    return make_key(PROJECT, "first key", scopes=FIRST_SCOPES, projects=[], by=login_name()).text


@contextmanager
def sandbox_if_needed() -> Iterator[bool]:
    """Without a provider's key: run the sandbox within the block, with this process's settings pointing at it.

    Gives whether it runs. Raises SystemExit where it does not start; its own message stands on stderr.
    """
    if read_secret(environment_secret_ref()) is not None:
        yield False
        return
    with running_sandbox() as address:
        _set(IW_UPSTREAM_BASE_URL=address, IW_UPSTREAM_API_KEY=SANDBOX_KEY)
        yield True


@contextmanager
def running_sandbox(*options: str) -> Iterator[str]:
    """The sandbox in a process of its own within the block; gives its base URL.

    Raises SystemExit where it does not start; its own message stands on stderr.
    """
    command = [sys.executable, "-m", "iwrouting.sandbox", "--port", "0", "--parent-pid", str(os.getpid()), *options]
    # Its own group: Ctrl-C reaches it when we pass it on, after the calls that the workers still drain.
    sandbox = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, process_group=0)  # noqa: S603 - ours
    try:
        line = sandbox.stdout.readline() if sandbox.stdout else ""
        address = next((word for word in line.split() if word.startswith("http")), "")
        if not address:
            raise SystemExit("The sandbox did not start: its message stands above.")
        yield address
    finally:
        sandbox.terminate()
        sandbox.wait()


def admit_host(host: str) -> None:
    """On a developer's machine with no host names set: let the admin answer under the address that was asked for."""
    if settings().allowed_hosts or not settings().development or host in LOCAL_HOSTS:
        return
    spelled = f"[{host}]" if ":" in host else host
    _set(IW_ALLOWED_HOSTS="*" if host in ANY_HOST else ",".join([*LOCAL_HOSTS, spelled]))


def _set(**values: str) -> None:
    """Set variables for the workers, and for what this process reads from now on."""
    os.environ.update(values)
    variables.cache_clear()
    settings.cache_clear()
