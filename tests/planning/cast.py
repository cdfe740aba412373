"""A small configuration, changes of it, and what is stored, for the tests of plans and of the commands on them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from iwrouting.models import Alias, ApiKey, Model, OpenChange, Override, Price, Project, Upstream, change, new_key
from iwrouting.snapshot.contents import contents_now
from iwrouting.types import ALWAYS, Via

LATER = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)


def by_ann(**more: Any) -> AbstractContextManager[OpenChange]:
    return change(**{"author": "ann", "via": Via.CLI, "reason": "A test of plans", **more})


def fill() -> int:
    """Everything that a bundle can hold, and a key, which none does. Returns the revision."""
    with by_ann() as made:
        eu = Upstream(slug="eu", base_url="https://eu.provider.example/v1", secret_ref="env:IW_UPSTREAM_EU")
        eu.save()
        Model(model_id="gpt-4.1", endpoints=["chat"], context_window=1_000_000).save()
        Model(model_id="gpt-5.1", endpoints=["chat", "responses"], reasoning=True, efforts=["low", "high"]).save()
        Model(model_id="local-7", endpoints=["chat"], upstream=eu).save()
        Alias(name="fast", kind="chat_mode", default_model="gpt-4.1", purpose="Quick: no \u2192 thought").save()
        manager = Alias(name="manager", kind="role", default_model="gpt-5.1", chain=["fast"], deadline_s=12.5)
        manager.save()
        atlas = Project(slug="atlas", name="Atlas", external_id="p-1")
        atlas.save()
        Project(slug="boreas").save()
        Price(model_id="gpt-4.1", valid_from=ALWAYS, input_pico=2_000_000, output_pico=1).save()
        for model in ("gpt-5.1", "local-7"):
            Price(model_id=model, valid_from=ALWAYS, input_pico=1_000_000, output_pico=4_000_000).save()
        Price(model_id="gpt-4.1", valid_from=LATER, input_pico=75_000, above_input_tokens=200_000).save()
        Override(alias=manager, project=atlas, model="local-7", expires_at=LATER, reason="Cheaper").save()
        Override(alias=manager, project=None, model="local-7", enabled=False).save()
        made_key = new_key()
        ApiKey(key_id=made_key.key_id, sha256=made_key.sha256, name="backend", project=atlas).save()
    return made.revision


def stored(*left_out: str) -> dict[str, list[Any]]:
    """The contents of all rows, whatever their keys."""
    now = contents_now()
    return {word: sorted(rows.values(), key=str) for word, rows in now.items() if word not in left_out}


def sql(*statements: str) -> None:
    """What somebody does past the service."""
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
