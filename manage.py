#!/usr/bin/env python
"""Run a command of iwrouting: `python manage.py help` lists them."""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Hand over to the sandbox before Django's set-up, or to Django."""
    if len(sys.argv) > 1 and sys.argv[1] == "sandbox":
        from iwrouting.sandbox.__main__ import main as sandbox

        return sandbox(sys.argv[2:])
    if len(sys.argv) > 1 and sys.argv[1] == "up":
        from iwrouting.conf.environment import variables

        os.environ["IW_ENV"] = variables().get("IW_ENV") or "development"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    from iwrouting.conf.settings import SettingsError

    try:
        execute_from_command_line(sys.argv)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
