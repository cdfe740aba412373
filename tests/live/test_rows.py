"""The writer's rows are what Django itself would have stored, value by value and type by type."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import models, transaction

from tests.live.databases import ALIAS, IS_POSTGRESQL, statement
from tests.live.ledger import Record
from tests.live.live import Live

OWN = {"id", "decision_id"}


def stored(table: str, row_id: uuid.UUID) -> dict[str, Any]:
    """One row as it stands: for each column its type and its value."""
    names = [str(found["name"]) for found in columns(table)]
    kind = "pg_typeof" if IS_POSTGRESQL else "typeof"
    shown = ", ".join(f'{kind}("{name}") AS "t_{name}", "{name}"' for name in names)
    given = str(row_id) if IS_POSTGRESQL else row_id.hex
    [row] = statement(f'SELECT {shown} FROM "{table}" WHERE id = %s', given)  # noqa: S608 - names of the database
    return {name: (str(row[f"t_{name}"]), row[name]) for name in names if name not in OWN}


def columns(table: str) -> list[dict[str, Any]]:
    if IS_POSTGRESQL:
        return statement("SELECT column_name AS name FROM information_schema.columns WHERE table_name = %s", table)
    return statement(f'SELECT name FROM pragma_table_info("{table}")')  # noqa: S608 - names of the database


def same_as_django(row: models.Model) -> None:
    """Assert that Django, saving the same values, stores the same; its copy is taken back."""
    table = row._meta.db_table
    wanted = stored(table, row.pk)
    with transaction.atomic(using=ALIAS):
        values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
        copy = type(row)(**{**values, "id": uuid.uuid4()})
        if "decision_id" in values:
            copy.decision_id = uuid.uuid4()  # type: ignore[attr-defined] # attempts and outcomes have it
        copy.save(using=ALIAS, force_insert=True)
        assert stored(table, copy.pk) == wanted
        transaction.set_rollback(True, using=ALIAS)


def rows(record: Record) -> list[models.Model]:
    return [record.decision, *record.attempts, *record.outcomes]


def fallback(live: Live) -> Record:
    live.sandbox.plan([{"match": {"model": "gpt-5.1"}, "fault": {"status": 429, "headers": {"retry-after-ms": "5"}}}])
    headers = {"x_iw_tags": "a,b", "x_iw_test": "1", "x_request_id": live.run}
    return live.chat(
        "manager", temperature=0.4, max_tokens=9, client=live.client(None, url="", max_retries=0, **headers)
    ).record


def skipped(live: Live) -> Record:
    return live.stream("auto", "```python\nprint(1)\n```\nfix this code please").record


def batched(live: Live) -> Record:
    return live.embed([f"text {n}" for n in range(20)]).record


def refused(live: Live) -> Record:
    live.post("/v1/chat/completions", {"model": "märchen 😀", "messages": [{"role": "user", "content": "x"}]})
    return live.the_record()


def resolved(live: Live) -> Record:
    live.resolve("code")
    return live.the_record()


def broken(live: Live) -> Record:
    live.sandbox.plan([{"match": {"model": "gpt-5.1"}, "fault": "cut"}])
    live.post(
        "/v1/chat/completions", {"model": "manager", "stream": True, "messages": [{"role": "user", "content": "x"}]}
    )
    return live.the_record()


@pytest.mark.parametrize("make", [fallback, skipped, batched, refused, resolved, broken])
def test_rows_of_the_writer__are_those_of_the_orm(live: Live, make: Any) -> None:
    record = make(live)
    assert record.outcomes
    for row in rows(record):
        same_as_django(row)


def test_values_read_back__have_their_fields_types(live: Live) -> None:
    kinds = {
        models.UUIDField: uuid.UUID,
        models.BooleanField: bool,
        models.IntegerField: int,
        models.BigIntegerField: int,
        models.CharField: str,
        models.TextField: str,
    }
    for row in rows(fallback(live)):
        for field in row._meta.concrete_fields:
            value = getattr(row, field.attname)
            if value is not None and type(field) in kinds:
                assert type(value) is kinds[type(field)], field
