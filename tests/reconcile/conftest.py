"""What the tests of the reconciler share."""

from __future__ import annotations

import pytest

from tests.reconcile.story import Story


@pytest.fixture
def story(db: None) -> Story:
    return Story()
