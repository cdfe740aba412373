"""Rows: complete, and clean of what a database would refuse (faults.md T2)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import models
from hypothesis import given
from hypothesis import strategies as st

from iwrouting.audit.rows import ATTEMPT, DECISION, LIMITS, MAX_TEXT, OUTCOME, as_json, finish_row
from iwrouting.models import Attempt, Decision, Outcome
from iwrouting.upstream.usage import MAX_COUNT, read_usage

TABLES = {DECISION: Decision, ATTEMPT: Attempt, OUTCOME: Outcome}
TEXTS = [(table, column) for table in TABLES for column, _ in LIMITS[table]]


@pytest.mark.parametrize("table", TABLES)
def test_row__with_nothing_given__has_every_column_at_its_default(table: str) -> None:
    row = finish_row(table, {})
    fields = {str(field.column): field for field in TABLES[table]._meta.concrete_fields}
    assert row.keys() == fields.keys()
    for column, field in fields.items():
        is_text = isinstance(field, models.CharField | models.TextField)
        expected: Any = field.default if field.has_default() else ("" if is_text else None)
        assert row[column] == expected


def test_row__defaults__are_json_and_false() -> None:
    row = finish_row(DECISION, {})
    assert (row["tags"], row["features"], row["ladder"], row["is_test"]) == ("[]", "{}", "[]", False)


@pytest.mark.parametrize("table", TABLES)
def test_row__wrong_column__is_an_error_that_names_it(table: str) -> None:
    with pytest.raises(KeyError, match="try_numer"):
        finish_row(table, {"try_numer": 1})


def test_row__given_values__stay_and_the_input_too() -> None:
    values = {"project": "atlas", "revision": 7, "is_stream": True}
    row = finish_row(DECISION, values)
    assert {name: row[name] for name in values} == values
    row["project"] = "changed"
    assert values["project"] == "atlas"
    assert finish_row(DECISION, {})["project"] == ""


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("a\x00b\x00", "ab"),
        ("\x00", ""),
        ("\ud800a", "?a"),
        ("a\udcff", "a?"),
        ("né", "né"),
        ("日本", "日本"),
        ("\x00\ud800\x00", "?"),
    ],
)
def test_row__text_that_a_database_refuses__is_cleaned_in_every_column(text: str, stored: str) -> None:
    for table, column in TEXTS:
        assert finish_row(table, {column: text})[column] == stored


@pytest.mark.parametrize(("table", "column"), TEXTS)
def test_row__over_long_text__is_cut_to_its_column(table: str, column: str) -> None:
    limit = dict(LIMITS[table])[column]
    field = next(field for field in TABLES[table]._meta.concrete_fields if field.column == column)
    assert limit == (field.max_length or MAX_TEXT)
    for text in ("a" * 5_000_000, "é" * (limit + 1), "\x00" * 10 + "a" * (limit + 1)):
        found = finish_row(table, {column: text})[column]
        if field.default in ("[]", "{}"):
            assert type(json.loads(found)) is type(json.loads(field.default))
        else:
            assert len(found) == limit
    assert finish_row(table, {column: "a" * limit})[column] == "a" * limit


@given(st.text(st.characters(codec=None)), st.sampled_from(TEXTS))
def test_row__any_text__is_storable(text: str, place: tuple[str, str]) -> None:
    stored = finish_row(place[0], {place[1]: text})[place[1]]
    assert "\x00" not in stored
    stored.encode("utf-8")
    assert len(stored) <= dict(LIMITS[place[0]])[place[1]]


def test_as_json__is_compact_and_keeps_the_order() -> None:
    assert as_json({"b": [1, None, "é"], "a": {"x": True}}) == '{"b":[1,null,"é"],"a":{"x":true}}'
    assert as_json(("a", "b")) == '["a","b"]'


def test_as_json__of_the_largest_usage__is_not_cut() -> None:
    names = [f"{n:04}" + "\x01" * 100 for n in range(1_000)]
    usage = read_usage({"usage": {name: dict.fromkeys(names, MAX_COUNT - 1) for name in names}})
    assert usage is not None
    text = as_json(usage.reported)
    assert json.loads(finish_row(OUTCOME, {"usage": text})["usage"]) == usage.reported
