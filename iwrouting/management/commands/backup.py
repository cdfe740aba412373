"""`manage.py backup`: a consistent copy of a SQLite database and of the journals, while the service runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from iwrouting.conf import settings
from iwrouting.management.copying import CopyFailed, copy_folder, copy_sqlite

EPILOG = """examples:
  manage.py backup /backups/2026-11-23
Writes FOLDER/journal and FOLDER/database.sqlite3, readable for their owner alone. Keys are not in it: keep
IW_SECRET_KEY, IW_AUDIT_KEY and IW_SECRETS_DIR elsewhere. docs/backup.md has the restore, and what PostgreSQL needs.
Exit codes: 0 done, 1 failed: then FOLDER is no backup.
"""


class Command(BaseCommand):
    """Copy the journals, then the database: what leaves a journal meanwhile is in the database."""

    help = "Copy a SQLite database and the journals into a new folder, while the service runs."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument("folder", type=Path, metavar="FOLDER", help="A folder that does not exist yet.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Copy."""
        if connection.vendor != "sqlite":
            raise CommandError(
                "The database is PostgreSQL: copy the journals, then run pg_dump, as docs/backup.md says."
            )
        folder: Path = options["folder"]
        try:
            folder.mkdir(mode=0o700, parents=True)
            files = copy_folder(settings().journals, folder / "journal")
            size = copy_sqlite(Path(str(connection.settings_dict["NAME"])), folder / "database.sqlite3")
        except FileExistsError:
            raise CommandError(f"{folder} is there already: name a new folder for each backup.") from None
        except (CopyFailed, OSError) as error:
            raise CommandError(f"No backup was made: {error}. {folder} is not whole: remove it.") from None
        self.stderr.write(f"{folder}: a database of {size / 1e6:,.1f} MB, checked, and {files} files of the journals.")
        self.stderr.write("It holds no keys: keep IW_SECRET_KEY, IW_AUDIT_KEY and IW_SECRETS_DIR elsewhere.")
