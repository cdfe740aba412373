"""What comes while a verification runs: rows that were on their way, and retention."""

from __future__ import annotations

from collections.abc import Sequence

from iwrouting.audit import Row
from iwrouting.audit.tamper.chain import FIRST, HASH, canonical, link, make_key
from iwrouting.audit.tamper.findings import Tally
from iwrouting.audit.tamper.following import Follower, Known, Run
from iwrouting.audit.tamper.placed import Placed
from tests.tamper.chains import call_rows
from tests.tamper.verified import found

KEY = make_key("k" * 40)


def chain(calls: int) -> list[Placed]:
    """The rows of so many calls, four each."""
    placed: list[Placed] = []
    previous = FIRST
    for number, (table, row) in enumerate((each for _ in range(calls) for each in call_rows()), 1):
        values: Row = {**row, "writer_id": "w", "writer_seq": number}
        values[HASH] = previous = link(KEY, previous, canonical(table, values))
        placed.append(Placed(number, table, values))
    return placed


def follow(rows: Sequence[Placed], known: Known) -> Tally:
    tally = Tally()
    follower = Follower("w", KEY, known, tally)
    for row in rows:
        follower.see(row)
    follower.end()
    return tally


def test_hole__rows_that_came_meanwhile__fill_it() -> None:
    rows = chain(3)
    asked: list[tuple[int, int]] = []

    def look(first: int, last: int) -> tuple[Sequence[Placed], Sequence[Run]]:
        asked.append((first, last))
        return rows[first - 1 : last], ()

    tally = follow([*rows[:4], *rows[6:11]], Known(last=12, last_by="its Writer row", look_again=look))
    assert (found(tally), tally.rows, tally.unchecked) == ([], 12, 0)
    assert asked == [(5, 6), (12, 12)]


def test_hole__a_row_that_came_twice__is_named() -> None:
    rows = chain(2)
    twice = (rows[4], rows[4]._replace(values={**rows[4].values, "id": "another"}))
    tally = follow([*rows[:4], *rows[5:]], Known(look_again=lambda first, last: (twice, ())))
    assert found(tally) == [("inserted", 5, 5)]
    assert tally.findings[0].row_id == "another"


def test_hole__retention_that_ran_meanwhile__explains_it_and_what_was_read_before() -> None:
    rows = chain(3)
    runs = [Run(1, 6, rows[5].values[HASH])]
    # One chunk was read before retention, those of the other tables after it.
    tally = follow([rows[3], *rows[6:]], Known(look_again=lambda first, last: ((), runs)))
    assert (found(tally), tally.rows, tally.unchecked) == ([], 6, 0)


def test_hole__nothing_came__names_what_is_missing_once() -> None:
    rows = chain(3)
    tally = follow([*rows[:4], *rows[6:]], Known())
    assert (found(tally), tally.rows, tally.unchecked) == ([("removed", 5, 6)], 9, 1)
