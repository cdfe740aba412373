"""How the tests of the pure rooms run: the same examples each time, and a known environment for who asks.

`--hypothesis-profile=explore` draws new examples instead.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from iwrouting.conf.environment import variables
from iwrouting.conf.settings import settings

hypothesis.settings.register_profile("house", derandomize=True, deadline=None, database=None)
hypothesis.settings.register_profile("explore", deadline=None, print_blob=True)
hypothesis.settings.load_profile("house")

OURS = ("AUTOPILOT_", "DATABASE_URL", "IW_", "MAX_", "OPENAI_")
SetVariables = Callable[..., None]


@pytest.fixture
def set_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[SetVariables]:
    """Makes these the only variables of ours that the process sees; `dotenv` is the text of its `.env`."""
    file = tmp_path / ".env"

    def set_to(*, dotenv: str = "", **values: str) -> None:
        file.write_text(dotenv, encoding="utf-8")
        for name in list(os.environ):
            if name.startswith(OURS):
                monkeypatch.delenv(name)
        for name, value in {"IW_ENV_FILE": str(file), **values}.items():
            monkeypatch.setenv(name, value)
        forget()

    yield set_to
    forget()


def forget() -> None:
    """Drop what was read from the environment."""
    variables.cache_clear()
    settings.cache_clear()
