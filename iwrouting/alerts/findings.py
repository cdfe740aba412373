"""What a rule finds, and over how much of the service it has looked."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass, field

from iwrouting.conf.redact import redact

MOST_MESSAGE = 500
MOST_SUBJECT = 200


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule holds for a subject: a host, a model, an upstream, a table; empty for the service as a whole."""

    rule: str
    subject: str
    message: str

    @property
    def key(self) -> tuple[str, str]:
        """What it is an alert of."""
        return self.rule, self.subject


@dataclass(slots=True)
class Looked:
    """The findings of one round. `covered` maps each rule that was looked at to the one subject that it was looked
    at for, None for all: only there something that is not found has ceased."""

    findings: list[Finding] = field(default_factory=list)
    covered: dict[str, str | None] = field(default_factory=dict)

    def add(self, rule: str, found: Iterable[tuple[str, str]], *, subject: str | None = None) -> None:
        """What a rule found, as subjects with their messages. `subject`: it was looked at for this one alone."""
        self.findings += [Finding(rule, redact(about)[:MOST_SUBJECT], clean(message)) for about, message in found]
        self.covered[rule] = subject

    def ceased(self, rule: str, subject: str) -> bool:
        """Whether this was looked at and not found."""
        if rule not in self.covered or self.covered[rule] not in (None, subject):
            return False
        return all(finding.key != (rule, subject) for finding in self.findings)


def clean(text: str) -> str:
    """One line without secrets, as long as its column takes."""
    return redact(" ".join(text.split()))[:MOST_MESSAGE]


def counted(number: int, noun: str) -> str:
    """`1 call`, `2 calls`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def this_host() -> str:
    """The name of this machine, as `Writer.host` has it."""
    return socket.gethostname()[:128]
