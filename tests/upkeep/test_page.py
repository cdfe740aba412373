"""Maintenance run from the admin: what the command would do, by the same steps, for superusers alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from iwrouting.audit.keeping.tables import TABLES, kept_from
from iwrouting.audit.locks import only_one
from iwrouting.models import Seal
from tests.admin.html import read
from tests.upkeep import story
from tests.upkeep.databases import IS_POSTGRESQL

PAGE = "/admin/system/maintenance/"
OLD = story.month(-20)


@pytest.fixture
def boss(own: str) -> Client:
    """The browser of a superuser, on a database with two calls of a month that is too old."""
    if IS_POSTGRESQL:
        for table in TABLES:
            story.run("SELECT iw_audit_make_partition(%s, %s)", table, OLD)
    story.calls(OLD, 2)
    client = Client()
    user = User.objects.create_user("boss", is_staff=True, is_superuser=True)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_button__runs_what_the_page_announced(boss: Client) -> None:
    assert "retention in order would remove 1 month" in read(boss.get(PAGE)).text
    assert story.counts() == story.each(2)
    page = read(boss.post(PAGE))
    assert "This was done." in page.text
    assert f"retention in order removed 1 month before {kept_from(400, datetime.now(UTC)):%Y-%m}, 6 rows" in page.text
    assert story.counts() == story.each(0)
    assert Seal.objects.filter(kind="removal").count() == 1
    assert LogEntry.objects.latest("id").change_message == "Ran maintenance."


def test_button__while_the_command_runs__does_nothing_and_says_so(boss: Client) -> None:
    with only_one("maintain") as ours:
        assert ours
        assert "Maintenance runs already, in another process" in read(boss.post(PAGE)).text
    assert story.counts() == story.each(2)
