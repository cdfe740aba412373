"""What the owner of the tables does to the rows of a chain is found, and named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, models, transaction

from iwrouting.audit import ATTEMPT, DECISION, OUTCOME, Row
from iwrouting.audit.tamper.chain import FIRST, canonical, link, make_key
from iwrouting.audit.tamper.sealed import Exported
from iwrouting.audit.tamper.seals import MANUAL, make_seal
from iwrouting.models import Attempt, Seal
from tests.tamper.chains import MODELS, Chain, call_rows, our_key, store
from tests.tamper.verified import found, verify

IS_SQLITE = connection.vendor == "sqlite"
Attack = Callable[..., int]
PLACE = ("writer_id", "writer_seq")
COLUMNS = {
    table: [field for field in model._meta.concrete_fields if field.column not in (*PLACE, "chain_hash")]
    for table, model in MODELS.items()
}


def another(field: models.Field[Any, Any]) -> str:
    """An SQL expression of another value of a column than the one it has."""
    kind = getattr(field, "target_field", field)
    if isinstance(kind, models.UUIDField):
        return "'" + ("0" * 32 if IS_SQLITE else "0" * 8 + "-0000" * 3 + "-" + "0" * 12) + "'"
    if isinstance(kind, models.DateTimeField):
        return "'2026-11-01 00:00:00.000001'" if IS_SQLITE else "'2026-11-01 00:00:00.000001+00'"
    if isinstance(kind, models.BooleanField):
        return f'NOT "{field.column}"'
    if isinstance(kind, models.IntegerField):
        return f'coalesce("{field.column}" + 7, 0)'
    return f"""coalesce("{field.column}", '') || 'x'"""


def test_verify__nothing_touched__finds_nothing(chain: Chain) -> None:
    tally = verify()
    assert (found(tally), tally.pending) == ([], [])
    assert (tally.rows, tally.writers, tally.unchecked, tally.not_covered) == (12, 1, 0, 0)


@pytest.mark.parametrize(("table", "number"), [(DECISION, 5), (ATTEMPT, 6), (OUTCOME, 8)])
def test_verify__any_column_edited__names_the_row(chain: Chain, attack: Attack, table: str, number: int) -> None:
    for field in COLUMNS[table]:
        before = transaction.savepoint()
        changed = f'UPDATE {table} SET "{field.column}" = {another(field)} WHERE writer_seq = %s'  # noqa: S608
        assert attack(changed, number) == 1
        tally = verify()
        assert (found(tally), tally.rows) == ([("edited", number, number)], 11), field.column
        [finding] = tally.findings
        row = MODELS[table]._default_manager.values().get(writer_seq=number)
        assert (finding.writer, finding.table, finding.row_id) == (chain.id, table, str(row["id"]))
        assert finding.decision_id == str(row["id" if table == DECISION else "decision_id"])
        assert "contents were changed" in finding.text
        transaction.savepoint_rollback(before)
    assert found(verify()) == []


@pytest.mark.parametrize("value", ["f" * 64, "", "é"])
def test_verify__a_hash_edited__says_that_the_contents_are_whole(chain: Chain, attack: Attack, value: str) -> None:
    attack(f"UPDATE {ATTEMPT} SET chain_hash = %s WHERE writer_seq = 6", value)  # noqa: S608
    tally = verify()
    assert found(tally) == [("edited", 6, 6)]
    assert "its chain_hash was changed" in tally.findings[0].text


@pytest.mark.parametrize(
    ("table", "number", "kind"), [(DECISION, 1, "removed"), (ATTEMPT, 7, "removed"), (OUTCOME, 12, "tail")]
)
def test_verify__a_row_removed__names_its_number(
    chain: Chain, attack: Attack, table: str, number: int, kind: str
) -> None:
    assert attack(f"DELETE FROM {table} WHERE writer_seq = %s", number) == 1  # noqa: S608
    tally = verify()
    assert found(tally) == [(kind, number, number)]
    assert tally.findings[0].writer == chain.id
    # What comes behind a hole can only be taken as it is.
    assert tally.unchecked == (0 if kind == "tail" else 1)


def test_verify__a_whole_call_removed__names_its_numbers(chain: Chain, attack: Attack) -> None:
    for table in MODELS:
        attack(f"DELETE FROM {table} WHERE writer_seq BETWEEN 5 AND 8")  # noqa: S608
    assert found(verify()) == [("removed", 5, 8)]


def test_verify__all_rows_of_a_writer_removed__is_known_by_its_row_and_by_seals(chain: Chain, attack: Attack) -> None:
    make_seal(MANUAL)
    for table in MODELS:
        attack(f"DELETE FROM {table}")  # noqa: S608
    assert found(verify()) == [("tail", 1, 12)]
    attack("DELETE FROM iwrouting_writer")
    tally = verify()
    assert found(tally) == [("tail", 1, 12)]
    assert "seal 1" in tally.findings[0].text


@pytest.mark.parametrize("hashed", [True, False])
@pytest.mark.parametrize("number", [0, 6, 13])
def test_verify__a_forged_row__is_named(chain: Chain, number: int, hashed: bool) -> None:
    table, row = call_rows()[1]
    row |= {"writer_id": chain.id, "writer_seq": number}
    row["chain_hash"] = link(make_key("the forger's own key"), "", canonical(table, row)) if hashed else ""
    store([(table, row)])
    tally = verify()
    assert found(tally) == [("edited" if number == 13 else "inserted", number, number)]
    assert tally.findings[0].row_id == row["id"]
    assert tally.rows == 12


def test_verify__a_forged_row_with_a_lower_id_than_the_true_one__names_the_forged_one(chain: Chain) -> None:
    table, row = call_rows()[1]
    row |= {
        "id": "00000000-0000-7000-8000-000000000000",
        "writer_id": chain.id,
        "writer_seq": 6,
        "chain_hash": "f" * 64,
    }
    store([(table, row)])
    tally = verify()
    assert found(tally) == [("inserted", 6, 6)]
    assert tally.findings[0].row_id == row["id"]
    assert tally.rows == 12


def test_verify__a_call_of_a_writer_that_never_was__is_named(chain: Chain) -> None:
    forger = Chain(make_key("the forger's own key"))
    forger.calls(1)
    tally = verify()
    assert found(tally) == [("edited", number, number) for number in (1, 2, 3, 4)]
    assert {finding.writer for finding in tally.findings} == {forger.id}


def test_verify__two_rows_swapped__names_both(chain: Chain, attack: Attack) -> None:
    places = Attempt.objects.filter(writer_seq__in=(6, 7)).order_by("writer_seq").values_list("id", "chain_hash")
    [(first, first_hash), (second, second_hash)] = places
    swapped = f"UPDATE {ATTEMPT} SET writer_seq = %s, chain_hash = %s WHERE id = %s"  # noqa: S608
    attack(swapped, 7, second_hash, first.hex)
    attack(swapped, 6, first_hash, second.hex)
    assert found(verify()) == [("edited", 6, 6), ("edited", 7, 7)]


def test_verify__rows_renumbered_to_close_a_hole__names_them(chain: Chain, attack: Attack) -> None:
    attack(f"DELETE FROM {ATTEMPT} WHERE writer_seq = 6")  # noqa: S608
    for table in MODELS:
        attack(f"UPDATE {table} SET writer_seq = writer_seq - 1 WHERE writer_seq > 6")  # noqa: S608
    assert found(verify()) == [*(("edited", number, number) for number in range(6, 12)), ("tail", 12, 12)]


def test_verify__a_row_given_to_another_writer__is_found_on_both_sides(chain: Chain, attack: Attack) -> None:
    other = Chain()
    other.calls(1)
    other.tell(ended_at=other.now())
    attack(f"UPDATE {ATTEMPT} SET writer_id = %s WHERE writer_id = %s AND writer_seq = 7", other.id, chain.id)  # noqa: S608
    tally = verify()
    assert [(each.kind, each.writer, each.first, each.last) for each in tally.findings] == [
        ("removed", chain.id, 7, 7),
        ("removed", other.id, 5, 6),
    ]


def rehash(attack: Attack, chain: Chain, key: str, start: int) -> None:
    """Write the chain anew from a number on, with a key."""
    rows = sorted(
        ((table, values) for table, model in MODELS.items() for values in model._default_manager.values()),
        key=lambda each: each[1]["writer_seq"],
    )
    previous = FIRST
    for table, values in rows:
        row: Row = {str(field.column): values[field.attname] for field in MODELS[table]._meta.concrete_fields}
        if row["writer_seq"] < start:
            previous = row["chain_hash"]
            continue
        previous = link(make_key(key), previous, canonical(table, row))
        attack(f"UPDATE {table} SET chain_hash = %s WHERE writer_seq = %s", previous, row["writer_seq"])  # noqa: S608
    attack("UPDATE iwrouting_writer SET chain_hash = %s", previous)


def test_verify__chain_written_anew_with_another_key__names_where_it_begins(chain: Chain, attack: Attack) -> None:
    chain.calls(20)
    chain.tell(ended_at=chain.now())
    attack(f"UPDATE {ATTEMPT} SET status = 500 WHERE writer_seq = 6")  # noqa: S608
    rehash(attack, chain, "k" * 40, 6)
    tally = verify()
    assert found(tally)[0] == ("edited", 6, 6)
    assert found(tally)[-1] == ("edited", 26, 92)
    assert len(tally.findings) == 21
    assert "67 rows on end do not fit" in tally.findings[-1].text


def test_verify__chain_written_anew_with_the_true_key__is_found_by_a_seal(chain: Chain, attack: Attack) -> None:
    seal = make_seal(MANUAL)
    kept = Exported.of(seal)
    attack(f"UPDATE {ATTEMPT} SET status = 500 WHERE writer_seq = 6")  # noqa: S608
    rehash(attack, chain, secret(), 6)
    tally = verify()
    assert found(tally) == [("head", 12, 12)]
    assert "seal 1" in tally.findings[0].text
    # Whoever has the key makes the seal anew too: what was exported is then the only witness.
    attack("DELETE FROM iwrouting_seal")
    make_seal(MANUAL)
    assert found(verify()) == []
    assert found(verify(kept)) == [("seal", 1, 1)]


def secret() -> str:
    return our_key().secret.decode()


def test_verify__rows_after_the_last_seal_removed_with_the_key__are_beyond_proof(chain: Chain, attack: Attack) -> None:
    kept = Exported.of(make_seal(MANUAL))
    chain.call()
    for table in MODELS:
        attack(f"DELETE FROM {table} WHERE writer_seq > 12")  # noqa: S608
    assert found(verify(kept)) == []
    assert Seal.objects.count() == 1
