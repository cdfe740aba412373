"""Where the demo may run: on a developer's machine, and never beside traffic of a real provider."""

from __future__ import annotations

from django.db.models import Q

from iwrouting.conf import settings
from iwrouting.models import Attempt, Model
from iwrouting.snapshot.builtin import SANDBOX


class MayNotRun(Exception):
    """The demo would do harm here; the message says how, and what to do instead."""


def refuse_production() -> None:
    """Raises MayNotRun in production: nothing was touched yet."""
    if not settings().development:
        raise MayNotRun("The demo makes rows: it runs with IW_ENV=development alone, on a database of its own.")


def refuse_real_traffic(*, forced: bool) -> None:
    """Raises MayNotRun where calls would leave this machine, or would mix with those of a real provider."""
    elsewhere = Model.objects.filter(upstream__isnull=False, enabled=True).values_list("model_id", flat=True).first()
    if elsewhere is not None:
        raise MayNotRun(
            f"The model {elsewhere} has an upstream of its own, which the demo would call. "
            "Set DATABASE_URL to another database, such as sqlite:////tmp/demo.sqlite3."
        )
    real = Attempt.objects.filter(kind="call").exclude(Q(upstream=SANDBOX) | Q(upstream="")).exists()
    if real and not forced:
        raise MayNotRun(
            "This database holds calls of a real provider, and records can't be taken out again. "
            "Set DATABASE_URL to another database, or add --force."
        )
