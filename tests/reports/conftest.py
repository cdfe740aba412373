"""A test file named for one database is collected on that one alone."""

from __future__ import annotations

from django.db import connection

collect_ignore_glob = ["test_*_sqlite.py" if connection.vendor == "postgresql" else "test_*_postgresql.py"]
