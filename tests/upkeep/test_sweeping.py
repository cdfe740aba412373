"""What a command's sweeps tell together."""

from __future__ import annotations

from typing import Any, cast

import pytest

from iwrouting.audit.sweeping.sweeper import Swept
from iwrouting.server.sweeping import sweep_until_done


class InTurn:
    """A sweeper whose sweeps do these, one after another."""

    every_s = 0.0

    def __init__(self, *sweeps: Swept) -> None:
        self._sweeps = list(sweeps)

    def sweep(self) -> Swept:
        return self._sweeps.pop(0)


@pytest.mark.django_db
def test_sweep_until_done__several_sweeps__tells_what_all_did() -> None:
    sweeper = InTurn(Swept(1, 2, 3, waits=True), Swept(waits=True), Swept(4, 5, 6))
    assert sweep_until_done(cast(Any, sweeper)) == Swept(5, 7, 9, waits=False)
