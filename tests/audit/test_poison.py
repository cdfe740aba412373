"""Whatever stands in any column of any table: stored clean or in quarantine with its number, neighbours stored (T2)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from iwrouting.audit import ATTEMPT, BREAKER, DECISION, HELD, OUTCOME, Row, as_json, finish_row, new_id
from iwrouting.audit.journal.records import decode, encode
from iwrouting.audit.rows import BLANK, IDS, MAX_INTEGER, NUMBERED, QUARANTINE, TIMES
from iwrouting.audit.tamper.chain import FIRST, canonical, link
from iwrouting.audit.writing.numbers import Numbers
from iwrouting.audit.writing.quarantine import store_units
from iwrouting.audit.writing.storing import Store
from iwrouting.audit.writing.units import Unit
from iwrouting.models import Decision
from tests.audit.memory import KEY, attempt, decision, outcome
from tests.audit.real import BOUND_S, stored, with_store
from tests.live.databases import ALIAS, statement


def deep(levels: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(levels):
        found = [found]
    return found


POISONS: dict[str, Any] = {
    "nul": "a\0b",
    "surrogate": "a\ud800b",
    "5 MB": "é" * 2_500_000,
    "40 digits": 10**40,
    "minus 40 digits": -(10**40),
    "64 bits and one": 2**64,
    "float": 3.7,
    "not a number": float("nan"),
    "true": True,
    "none": None,
    "bytes": b"\xff\0",
    "400 deep": as_json(deep(400)),
    "object": object(),
    "dict": {"a": ["b"]},
    "naive": datetime(2026, 11, 23),
}


def good(table: str) -> tuple[str, Row]:
    made = decision()
    if table == DECISION:
        return made
    if table in (ATTEMPT, OUTCOME):
        return (attempt if table == ATTEMPT else outcome)(made)
    own = {"id": new_id(), "at": datetime.now(UTC), "upstream": "u", "before": "closed", "state": "open"}
    held = {"id": new_id(), "response_id": "r", "decision_id": new_id(), "created_at": datetime.now(UTC), "model": "m"}
    return table, finish_row(table, own if table == BREAKER else {**held, "upstream": "u"})


def poisoned(table: str) -> Iterator[tuple[str, Row]]:
    """A row for each column and each poison."""
    for column in BLANK[table]:
        for poison in POISONS.values():
            _, row = good(table)
            yield table, finish_row(table, {**row, column: poison})


@pytest.mark.parametrize(
    ("table", "by_journal"),
    [(DECISION, False), (DECISION, True), (ATTEMPT, False), (OUTCOME, True), (HELD, False), (BREAKER, False)],
)
def test_every_column_with_every_poison__stored_clean_or_quarantined_and_neighbours_stored(
    database: str, table: str, by_journal: bool
) -> None:
    numbers = Numbers(new_id(), KEY)
    units = []
    for entry in poisoned(table):
        neighbour = good(table)
        units += [Unit([entry]), Unit([neighbour])]
    for unit in units:
        numbers.give(unit.rows)
    given = [entry for unit in units for entry in unit.rows]
    if by_journal:
        units = decode(encode(units))

    async def work(store: Store) -> None:
        for start in range(0, len(units), 500):
            await store_units(store, units[start : start + 500], BOUND_S, numbers.give)

    with_store(database, work)
    check(table, numbers, given)


def check(table: str, numbers: Numbers, given: list[tuple[str, Row]]) -> None:
    """Each row stands in its table or in quarantine, and the good ones, every other, in their table."""
    here = {str(row["id"]).replace("-", "") for row in statement(f"SELECT id FROM {table}")}  # noqa: S608 - our own names
    assert all(row["id"].replace("-", "") in here for _, row in given[1::2])
    if table in NUMBERED:
        aside = {row["writer_seq"]: row for row in stored(QUARANTINE, writer_id=numbers.writer_id)}
        kept = {row["writer_seq"] for row in stored(table, writer_id=numbers.writer_id)}
        # What stands under another writer's name or without a number was poisoned in these very columns.
        numbered = {row["writer_seq"] for _, row in given if row["writer_id"] == numbers.writer_id}
        assert kept | aside.keys() >= numbered - {None}
        assert not kept & aside.keys()
        assert all(row["chain_hash"] and row["reason"] for row in aside.values())


def test_what_is_stored__is_what_was_hashed(database: str) -> None:
    """Each poison in a text column: the hash over the row that is read back fits."""
    numbers = Numbers(new_id(), KEY)
    rows = [
        decision("x", **{column: poison}) for column in ("reason", "tags", "project") for poison in POISONS.values()
    ]
    numbers.give(rows)

    async def work(store: Store) -> None:
        await store.insert(rows, BOUND_S)

    with_store(database, work)
    previous = FIRST
    for read in Decision.objects.using(ALIAS).filter(writer_id=numbers.writer_id).order_by("writer_seq"):
        row = {name: getattr(read, name) for name in BLANK[DECISION]} | {"id": str(read.id)}
        previous = link(KEY, previous, canonical(DECISION, row))
        assert previous == read.chain_hash
    assert previous == numbers.head


def test_unreadable_ids_and_times__reach_no_table(database: str) -> None:
    """SQLite would take them, and Django could not read them."""
    for table in NUMBERED:
        for column in (*IDS[table], *TIMES[table]):
            for row in statement(f'SELECT "{column}" AS found FROM {table}'):  # noqa: S608 - our own names
                found = row["found"]
                assert found is None or isinstance(found, datetime) or len(str(found)) in (19, 26, 32, 36), (
                    table,
                    found,
                )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a\0b", '"ab"'),
        ({"k\0": "\ud800"}, '{"k":"?"}'),
        (10**40, f'"1{"0" * 40}"'),
        ([-(10**40)], f'["-1{"0" * 40}"]'),
        (MAX_INTEGER, str(MAX_INTEGER)),
        ({"a": {1, 2}}, '{"a":"(set)"}'),
        (float("nan"), "null"),
    ],
)
def test_json__of_anything__is_json_that_both_databases_take(value: object, text: str) -> None:
    assert as_json(value) == text


def test_json__of_a_number_of_5000_digits__does_not_try_to_write_it() -> None:
    assert as_json([10**5_000]) == '["(number)"]'


def test_json__that_is_deep__is_cut_at_its_depth() -> None:
    text = as_json({"a": deep(400)})
    assert text == '{"a":' + "[" * 63 + '"(deeper)"' + "]" * 63 + "}"


@pytest.mark.parametrize(("column", "told"), [("tags", '[{"too_large":300000}]'), ("features", '{"too_large":300000}')])
def test_json__that_is_too_long__stays_json(column: str, told: str) -> None:
    assert finish_row(DECISION, {column: "x" * 300_000})[column] == told
