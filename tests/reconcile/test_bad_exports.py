"""A provider's export that is none: told by its line or its file, and never by a traceback."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from iwrouting.reports.reconcile import BadFile, Source
from iwrouting.reports.reconcile.exports import UsageFile

START = 1_795_000_000


def read(folder: Path, results: Any, prefix: str = "", **bucket: Any) -> tuple[int, list[str]]:
    """How many lines an export with one bucket gives, and why others were bad."""
    path = folder / "usage.json"
    page = {"data": [{"start_time": START, "results": results, **bucket}]}
    path.write_text(f"{prefix}{json.dumps(page)}", encoding="utf-8")
    file = UsageFile(path, {})
    return len(file.lines()), file.source.reasons


@pytest.mark.parametrize(
    "value", ["1E+5000", "1E+999999", "1E+99999999999", 1e308, -1e12, "NaN", "sNaN", "Infinity", "x"]
)
def test_an_amount_that_is_none__is_a_bad_line(tmp_path: Path, value: Any) -> None:
    bad = {"amount": {"value": value, "currency": "usd"}}
    count, [reason] = read(tmp_path, [{"amount": {"value": "0.5", "currency": "usd"}}, bad])
    assert count == 2
    assert "is no number of dollars" in reason


def test_a_bucket_at_the_end_of_time__is_a_bad_line(tmp_path: Path) -> None:
    path = tmp_path / "usage.csv"
    path.write_text("start_time,input_tokens\n9999-12-31,1\n2026-11-03,1\n")
    file = UsageFile(path, {})
    assert len(file.lines()) == 1
    assert "9999" in file.source.reasons[0]


@pytest.mark.parametrize("results", [5, "abc", {"a": 1}, True])
def test_results_that_are_no_list__are_refused(tmp_path: Path, results: Any) -> None:
    with pytest.raises(BadFile, match="results of a bucket are no list"):
        read(tmp_path, results)


@pytest.mark.parametrize(
    "broken", [lambda data: data[:-20], lambda data: data[:30] + b"\xff" * 40 + data[70:], lambda _: b"x"]
)
def test_a_compressed_file_that_is_broken__is_refused(tmp_path: Path, broken: Callable[[bytes], bytes]) -> None:
    lines = "".join(f'{{"start_time": {START + number}, "input_tokens": {number}}}\n' for number in range(500))
    path = tmp_path / "usage.json.gz"
    path.write_bytes(broken(gzip.compress(lines.encode())))
    with pytest.raises(BadFile, match="can't be read"):
        UsageFile(path, {}).lines()
    with pytest.raises(BadFile, match="can't be read"):
        list(Source(path).read(lambda number, _: number))


def test_a_byte_order_mark__is_passed_over(tmp_path: Path) -> None:
    assert read(tmp_path, [{"input_tokens": 1}], prefix="\ufeff") == (2, [])
