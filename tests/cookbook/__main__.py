"""Loads the cookbook's demo data into a new database: `DATABASE_URL=... python -m tests.cookbook`."""

from __future__ import annotations

import os
import sys

NEW = "Set DATABASE_URL to a new database, such as sqlite:////tmp/cookbook.sqlite3."


def main() -> int:
    """Migrate and load. Returns the exit code: 1 where no database is named, or it holds something already."""
    if not os.environ.get("DATABASE_URL"):
        print(NEW, file=sys.stderr)
        return 1
    os.environ.setdefault("IW_ENV", "development")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    return fill()


def fill() -> int:
    """Load, where the database is empty; the exit code."""
    from django.db import transaction

    from iwrouting.models import Alias, Decision
    from tests.cookbook.story import tell

    if Decision.objects.exists() or Alias.objects.exists():
        print(f"This database holds decisions or aliases already, which would mix. {NEW}", file=sys.stderr)
        return 1
    with transaction.atomic():
        tell()
    print(f"{Decision.objects.count()} decisions of 1 October to 20 November 2026 are there.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
