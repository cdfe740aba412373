"""One row of each kind; PostgreSQL's columns take no value of another type, so those tests are SQLite's alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection

from iwrouting.models import Alias, ApiKey, Model, Override, Price, Project, Upstream, new_key
from iwrouting.snapshot import load

collect_ignore_glob = ["test_*_sqlite.py"] if connection.vendor == "postgresql" else []


@pytest.fixture(autouse=True)
def rows(db: None) -> None:
    """One row of each kind, all in order."""
    atlas = Project(slug="atlas")
    atlas.save()
    far = Upstream(slug="far", base_url="https://far.example/v1")
    far.save()
    Model(model_id="gpt-4.1", endpoints=["chat"], upstream=far).save()
    Price(model_id="gpt-4.1", valid_from=datetime.now(UTC), input_pico=1).save()
    alias = Alias(name="blueprint", kind="role", default_model="gpt-4.1", chain=["fast"])
    alias.save()
    Override(alias=alias, project=atlas, model="gpt-4.1", starts_at=datetime.now(UTC)).save()
    made = new_key()
    ApiKey(key_id=made.key_id, sha256=made.sha256, name="test", project=atlas).save()
    assert load().aliases["blueprint"].chain == ("fast",)
