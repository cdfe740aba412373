"""What `make run` makes on a fresh folder: tables, matrix, admin user, first API key. A second start makes nothing."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.core.management import call_command

from iwrouting.conf.environment import environment_secret_ref, read_secret
from iwrouting.conf.settings import SANDBOX_KEY
from iwrouting.management.commands.keys_create import create_key
from iwrouting.management.commands.matrix_load import fill
from iwrouting.models import ApiKey

ADMIN = "admin"
PROJECT = "default"
FIRST_SCOPES = ["resolve", "call", "read_audit"]
SANDBOX_WAIT_S = 20


@dataclass(frozen=True, slots=True)
class FirstThings:
    """What was made now, and is shown this once; empty for what existed."""

    password: str = ""
    key: str = ""


def prepare_database() -> FirstThings:
    """Migrate, fill the matrix, and make the first admin user and key where there are none."""
    call_command("migrate", verbosity=0, interactive=False)
    fill()
    return FirstThings(password=_first_admin(), key=_first_key())


def _first_admin() -> str:
    users = get_user_model().objects
    if users.filter(is_superuser=True).exists():
        return ""
    password = secrets.token_urlsafe(12)
    users.create_superuser(username=ADMIN, email="", password=password)
    return password


def _first_key() -> str:
    if ApiKey.objects.exists():
        return ""
    return create_key(PROJECT, "first key", scopes=FIRST_SCOPES, projects=[])


def start_sandbox_if_needed() -> subprocess.Popen[str] | None:
    """Without a provider's key: start the sandbox, and point this process's environment at it."""
    if read_secret(environment_secret_ref()) is not None:
        return None
    command = [sys.executable, "-m", "iwrouting.sandbox", "--port", "0", "--parent-pid", str(os.getpid())]
    sandbox = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own module
    line = sandbox.stdout.readline() if sandbox.stdout else ""
    address = next((word for word in line.split() if word.startswith("http")), "")
    if not address:
        raise SystemExit("The sandbox did not start: its message stands above.")
    os.environ["IW_UPSTREAM_BASE_URL"] = address
    os.environ["IW_UPSTREAM_API_KEY"] = SANDBOX_KEY
    return sandbox


def welcome(host: str, port: int, things: FirstThings, *, sandbox: bool) -> str:
    """The text that a first-time user reads when the service is ready."""
    root = f"http://{_shown(host)}:{port}"
    lines = [
        "",
        f"Admin     {root}/admin/   {_password_line(things)}",
        "          reset it: IW_ENV=development .venv/bin/python manage.py changepassword admin",
        f"API docs  {root}/api/docs",
        f"API key   {things.key or _key_hint()}",
        ""
        if not things.key
        else "          shown this once; it may resolve, call and read the audit of project 'default'",
        "",
        "No provider key found: the SANDBOX answers, no real model is called." if sandbox else "",
        "Set OPENAI_API_KEY in the environment or in .env and start again to call the real provider."
        if sandbox
        else "",
        "",
        "Try it:",
        f"  {curl(root, things.key or '$IW_API_KEY')}",
        "",
        "Ctrl-C stops everything.",
    ]
    return "\n".join(line for number, line in enumerate(lines) if line or lines[number - 1])


def curl(root: str, key: str) -> str:
    """A request that works when pasted into a shell."""
    body = '{"model": "auto", "messages": [{"role": "user", "content": "Say hello"}]}'
    headers = f"-H \"Authorization: Bearer {key}\" -H 'Content-Type: application/json'"
    return f"curl {root}/v1/chat/completions {headers} -d '{body}'"


def _password_line(things: FirstThings) -> str:
    return f"user {ADMIN}, password {things.password} (shown this once)" if things.password else f"user {ADMIN}"


def _key_hint() -> str:
    return (
        "made at the first start; a new one: "
        "IW_ENV=development .venv/bin/python manage.py keys_create --project default --name me"
    )


def _shown(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return socket.gethostname()
    return f"[{host}]" if ":" in host else host
