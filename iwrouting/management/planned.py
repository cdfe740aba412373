"""Commands that plan a change, show it, ask, and make it: one way for all of them (ux.md 4)."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from iwrouting.management.changing import NOT_READY, add_author, author_of, change_by, told
from iwrouting.management.output import Findings, add_format, counted
from iwrouting.management.plan_output import show_plan
from iwrouting.models import OpenChange
from iwrouting.models.changing import check_reason
from iwrouting.planning import Plan, Rehearsal, StalePlan, apply_plan, rehearse
from iwrouting.planning.keeping import Kept
from iwrouting.snapshot import SnapshotRefused
from iwrouting.snapshot.contents import NoSuchRevision
from iwrouting.types import Via
from iwrouting.types.faults import Finding

WRONG_USAGE = 2
ALL = "all"


@dataclass(frozen=True, slots=True)
class Beside:
    """What a command shows beside its plan: further members of its JSON, and lines of text after its table."""

    members: Mapping[str, Any] = field(default_factory=dict)
    lines: Sequence[str] = ()


NOTHING = Beside()


def add_planned(parser: argparse.ArgumentParser) -> None:
    """The options of a command that makes a change: who and why, what is acknowledged, how it is shown and asked."""
    add_author(parser)
    add_asking(parser)


def add_asking(parser: argparse.ArgumentParser) -> None:
    """`--acknowledge`, `--dry-run`, `--yes` and `--format`."""
    parser.add_argument(
        "--acknowledge",
        action="append",
        default=[],
        metavar="CODE",
        help="Accept what is found, by its code, or 'all'; may be given again.",
    )
    parser.add_argument("--dry-run", action="store_true", help="Show the changes and make none; exit code 3: some.")
    parser.add_argument("--yes", action="store_true", help="Make the changes without asking.")
    add_format(parser)


def carry_out(
    command: BaseCommand,
    plan: Plan,
    options: Mapping[str, Any],
    *,
    kept: Sequence[Kept] = (),
    stops: Sequence[str] = (),
    place: Callable[[str], str] = str,
    apply: Callable[[OpenChange], None] | None = None,
    via: Via = Via.CLI,
    asks: bool = True,
    beside: Beside = NOTHING,
    **more: Any,
) -> OpenChange | None:
    """Show a plan, ask, and make it true; None where nothing was to change, or nobody agreed.

    `stops` refuse it beforehand, `place` words a fault, `apply` takes the place of apply_plan, `asks` False notes
    findings that nobody acknowledged, `beside` is shown with the plan, `more` goes to the change. Raises
    CommandError for all that refuses it, and for a dry run that found changes.
    """
    author_of(options["user"])
    tried = try_out(command, plan, options, kept=kept, stops=stops, place=place, beside=beside)
    if not plan.changes:
        command.stderr.write("Nothing to change.")
        return None
    if options["dry_run"]:
        raise Findings(f"{count(plan)} would change.")
    acknowledged = acknowledge(tried.findings, options["acknowledge"], yes=options["yes"]) if asks else None
    if not agreed(command, options["yes"], f"Change {count(plan)}?"):
        return None
    with refused(), change_by(options, via, acknowledged=acknowledged, **more) as made:
        (apply or (lambda open_change: apply_plan(plan, open_change)))(made)
    command.stderr.write(f"Changed {count(plan)}: revision {made.revision}.")
    return made


def try_out(
    command: BaseCommand,
    plan: Plan,
    options: Mapping[str, Any],
    *,
    kept: Sequence[Kept] = (),
    stops: Sequence[str] = (),
    place: Callable[[str], str] = str,
    beside: Beside = NOTHING,
) -> Rehearsal:
    """Rehearse a plan and show it, with what is kept and found. Raises CommandError with the faults."""
    with refused():
        tried = Rehearsal(tuple(stops)) if stops else rehearse(plan) if plan.changes else Rehearsal(plan.missing)
    tried = Rehearsal(tuple(map(place, tried.faults)), tried.findings)
    if text := show_plan(plan, tried, kept, options["format"], beside.members):
        command.stdout.write(text)
    if options["format"] != "json":
        for line in beside.lines:
            command.stdout.write(line)
    tell(command, kept, tried.findings)
    if tried.faults:
        raise CommandError("\n".join(["This can't be done:", *tried.faults]))
    return tried


def tell(command: BaseCommand, kept: Sequence[Kept], findings: Sequence[Finding]) -> None:
    """What stays as it is, and what is found, a line each."""
    for each in kept:
        command.stderr.write(f"kept: {each.told()}")
    for finding in findings:
        command.stderr.write(f"found: {finding.told()}")


def acknowledge(findings: Sequence[Finding], given: Collection[str], *, yes: bool) -> list[str]:
    """What is acknowledged of the findings: by options, or by whoever is at the terminal. Raises CommandError where
    that is not all of them."""
    if ALL in given:
        return [finding.key for finding in findings]
    unseen = [finding for finding in findings if not finding.acknowledged_by(given)]
    if not unseen or (not yes and sys.stdin.isatty() and _said_yes("Accept what is found (above)?")):
        return [*given, *(finding.key for finding in unseen)]
    options = " ".join(f"--acknowledge {code}" for code in sorted({finding.code for finding in unseen}))
    raise CommandError(
        f"Nothing was changed. Look at what is found (above), then accept it: {options} (or --acknowledge all)."
    )


def agreed(command: BaseCommand, yes: bool, question: str) -> bool:
    """Whether to go on: `--yes`, or whoever is at the terminal says so. Raises CommandError where nobody is."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise CommandError("Nothing was changed. Add --yes to do it.", returncode=WRONG_USAGE)
    answer = _said_yes(question)
    if not answer:
        command.stderr.write("Nothing was changed.")
    return answer


def _said_yes(question: str) -> bool:
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def need_reason(reason: str) -> None:
    """Raise CommandError for a reason that does not fit, before anything is looked at."""
    with told():
        try:
            check_reason(reason)
        except ValidationError as error:
            raise CommandError(f"--reason: {error.messages[0]}", returncode=WRONG_USAGE) from None


@contextmanager
def refused() -> Iterator[None]:
    """What refuses a plan, as a CommandError."""
    try:
        with told():
            yield
    except (StalePlan, NoSuchRevision) as error:
        raise CommandError(str(error)) from None
    except SnapshotRefused as error:
        raise CommandError(f"The configuration can't be read: {error}.", returncode=NOT_READY) from None


def count(plan: Plan) -> str:
    """How many rows a plan changes: `1 row`."""
    return counted(len(plan.changes), "row")
