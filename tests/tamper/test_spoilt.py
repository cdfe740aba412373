"""Values that no writer stores, but the owner of the tables can: they neither stop nor escape a verification."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection

from iwrouting.audit import ATTEMPT, DECISION
from iwrouting.audit.tamper import reading as reading_module
from iwrouting.audit.tamper.reading import Reader
from tests.tamper.chains import Chain, call_rows, store
from tests.tamper.verified import found, verify

Attack = Callable[..., int]
sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL's types take no such value")
postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no such value")


@postgresql
@pytest.mark.parametrize("value", ["infinity", "-infinity", "0044-03-15 00:00:00 BC", "20000-01-01"])
def test_verify__a_time_that_python_has_not__names_the_row(chain: Chain, attack: Attack, value: str) -> None:
    attack(f"UPDATE {ATTEMPT} SET sent_at = %s WHERE writer_seq = 6", value)  # noqa: S608
    tally = verify()
    assert (found(tally), tally.rows) == ([("edited", 6, 6)], 11)


@sqlite
@pytest.mark.parametrize(
    "value", ["CAST(X'ff' AS text)", "X'00'", "'no time'", "1e999", "1.5", "'2026-11-01 00:00:00.000000'"]
)
@pytest.mark.parametrize("column", ["sent_at", "status", "model", "chain_hash"])
def test_verify__any_value_in_any_column__names_the_row(chain: Chain, attack: Attack, column: str, value: str) -> None:
    attack(f"UPDATE {ATTEMPT} SET {column} = {value} WHERE writer_seq = 6")  # noqa: S608
    tally = verify()
    assert (found(tally), tally.rows) == ([("edited", 6, 6)], 11)


@sqlite
@pytest.mark.parametrize("value", ["'text'", "X'00'", "6.5"])
def test_verify__a_number_that_is_none__names_the_row_and_the_hole(chain: Chain, attack: Attack, value: str) -> None:
    attack(f"UPDATE {ATTEMPT} SET writer_seq = {value} WHERE writer_seq = 6")  # noqa: S608
    assert sorted(found(verify())) == [("inserted", 0, 0), ("removed", 6, 6)]


@sqlite
def test_verify__a_writer_id_that_is_no_text__names_the_row_and_the_hole(chain: Chain, attack: Attack) -> None:
    attack(f"UPDATE {ATTEMPT} SET writer_id = CAST(writer_id AS blob) WHERE writer_seq = 6")  # noqa: S608
    assert sorted(found(verify())) == [("inserted", 0, 0), ("removed", 6, 6)]


@sqlite
def test_verify__a_range_amid_spoilt_times__still_names_the_row(chain: Chain, attack: Attack) -> None:
    attack(f"UPDATE {DECISION} SET decision_at = X'00' WHERE writer_seq = 5")  # noqa: S608
    assert Reader().first_number(chain.id, chain.now()) in (None, 5)
    assert found(verify()) == [("edited", 5, 5)]


def test_rows__many_with_one_number__come_all_and_once(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_module, "CHUNK", 2)
    for _ in range(5):
        table, row = call_rows()[1]
        store([(table, row | {"writer_id": chain.id, "writer_seq": 6, "chain_hash": "f" * 64})])
    read = list(Reader().rows(chain.id))
    assert len(read) == 17
    assert len({row.values["id"] for row in read}) == 17
    assert [row.number for row in read] == sorted(row.number for row in read)
    assert found(verify()) == [("inserted", 6, 6)] * 5


def test_rows__in_small_chunks__come_in_the_order_of_their_numbers(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_module, "CHUNK", 3)
    chain.calls(4)
    assert [row.number for row in Reader().rows(chain.id)] == list(range(1, 29))
    assert [row.number for row in Reader().rows(chain.id, after=5, to=20)] == list(range(6, 21))
