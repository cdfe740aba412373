"""The code in docs/client.md runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.client.service import Service

PAGE = (Path(__file__).parents[2] / "docs" / "client.md").read_text(encoding="utf-8")
BLOCKS = [block for block in re.findall(r"```python\n(.*?)```", PAGE, re.S) if not block.startswith("# before")]


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_each_block_of_the_page_runs(service: Service, block: str) -> None:
    exec(compile(block, "docs/client.md", "exec"), {"__name__": "page"})  # noqa: S102 - our own page
    assert "print" not in block or service.received


def test_the_page_has_the_blocks_that_were_meant() -> None:
    assert len(BLOCKS) == 7


def test_without_the_service_the_page_shows_what_happens(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    service.stop()
    (block,) = [block for block in BLOCKS if "RouterUnavailable" in block]
    exec(compile(block, "docs/client.md", "exec"), {"__name__": "page"})  # noqa: S102 - our own page
    said = capsys.readouterr().out
    assert "manager is gpt-5.1 by default: connection failed" in said
    assert "put the run back into the queue: iwrouting is unavailable at" in said
