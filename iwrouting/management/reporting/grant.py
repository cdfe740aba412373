"""`manage.py reporting grant`: who may read the views, and nothing else (PostgreSQL)."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from iwrouting.management.changing import NOT_READY
from iwrouting.management.output import Findings
from iwrouting.management.role_apply import FAILED, WRONG_USAGE, check_name, show_or_apply, verifier
from iwrouting.management.role_plan import (
    Login,
    analyst_revokes,
    analyst_statements,
    is_role,
    owner_of_views,
    reach_beside,
    too_mighty,
)

NAME = "grant"
HELP = "Let analysts read the views rpt_*, and nothing else; or take that back."
EPILOG = """examples:
  manage.py reporting grant --dry-run
  printf '%s\\n' "$PASSWORD" | manage.py reporting grant --yes --login routing_reader --password-stdin
  READER_PASSWORD=... manage.py reporting grant --yes --login routing_reader --password-env READER_PASSWORD
  manage.py reporting grant --yes --revoke --login routing_reader

The role (iw_analyst, as `manage.py roles` makes it) has no login: a --login becomes a member of it, and is made where
it is missing. Its sessions begin read-only, with a statement_timeout of 60 s. Run it again after a release that brings
views: what is right stays as it is. --revoke takes the membership from a --login; without one, all that the role has.
Run it as a superuser, or as the views' owner with CREATEROLE.
Exit codes: 0 done, 1 failed (the login is a superuser or an owner: no guard would hold for it), 2 not confirmed,
3 done, but other rights reach beyond the views, 4 the views are not there yet.
"""
NO_ROLES = """SQLite has no roles: who can read the file can read all of it, also the hashes of API keys. Instead:
- a copy for analysts, which holds up nobody: sqlite3 '{file}' ".backup COPY"
- the file itself, read-only: sqlite3 'file:{file}?mode=ro'
What SQLite can't do: show the views rpt_* alone, end a statement that takes too long (meanwhile the -wal file grows),
or tell readers apart. Where that matters, use PostgreSQL."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("--role", default="iw_analyst", metavar="ROLE", help="Default: iw_analyst.")
    parser.add_argument("--login", default="", metavar="NAME", help="Who logs in as an analyst.")
    parser.add_argument("--password-stdin", action="store_true", help="The login's password: the first line of stdin.")
    parser.add_argument("--password-env", default="", metavar="VARIABLE", help="The same, from this variable.")
    parser.add_argument("--revoke", action="store_true", help="Take it back.")
    parser.add_argument("--dry-run", action="store_true", help="Print the SQL, the password left out; change nothing.")
    parser.add_argument("--yes", action="store_true", help="Do not ask.")


def run(command: BaseCommand, options: Mapping[str, Any]) -> None:
    """Show or apply. Raises CommandError, and Findings where the role reaches more than the views."""
    if connection.vendor != "postgresql":
        command.stderr.write(NO_ROLES.format(file=connection.settings_dict["NAME"]))
        return
    role, name = check_name(options["role"]), options["login"] and check_name(options["login"])
    lines = _revokes(role, name) if options["revoke"] else _grants(role, name, options)
    done = show_or_apply(command, lines, dry_run=options["dry_run"], yes=options["yes"])
    if done and not options["revoke"] and (beside := reach_beside(name or role)):
        shown = ", ".join([*beside[:5], *(["..."] if beside[5:] else [])])
        raise Findings(
            f"Granted, but {name or role} also reaches {shown}, by PUBLIC or another role. "
            "`manage.py roles` takes the rights of PUBLIC; REVOKE the others."
        )


def _grants(role: str, name: str, options: Mapping[str, Any]) -> list[str]:
    owner = owner_of_views()
    if not owner:
        raise CommandError("Not all views are there: run `manage.py migrate` first.", returncode=NOT_READY)
    password = _password(name, options)
    login = Login("analyst", name, verifier(name, password)) if name else None
    if login is not None and (mighty := too_mighty(owner, (login,))):
        raise CommandError(f"Nothing was changed: no guard would hold: {'; '.join(mighty)}. Name another login.")
    return analyst_statements(role, login)


def _revokes(role: str, name: str) -> list[str]:
    for each in (role, *([name] if name else [])):
        if not is_role(each):
            raise CommandError(f"There is no role {each}: nothing to revoke.", returncode=FAILED)
    return analyst_revokes(role, name)


def _password(name: str, options: Mapping[str, Any]) -> str:
    """The password that was given, or empty. Raises CommandError for one without a login, or that is not there."""
    variable = options["password_env"]
    if not variable and not options["password_stdin"]:
        return ""
    if not name:
        raise CommandError("A password needs the --login whose it is.", returncode=WRONG_USAGE)
    text = os.environ.get(variable, "") if variable else sys.stdin.readline().rstrip("\n")
    if not text:
        where = f"The variable {variable}" if variable else "The first line of stdin"
        raise CommandError(f"{where} is empty: it must hold the password of {name}.", returncode=WRONG_USAGE)
    return text
