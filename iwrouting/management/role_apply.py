"""Statements on roles: shown without what is secret in them, agreed to, and executed in one transaction."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError, connection, transaction

from iwrouting.management.output import counted

FAILED, WRONG_USAGE = 1, 2
NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


def check_name(name: str) -> str:
    """The name of a role. Raises CommandError for one that would need quotes everywhere."""
    if not NAME.fullmatch(name):
        raise CommandError(f"'{name}': a role's name has a-z, 0-9 and _ here.", returncode=WRONG_USAGE)
    return name


def verifier(name: str, password: str) -> str:
    """What PostgreSQL keeps of a password: the text itself never leaves this process. Empty for none."""
    if not password:
        return ""
    connection.ensure_connection()
    found: bytes = connection.connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256")
    return found.decode()


def show_or_apply(command: BaseCommand, lines: Sequence[str], *, dry_run: bool, yes: bool) -> bool:
    """Print the statements, or execute them all or none; gives whether they were executed. Raises CommandError."""
    if dry_run:
        command.stdout.write("".join(f"{_hidden(line)};\n" for line in lines), ending="")
        return False
    if not yes and not _agreed(command, len(lines)):
        return False
    _apply(lines)
    command.stderr.write(f"Executed {counted(len(lines), 'statement')}.")
    return True


def _agreed(command: BaseCommand, count: int) -> bool:
    if not sys.stdin.isatty():
        raise CommandError("Add --yes to apply, or --dry-run to see the SQL.", returncode=WRONG_USAGE)
    agreed = input(f"Execute {count} statements on roles and rights? [y/N] ").strip().lower() in ("y", "yes")
    if not agreed:
        command.stderr.write("Nothing was changed.")
    return agreed


def _apply(lines: Sequence[str]) -> None:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '2s'")
            for line in lines:
                cursor.execute(line)
    except ProgrammingError as error:
        raise CommandError(
            f"Nothing was changed: {str(error).strip()}. Run it as a superuser, or as the tables' owner with "
            "CREATEROLE.",
            returncode=FAILED,
        ) from None


def _hidden(line: str) -> str:
    """A statement to show, without the verifier in it."""
    return re.sub(r"PASSWORD '.*'", "PASSWORD '...'", line)
