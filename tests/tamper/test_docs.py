"""docs/tamper.md: its code verifies what we write, and every kind of finding stands in it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iwrouting.audit.tamper import findings
from iwrouting.audit.tamper.chain import canonical
from iwrouting.audit.tamper.reading import Reader
from iwrouting.audit.tamper.sealed import Exported
from iwrouting.audit.tamper.seals import MANUAL, make_seal
from iwrouting.models import Seal
from tests.tamper.chains import Chain, our_key

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "tamper.md").read_text()


def documented() -> Any:
    """The functions that the page shows."""
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    names: dict[str, Any] = {}
    exec(compile(code, "docs/tamper.md", "exec"), names)  # noqa: S102 - our own page
    return SimpleNamespace(**names)


THEIRS = documented()


def plain(value: Any) -> Any:
    """A value as the page tells its form."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value if isinstance(value, int | str | None) else str(value)


def test_code__of_the_page__follows_a_chain_and_finds_its_break(chain: Chain) -> None:
    rows = [(row.table, {name: plain(value) for name, value in row.values.items()}) for row in Reader().rows(chain.id)]
    assert THEIRS.first_break(our_key().secret, rows) is None
    rows[6][1]["endpoint"] = "responses"
    assert THEIRS.first_break(our_key().secret, rows) == 7
    del rows[2]
    assert THEIRS.first_break(our_key().secret, rows) == 3


def test_code__of_the_page__checks_a_seal(chain: Chain) -> None:
    for _ in range(2):
        make_seal(MANUAL)
    for seal in Seal.objects.values():
        told = {name: plain(value) for name, value in seal.items()}
        assert THEIRS.seal_fits(our_key().secret, told)
        assert not THEIRS.seal_fits(our_key().secret, told | {"heads": "[]"})


@given(st.dictionaries(st.from_regex("[a-z_]{1,6}", fullmatch=True), st.text() | st.integers(-(2**63), 2**63 - 1)))
def test_code__of_the_page__gives_the_same_bytes(row: dict[str, Any]) -> None:
    row = {
        name: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
        for name, value in row.items()
    }
    assert THEIRS.canonical("t", row) == canonical("t", row)


@pytest.mark.parametrize(
    "kind",
    [getattr(findings, name) for name in ("EDITED", "INSERTED", "REMOVED", "TAIL", "LINK", "HEAD", "KEY", "SEAL")],
)
def test_page__each_kind_of_finding__is_told(kind: str) -> None:
    assert f"\n| `{kind}` |" in PAGE


def test_page__exported_values__have_the_form(chain: Chain) -> None:
    value = str(Exported.of(make_seal(MANUAL)))
    assert Exported.read(value) == Exported.read(f" {value}\n")
    assert re.fullmatch(r"iw-seal\.1\.\d{8}T\d{6}Z\.[0-9a-f]{64}", value)
