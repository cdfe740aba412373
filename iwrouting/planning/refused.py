"""Why a change of the configuration was refused."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import ValidationError

from iwrouting.types.faults import Fault, Finding

Errors = dict[str, list[str]]


class ChangeRefused(ValidationError):
    """A change that brings faults; or, where it has none, findings that nobody has acknowledged.

    Its messages tell each by its row and code, a line each.
    """

    def __init__(self, faults: Sequence[Fault] = (), findings: Sequence[Finding] = ()) -> None:
        self.faults, self.findings = tuple(faults), tuple(findings)
        super().__init__([each.told() for each in self.faults] or [_asked(each) for each in self.findings])

    def errors_of(self, object_type: str, name: str) -> tuple[Errors, list[str]]:
        """The messages on the columns of one row, as a form shows them, and all others as lines."""
        own: Errors = {}
        others = [_asked(each) for each in self.findings] if not self.faults else []
        for fault in self.faults:
            if fault.row == (object_type, name) and fault.field:
                own.setdefault(fault.field, []).append(fault.message)
            else:
                others.append(fault.told())
        return own, others


def _asked(finding: Finding) -> str:
    return f"{finding.told()} Acknowledge it by {finding.code}, or change it."
