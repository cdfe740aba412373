"""A row gives the same bytes as its writer has it and as it comes back from either database."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, models
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from iwrouting.audit import ATTEMPT, DECISION, OUTCOME, Row, finish_row
from iwrouting.audit.tamper.chain import HASH, canonical
from iwrouting.audit.tamper.reading import Reader
from tests.audit_tables.owner import unguarded
from tests.tamper.chains import MODELS, Chain, call_rows, store

TIMES = st.datetimes(datetime(2001, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
WHOLE_TIMES = st.one_of(TIMES, TIMES.map(lambda moment: moment.replace(microsecond=0)))
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


def values_of(field: models.Field[Any, Any]) -> st.SearchStrategy[Any]:
    """Values that a column may hold, as a writer has them; what tells nothing and False apart comes often."""
    kind = getattr(field, "target_field", field)
    found: st.SearchStrategy[Any]
    if isinstance(kind, models.UUIDField):
        found = st.uuids().map(str)
    elif isinstance(kind, models.DateTimeField):
        found = WHOLE_TIMES
    elif isinstance(kind, models.BooleanField):
        found = st.booleans()
    elif isinstance(kind, models.BigIntegerField):
        found = st.one_of(st.just(0), st.integers(-(2**63), 2**63 - 1))
    elif isinstance(kind, models.IntegerField):
        found = st.one_of(st.just(0), st.integers(-(2**31), 2**31 - 1))
    else:
        most = field.max_length
        found = st.one_of(st.just(""), st.just("null"), st.just("0"), TEXTS.map(lambda text: text[:most]))
    return st.none() | found if field.null else found


def row_of(table: str) -> st.SearchStrategy[tuple[str, Row]]:
    """A row of a table, every column drawn."""
    fields = MODELS[table]._meta.concrete_fields
    drawn = {str(field.column): values_of(field) for field in fields if field.column not in ("writer_id", "writer_seq")}
    return st.fixed_dictionaries(drawn).map(lambda row: (table, finish_row(table, row)))


@pytest.mark.django_db
@hypothesis(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(row_of(DECISION), row_of(ATTEMPT), row_of(OUTCOME)))
def test_canonical__any_row__is_the_same_from_its_writer_and_from_the_database(made: tuple[str, Row]) -> None:
    table, row = made
    chain = Chain()
    covered = canonical(table, chain.place(table, row))
    store([made])
    [read] = Reader().rows(chain.id)
    assert canonical(read.table, read.values) == covered
    # So it does as the journal keeps it: as JSON.
    assert canonical(table, json.loads(json.dumps(row, default=_as_journaled))) == covered
    with unguarded(connection):
        MODELS[table]._default_manager.all().delete()


def _as_journaled(value: datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("model", MODELS.values())
def test_columns__are_nullable_or_text__never_both(model: type[models.Model]) -> None:
    """Null and the empty text are both left out of the canonical form: no column can hold either."""
    for field in model._meta.concrete_fields:
        assert not (field.null and isinstance(field, models.CharField | models.TextField)), field.column


FIRST_FORM = {
    DECISION: """id decision_at writer_id writer_seq chain_hash project project_external_id key_id request_id run_id
        tags client_retry alias kind inferred_mode reason features endpoint is_stream is_test model_asked model_resolved
        upstream source ladder chain warnings revision environment_id catalogue_version rules_version app_version
        estimate_tokens estimate_source""",
    ATTEMPT: """id decision_at writer_id writer_seq chain_hash decision_id seq kind rung try batch alias model upstream
        endpoint skip_reason changes sent_at first_byte_us end_us status error_type error_code error_param
        upstream_request_id retry_after_ms bytes_sent bytes_received chunks""",
    OUTCOME: """id decision_at writer_id writer_seq chain_hash decision_id ended_at origin result status error_type
        error_code error_param model_served upstream_served endpoint_served calls fallbacks finish_reason prompt_tokens
        cached_tokens cache_write_tokens completion_tokens reasoning_tokens tokens_source usage cost_pico cost_state
        price_version latency_us first_byte_us overhead_us bytes_delivered chunks_delivered""",
}


@pytest.mark.parametrize("table", MODELS)
def test_columns__later_ones__begin_as_null_or_empty(table: str) -> None:
    """Else the rows that are there would have another canonical form after the migration that adds the column."""
    first = set(FIRST_FORM[table].split())
    fields = {str(field.column): field for field in MODELS[table]._meta.concrete_fields}
    assert first <= set(fields)
    for name in set(fields) - first:
        field = fields[name]
        is_text = isinstance(field, models.CharField | models.TextField)
        assert (field.get_default() == "") if is_text else (field.null and field.get_default() is None), name


def test_canonical__a_known_row__has_the_documented_bytes() -> None:
    row = {
        "writer_seq": 7,
        "id": UUID("01a20658-1b49-7000-80a6-34eeb608b649"),
        "decision_at": datetime(2026, 11, 23, 2, 59, 27, 177000, tzinfo=UTC),
        "ended_at": datetime(2026, 11, 23, 2, 59, 28, tzinfo=UTC),
        "is_test": False,
        "calls": 0,
        "status": None,
        "error_type": "",
        "usage": '{"a":1}',
        "project": "Größe",
        HASH: "f" * 64,
    }
    assert canonical(OUTCOME, row).decode() == (
        '["iwrouting_outcome",{"calls":0,"decision_at":"2026-11-23T02:59:27.177000Z","ended_at":"2026-11-23T02:59:28Z",'
        '"id":"01a20658-1b49-7000-80a6-34eeb608b649","is_test":false,"project":"Größe","usage":"{\\"a\\":1}",'
        '"writer_seq":7}]'
    )


def test_canonical__what_json_cannot_hold__is_refused() -> None:
    for value in (b"x", "\ud800", 2**64, datetime):
        with pytest.raises(TypeError):
            canonical(DECISION, dict(call_rows())[DECISION] | {"reason": value})
