"""Texts as cells of a spreadsheet: what others wrote stays in its cell."""

from __future__ import annotations

import csv
import io

import pytest

from iwrouting.management.output import as_csv
from iwrouting.types.sheets import as_line

HOSTILE = ["a\r=1+1", "a\n=1+1", "a\r\n=1+1", 'a"\r=1', "a,\r", "\r", "plain"]


@pytest.mark.parametrize("text", HOSTILE)
def test_any_end_of_a_line_in_a_text__ends_no_line_of_the_sheet(text: str) -> None:
    for written in (as_line([text, 1]), as_csv(("a", "b"), [{"a": text, "b": 1}]).partition("\n")[2]):
        found = list(csv.reader(io.StringIO(written, newline="")))
        assert [cells[0].removeprefix("'") for cells in found] == [text]
        assert written.endswith(",1\n")
        assert written.splitlines()[0].startswith('"') == (text != "plain")
