"""An override counts from `starts_at` on, up to but not including `expires_at`: to the very microsecond."""

from __future__ import annotations

import pytest
from django.db import connection

from iwrouting.models import Alias, Override
from tests.audit_tables.reading import select


@pytest.mark.django_db
@pytest.mark.parametrize(("edge", "state"), [("starts_at", "used"), ("expires_at", "expired")])
def test_effective__at_the_edge__is_half_open(edge: str, state: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")  # which stands still inside of a transaction
        (now,) = cursor.fetchone()
    alias = Alias.objects.create(name="fast", kind="chat_mode", default_model="d")
    Override.objects.create(alias=alias, model="m", **{edge: now})
    assert select("SELECT override_state FROM rpt_effective_config_v1") == [{"override_state": state}]
