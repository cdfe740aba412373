"""`manage.py roles`: who may do what in the database, on PostgreSQL."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from iwrouting.management.role_apply import WRONG_USAGE, check_name, show_or_apply, verifier
from iwrouting.management.role_plan import SETTINGS, Login, Roles, statements, too_mighty

NO_ROLES = (
    "SQLite has no roles: who can write the file can do all. Let the service's user alone have the file and its folder "
    "(mode 0600 and 0700); triggers refuse changes of the audit's rows, the chain of hashes shows them, and analysts "
    "read a copy ('sqlite3 FILE \".backup COPY\"') or open the file read-only (file:FILE?mode=ro)."
)
EPILOG = """examples:
  manage.py roles --dry-run
  manage.py roles --yes --login app=router --login analyst=reader --login owner=keeper
  printf '%s\\n' "$PASSWORD" | manage.py roles --yes --login app=router --password-stdin

Makes, or brings up to date, three roles without login:
  iw_owner    owns tables, views and functions: migrate, maintain, partitions
  iw_app      the service: INSERT and SELECT on insert-only tables, DML on the others, no DDL
  iw_analyst  SELECT on the views rpt_*, and nothing else
A --login is made where it is missing and becomes a member. Its password comes from stdin, a line for each --login, or
is set with psql's \\password: no secret stands on a command line. Run it as a superuser, or as the tables' owner with
CREATEROLE; and again after every migrate that made a table.
Exit codes: 0 done, 1 failed (a login of app or analyst is a superuser or an owner: no guard would hold for it), 2 not
confirmed.
"""


class Command(BaseCommand):
    """Show the statements, or execute them in one transaction."""

    help = "Make the database's roles for owner, service and analysts, or bring them up to date."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        for kind in SETTINGS:
            parser.add_argument(f"--{kind}", default=f"iw_{kind}", metavar="ROLE", help=f"Default: iw_{kind}.")
        parser.add_argument(
            "--login", action="append", default=[], metavar="KIND=NAME", help="Who logs in as app, analyst or owner."
        )
        parser.add_argument("--password-stdin", action="store_true", help="Their passwords, a line each, from stdin.")
        parser.add_argument("--dry-run", action="store_true", help="Print the SQL, passwords left out; change nothing.")
        parser.add_argument("--yes", action="store_true", help="Do not ask.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print or apply."""
        if connection.vendor != "postgresql":
            self.stderr.write(NO_ROLES)
            return
        roles = self._roles(options)
        if mighty := too_mighty(roles.owner, roles.logins):
            raise CommandError(f"Nothing was changed: no guard would hold: {'; '.join(mighty)}. Name others.")
        show_or_apply(self, statements(roles), dry_run=options["dry_run"], yes=options["yes"])

    def _roles(self, options: dict[str, Any]) -> Roles:
        pairs = [login_of(text) for text in options["login"]]
        for name in (options["owner"], options["app"], options["analyst"], *(name for _, name in pairs)):
            check_name(name)
        passwords = sys.stdin.read().splitlines() if options["password_stdin"] else [""] * len(pairs)
        if len(passwords) != len(pairs):
            raise CommandError(f"stdin has {len(passwords)} lines for {len(pairs)} --login.", returncode=WRONG_USAGE)
        logins = [Login(kind, name, verifier(name, text)) for (kind, name), text in zip(pairs, passwords, strict=True)]
        return Roles(options["owner"], options["app"], options["analyst"], tuple(logins))


def login_of(text: str) -> tuple[str, str]:
    """Kind and name of a --login. Raises CommandError."""
    kind, _, name = text.partition("=")
    if kind not in SETTINGS or not name:
        raise CommandError(f"--login {text}: say app=NAME, analyst=NAME or owner=NAME.", returncode=WRONG_USAGE)
    return kind, name
