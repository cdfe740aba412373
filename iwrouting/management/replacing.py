"""What `matrix_replace` shows beside its plan, and the command that takes it back."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand

from iwrouting.management.output import as_table
from iwrouting.management.planned import Beside
from iwrouting.management.progress import Progress
from iwrouting.management.what_if_output import sentence, tables
from iwrouting.planning import Plan
from iwrouting.planning.replacing import Replacing
from iwrouting.planning.whatif import WhatIf, what_if
from iwrouting.planning.whatif.proposals import BadProposal, Proposal, proposal_of

COMPARED = ("old", "new", "what", "before", "after", "meaning")
LEFT = ("kind", "name", "model", "told")


def beside(command: BaseCommand, found: Replacing, at: datetime, options: Mapping[str, Any]) -> Beside:
    """How the models differ, what goes on naming the old ones, and the what-if, unless it was not wanted or the plan
    will be refused."""
    differing = [each.as_dict() for each in found.compared]
    left = [each.as_dict() for each in found.left]
    members: dict[str, Any] = {
        "replaced": dict(found.swaps.models),
        "without_replacement": list(found.swaps.without),
        "compared": differing,
        "left": left,
        "what_if": None,
        "undo": undo_command(found.plan) if found.plan.changes else None,
    }
    lines = [*_table("How they differ", COMPARED, differing), *_table("What goes on naming it", LEFT, left)]
    tried = None if options["no_whatif"] else _what_if(command, found.plan, at, options["days"])
    if tried is not None:
        proposal, told = tried
        members["what_if"] = told.as_dict()
        lines += [f"The last {options['days']} days: {sentence(told)}", *_without_plan(told, proposal)]
    return Beside(members, lines)


def undo_command(plan: Plan) -> str:
    """The command that brings the rows of a plan back to what they were before it."""
    rows = sorted((row.object_type, row.name) for row in plan.changes)
    objects = [part for word, name in rows for part in ("--object", f"{word}:{name}")]
    reason = f"Undo the replacement after revision {plan.base}"
    return shlex.join(["manage.py", "config_restore", "--revision", str(plan.base), *objects, "--reason", reason])


def _what_if(command: BaseCommand, plan: Plan, at: datetime, days: int) -> tuple[Proposal, WhatIf] | None:
    if not plan.changes:
        return None
    try:
        proposal = proposal_of(plan)
    except BadProposal:
        return None  # the rehearsal tells why
    if proposal.refused:
        return None
    progress = Progress(command.stderr.write)

    def tell(told: Any) -> None:
        progress(lambda: f"{told.part:.0%} of the window, {told.decisions} decisions")

    return proposal, what_if(proposal.before, proposal.after, at - timedelta(days=days), at, progress=tell)


def _without_plan(found: WhatIf, proposal: Proposal) -> Iterator[str]:
    """The tables of a what-if but the one of the plan, which stands above already."""
    yield from (table for table in tables(found, proposal) if not table.startswith("Proposed\n"))
    if found.total.changed:
        yield from (f"Assumed: {line}" for line in found.assumed)


def _table(title: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if rows:
        yield f"\n{title}\n{as_table(columns, rows)}\n"
