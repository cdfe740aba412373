"""Each fault of the provider in each mode (faults.md 4, U1 to U28): what the caller gets, and what the audit says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.conftest import DEADLINE_S, Driven
from tests.faults.driving import noted, told, tries
from tests.faults.judging import KEY, judge
from tests.faults.matrix import U_ROWS, Cell, cases, cells
from tests.faults.modes import MODES
from tests.faults.page import Line, check, table
from tests.live.databases import IS_POSTGRESQL

pytestmark = pytest.mark.timeout(240)
"""The first test waits for the service, and for every call of this room."""

CELLS = cells()


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.label)
def test_fault__in_its_mode__has_its_one_answer(driven: Driven, cell: Cell) -> None:
    expected = cell.case.expected
    wanted = {cell.model("alone"): expected.alone, **({cell.alias: expected.chain} if cell.mode.chained else {})}
    found = {asked: told(driven.calls[asked]) for asked in wanted}
    assert found == wanted
    for asked in wanted:
        call, record = driven.calls[asked], driven.records[asked]
        assert tries(record) == expected.tries
        assert noted(record).startswith(cell.case.noted)
        judge(call, record, driven.sent.get(str(record.decision.id), []), DEADLINE_S)


def test_nothing_of_a_provider_s_text_or_our_key__is_stored(driven: Driven) -> None:
    for text in (KEY, "Not like this", "(sandbox)", "heard 5 words"):
        assert text not in driven.stored


if not IS_POSTGRESQL:  # which runs some rows only, where the page has them all

    def test_page__says_what_was_seen(driven: Driven) -> None:
        check("upstream", table(("with a chain", "alone", "tries"), lines(driven), "tests/faults/test_upstream.py"))


def test_every_row_of_a_provider__is_driven() -> None:
    found = list(cases())
    assert {case.id for case in found} == {f"U{number}" for number in U_ROWS}
    assert {mode for case in found for mode in case.modes} == set(MODES)


def lines(driven: Driven) -> Iterator[Line]:
    """Every cell as it came out."""
    for cell in CELLS:
        alone = cell.model("alone")
        chain = told(driven.calls[cell.alias]) if cell.mode.chained else "-"
        seen = ", ".join((*tries(driven.records[alone]), *([noted(driven.records[alone])] if cell.case.noted else [])))
        yield Line(cell.case.id, cell.case.title, cell.mode.name, (chain, told(driven.calls[alone]), seen))
