#!/usr/bin/env python
"""Run a command of iwrouting: `python manage.py help` lists them."""

from __future__ import annotations

import os
import sys

HELP = {"--help", "-h"}
FOR_HELP = {
    "IW_SECRET_KEY": "signs nothing: only help is shown here",
    "IW_ALLOWED_HOSTS": "localhost",
    "DATABASE_URL": "sqlite://:memory:",
}


def main(arguments: list[str]) -> int:
    """Hand over to the sandbox before Django's set-up, or to Django. Returns the exit code."""
    try:
        if arguments[1:2] == ["sandbox"]:
            from iwrouting.sandbox.__main__ import main as sandbox

            return sandbox(arguments[2:])
        _set_environment(arguments[1:])
        return _run(arguments)
    except KeyboardInterrupt:
        return 130


def _set_environment(arguments: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if not arguments or arguments[0] == "help" or HELP & set(arguments):
        for name, value in FOR_HELP.items():
            os.environ[name] = os.environ.get(name) or value
    elif arguments[0] in ("up", "demo"):
        from iwrouting.conf.environment import variables

        os.environ["IW_ENV"] = variables().get("IW_ENV") or "development"


def _run(arguments: list[str]) -> int:
    from django.core.management import execute_from_command_line
    from django.db import Error

    from iwrouting.conf import SettingsError
    from iwrouting.management.database import NOT_READY, what_to_do

    try:
        execute_from_command_line(arguments)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    except Error as error:
        line = what_to_do(error)
        if not line or "--traceback" in arguments:
            raise
        print(line, file=sys.stderr)
        return NOT_READY
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
