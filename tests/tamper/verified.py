"""A verification for tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from iwrouting.audit.tamper.awaited import Surroundings
from iwrouting.audit.tamper.chain import AuditKey, make_key
from iwrouting.audit.tamper.findings import Tally
from iwrouting.audit.tamper.sealed import Exported
from iwrouting.audit.tamper.verifying import Scope, Verification
from tests.tamper.chains import our_key

NOWHERE = Surroundings(Path("/nonexistent"), "here", 45)


def verify(
    *exported: Exported, keys: list[AuditKey] | None = None, scope: Scope | None = None, around: Surroundings = NOWHERE
) -> Tally:
    """Verify everything, with the service's own key."""
    run = Verification(scope or Scope(exported=exported), keys or [our_key()], around)
    for _ in run.run():
        pass
    return run.tally


def verify_service(env: Mapping[str, str], using: str) -> Tally:
    """Verify everything that services with this environment wrote, once they have ended."""
    around = Surroundings(Path(env["IW_JOURNAL_DIR"]), "", 45)
    run = Verification(Scope(), [make_key(env["IW_SECRET_KEY"])], around, using=using)
    for _ in run.run():
        pass
    return run.tally


def found(tally: Tally) -> list[tuple[str, int | None, int | None]]:
    """Kind and numbers of each finding."""
    return [(finding.kind, finding.first, finding.last) for finding in tally.findings]
