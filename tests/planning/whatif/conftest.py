"""A test file named for one database is collected on that one alone."""

from __future__ import annotations

from tests.audit_tables.databases import IS_POSTGRESQL

collect_ignore_glob = [] if IS_POSTGRESQL else ["test_*_postgresql.py"]
