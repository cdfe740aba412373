"""Why a change of the configuration was refused."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import ValidationError

from iwrouting.types.faults import Fault, Finding


class ChangeRefused(ValidationError):
    """A change that brings faults; or, where it has none, findings that nobody has acknowledged.

    Its messages tell each by its row and code, a line each.
    """

    def __init__(self, faults: Sequence[Fault] = (), findings: Sequence[Finding] = ()) -> None:
        self.faults, self.findings = tuple(faults), tuple(findings)
        super().__init__([each.told() for each in self.faults] or [_asked(each) for each in self.findings])


def _asked(finding: Finding) -> str:
    return f"{finding.told()} Acknowledge it by {finding.code}, or change it."
