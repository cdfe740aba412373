"""What the seals know, each checked: its hash, its link to the one before it, and what was exported of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from iwrouting.audit.tamper.chain import FIRST, AuditKey
from iwrouting.audit.tamper.findings import KEY, Finding, Tally
from iwrouting.audit.tamper.findings import SEAL as KIND
from iwrouting.audit.tamper.following import Head, Run
from iwrouting.audit.tamper.seals import seal_hash
from iwrouting.models import Seal

EXPORTED = re.compile(r"iw-seal\.(\d{1,18})\.(\d{8}T\d{6}Z)\.([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Exported:
    """What was kept elsewhere of a seal. `at` is cut to the second."""

    number: int
    at: str
    hash: str

    @classmethod
    def of(cls, seal: Seal) -> Exported:
        """What to keep of a seal."""
        return cls(seal.number, f"{seal.at.astimezone(UTC):%Y%m%dT%H%M%SZ}", seal.hash)

    @classmethod
    def read(cls, text: str) -> Exported:
        """The value behind its text. Raises ValueError that says what is wrong."""
        found = EXPORTED.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"{text[:120]!r} is no exported seal: it looks like iw-seal.NUMBER.TIME.HASH")
        return cls(int(found[1]), found[2], found[3])

    def __str__(self) -> str:
        return f"iw-seal.{self.number}.{self.at}.{self.hash}"


@dataclass(slots=True)
class Sealed:
    """What the seals say: of each writer the heads by number, and the runs that were removed.

    `first_at` is the time of the first seal, `last` the number of the last.
    """

    heads: dict[str, dict[int, Head]] = field(default_factory=dict)
    runs: dict[str, list[Run]] = field(default_factory=dict)
    first_at: datetime | None = None
    last: int = 0
    last_hash: str = FIRST


def check_seals(
    keys: Mapping[str, AuditKey], exported: Sequence[Exported], tally: Tally, *, using: str = "default"
) -> Sealed:
    """Check all seals, and those that were exported against them. Findings go to the tally."""
    sealed = Sealed()
    wanted: dict[int, list[Exported]] = {}
    for each in exported:
        wanted.setdefault(each.number, []).append(each)
    for seal in Seal.objects.using(using).order_by("number").iterator(chunk_size=200):
        _check(seal, sealed, keys, tally)
        for each in wanted.pop(seal.number, ()):
            _compare(seal, each, tally)
    for each in sorted((each for left in wanted.values() for each in left), key=lambda each: each.number):
        tally.add(_finding(each.number, f"it was exported ({each}) and is not there: seals or all of it were removed"))
    return sealed


def seals_after(number: int, *, using: str = "default") -> Sealed:
    """What the seals behind a number say, unchecked: for what changes while a verification runs."""
    later = Sealed()
    for seal in Seal.objects.using(using).filter(number__gt=number).order_by("number"):
        _read(seal, later)
    return later


def _check(seal: Seal, sealed: Sealed, keys: Mapping[str, AuditKey], tally: Tally) -> None:
    tally.seals += 1
    if seal.number != sealed.last + 1:
        text = "a seal was removed" if seal.number > sealed.last else "its number is none of a seal"
        tally.add(_finding(sealed.last + 1, text, seal.number - 1))
    elif seal.previous != sealed.last_hash:
        tally.add(_finding(seal.number, f"it does not follow on seal {sealed.last} as that stands: one was changed"))
    key = keys.get(seal.key_id)
    if key is None:
        text = f"its key {seal.key_id} is not among IW_AUDIT_KEY: add the older key there, after a comma"
        tally.add(Finding(KEY, text, "", seal.number, seal.number, "iwrouting_seal"))
    elif seal_hash(key, seal) != seal.hash:
        tally.add(_finding(seal.number, "it was changed or put in: its hash is not the one that its contents give"))
    sealed.first_at = sealed.first_at or seal.at
    sealed.last, sealed.last_hash = seal.number, seal.hash
    try:
        tally.sealed_away += _read(seal, sealed)
    except (ValueError, TypeError, KeyError):
        tally.add(_finding(seal.number, "its heads or what it says was removed can't be read"))


def _read(seal: Seal, sealed: Sealed) -> int:
    """Take what a seal says; how many rows it stands for that were removed."""
    removed = 0
    for writer, number, chain_hash in orjson.loads(seal.heads):
        sealed.heads.setdefault(writer, {}).setdefault(number, Head(chain_hash, f"seal {seal.number}"))
    for each in orjson.loads(seal.removed):
        if "writer" in each:
            sealed.runs.setdefault(each["writer"], []).extend(Run(*run) for run in each["runs"])
        else:
            removed += each["rows"]
    return removed


def _compare(seal: Seal, exported: Exported, tally: Tally) -> None:
    if Exported.of(seal) != exported:
        text = f"it is not the one that was exported ({exported}): it, or one before it, was written anew"
        tally.add(_finding(seal.number, text))


def _finding(first: int, text: str, last: int | None = None) -> Finding:
    return Finding(KIND, text, "", first, first if last is None else last, "iwrouting_seal")


def as_row(seal: Seal) -> dict[str, Any]:
    """A seal for people and programs."""
    return {
        "number": seal.number,
        "at": f"{seal.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "kind": seal.kind,
        "writers": len(orjson.loads(seal.heads)),
        "hash": seal.hash,
    }
