"""What stands in the configuration though no save would let it through (docs/configuration-rules.md)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from iwrouting.conf import Settings
from iwrouting.management.doctor.results import Result, finding, ok, warning
from iwrouting.models import Revision
from iwrouting.resolver.faults import SWITCHED_OFF, structural_faults
from iwrouting.snapshot import SnapshotRefused, load

CHECK = "configuration"


def check_configuration(conf: Settings) -> Iterator[Result]:
    """Every fault that stands there; a model that is switched off while others name it is a warning."""
    if Revision.standing().is_touched:
        yield ok(CHECK, "not looked at while a change by SQL waits: see changed_by_sql")
        return
    try:
        config = load()
    except SnapshotRefused as error:
        yield finding(CHECK, f"refused: {error}", "Mend what it names: workers keep the former one.")
        return
    faults = structural_faults(config, datetime.now(UTC))
    for fault in faults:
        level = warning if fault.code == SWITCHED_OFF else finding
        yield level(CHECK, fault.told(), "docs/configuration-rules.md says what to do.")
    if not faults:
        yield ok(CHECK, f"revision {config.revision} has no fault")
