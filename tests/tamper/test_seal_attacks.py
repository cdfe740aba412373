"""What is done to seals, to rows in quarantine and to Writer rows is found, and named."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from iwrouting.audit import ATTEMPT
from iwrouting.audit.tamper.chain import make_key
from iwrouting.audit.tamper.sealed import Exported
from iwrouting.audit.tamper.seals import MANUAL, make_seal
from iwrouting.models import QuarantinedRow, Seal
from tests.tamper.chains import Chain, call_rows, our_key
from tests.tamper.verified import found, verify

Attack = Callable[..., int]


@pytest.fixture
def seals(chain: Chain) -> list[Seal]:
    """Three seals of a chain of twelve rows."""
    return [make_seal(MANUAL) for _ in range(3)]


def test_verify__seals_as_they_were_made__finds_nothing(seals: list[Seal]) -> None:
    tally = verify(*map(Exported.of, seals))
    assert (found(tally), tally.seals) == ([], 3)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", "2026-11-01 00:00:00.000001"),
        ("kind", "hourly"),
        ("heads", "[]"),
        ("heads", "no JSON"),
        ("heads", '[["w"]]'),
        ("removed", '[{"writer": "w", "runs": [[1, 2, "f"]]}]'),
        ("hash", "f" * 64),
    ],
)
def test_verify__a_column_of_a_seal_edited__names_the_seal(
    seals: list[Seal], attack: Attack, column: str, value: str
) -> None:
    attack(f"UPDATE iwrouting_seal SET {column} = %s WHERE number = 2", value)  # noqa: S608
    assert ("seal", 2, 2) in found(verify())


def test_verify__a_link_of_seals_edited__names_the_seal(seals: list[Seal], attack: Attack) -> None:
    attack("UPDATE iwrouting_seal SET previous = %s WHERE number = 3", "f" * 64)
    assert found(verify()) == [("seal", 3, 3), ("seal", 3, 3)]


@pytest.mark.parametrize("number", [1, 2])
def test_verify__a_seal_removed__names_its_number(seals: list[Seal], attack: Attack, number: int) -> None:
    attack("DELETE FROM iwrouting_seal WHERE number = %s", number)
    assert found(verify()) == [("seal", number, number)]


def test_verify__the_last_seals_removed__is_found_by_what_was_exported_alone(seals: list[Seal], attack: Attack) -> None:
    attack("DELETE FROM iwrouting_seal WHERE number > 1")
    assert found(verify()) == []
    assert found(verify(Exported.of(seals[0]), Exported.of(seals[2]))) == [("seal", 3, 3)]


def test_verify__a_seal_by_an_unknown_key__says_to_add_the_older_key(seals: list[Seal]) -> None:
    tally = verify(keys=[make_key("n" * 40)])
    assert found(tally)[:3] == [("key", 1, 1), ("key", 2, 2), ("key", 3, 3)]
    assert found(tally)[3:] == [("key", None, None)]
    assert all("add the older key" in finding.text for finding in tally.findings)
    # The numbers are followed all the same.
    assert (tally.rows, tally.unchecked) == (0, 12)


def test_verify__key_changed__follows_chains_of_both(chain: Chain) -> None:
    newer = Chain(make_key("n" * 40))
    newer.calls(2)
    newer.tell()
    assert found(verify(keys=[newer.key, our_key()])) == []


def test_verify__writer_row_names_another_key__is_found_and_the_rows_are_checked(chain: Chain, attack: Attack) -> None:
    chain.tell(key_id="0" * 16)
    tally = verify()
    assert found(tally) == [("key", None, None)]
    assert tally.rows == 12


def test_verify__writer_row_tells_another_hash__is_found(chain: Chain) -> None:
    chain.tell(chain_hash="f" * 64)
    assert found(verify()) == [("head", 12, 12)]


@pytest.fixture
def kept(chain: Chain) -> QuarantinedRow:
    """Number 13 stands in quarantine; four more rows follow."""
    row = chain.quarantine(*call_rows()[1])
    chain.call()
    chain.tell(ended_at=chain.now())
    return row


def test_verify__a_row_in_quarantine__is_a_link_of_the_chain(kept: QuarantinedRow) -> None:
    tally = verify()
    assert (found(tally), tally.rows, tally.quarantined, tally.unchecked) == ([], 17, 1, 0)


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("row = replace(row, '\"try\": 1', %s)", '"try": 2'),
        ("row = %s", "{}"),
        ("row = %s", "no JSON"),
        ("table_name = %s", "iwrouting_outcome"),
        ("chain_hash = %s", "f" * 64),
    ],
)
def test_verify__a_row_in_quarantine_edited__is_named(
    kept: QuarantinedRow, attack: Attack, change: str, value: str
) -> None:
    attack(f"UPDATE iwrouting_quarantinedrow SET {change}", value)  # noqa: S608
    tally = verify()
    assert found(tally)[0] == ("edited", 13, 13)
    assert tally.findings[0].table == "iwrouting_quarantinedrow"


def test_verify__a_row_in_quarantine_removed__names_its_number(kept: QuarantinedRow, attack: Attack) -> None:
    attack("DELETE FROM iwrouting_quarantinedrow")
    assert found(verify()) == [("removed", 13, 13)]


def test_verify__a_row_that_was_too_long_for_quarantine__is_taken_as_it_is(chain: Chain, attack: Attack) -> None:
    table, row = call_rows()[0]
    row["ladder"] = "x" * 200_000
    chain.quarantine(table, row)
    chain.call()
    chain.tell(ended_at=chain.now())
    tally = verify()
    assert (found(tally), tally.rows, tally.unchecked) == ([], 16, 1)
    attack("UPDATE iwrouting_quarantinedrow SET chain_hash = %s", "f" * 64)
    tally = verify()
    assert found(tally) == [("link", 14, 14)]
    assert "number 13, which stands in quarantine" in tally.findings[0].text


def test_verify__a_row_stored_after_all__may_stand_in_quarantine_too(chain: Chain) -> None:
    stored = chain.call()
    table, row = stored[1]
    QuarantinedRow.objects.create(
        id="00000000-0000-7000-8000-000000000000",
        at=chain.now(),
        table_name=table,
        reason="withdrawn",
        row="{}",
        **{name: row[name] for name in ("writer_id", "writer_seq", "chain_hash")},
    )
    chain.tell(ended_at=chain.now())
    assert found(verify()) == []


def test_verify__many_writers_at_once__follows_each(chain: Chain, attack: Attack) -> None:
    others = [Chain() for _ in range(3)]
    for _ in range(5):
        for other in others:
            other.call()
    for other in others:
        other.tell(ended_at=other.now())
    tally = verify()
    assert (found(tally), tally.rows, tally.writers) == ([], 72, 4)
    attack(f"UPDATE {ATTEMPT} SET status = 500 WHERE writer_seq = 14 AND writer_id = %s", others[1].id)  # noqa: S608
    tally = verify()
    assert [(each.writer, each.first) for each in tally.findings] == [(others[1].id, 14)]
