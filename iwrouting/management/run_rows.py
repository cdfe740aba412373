"""Runs as commands find and tell them."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import CommandError

from iwrouting.models import Run


def add_run(parser: argparse.ArgumentParser) -> None:
    """The arguments that name a run."""
    parser.add_argument("run", metavar="RUN", help="Its id, as callers send it in x-iw-run-id.")
    parser.add_argument("--project", metavar="SLUG", help="Whose run it is; needed where several projects use the id.")


def find_run(run_id: str, project: str | None) -> Run:
    """The run of an id. Raises CommandError for none, and for several."""
    rows = Run.objects.filter(run_id=run_id)
    found = list(rows if project is None else rows.filter(project=project))
    if not found:
        where = "" if project is None else f" of project '{project}'"
        raise CommandError(f"No run '{run_id}'{where} has made a call under a budget.")
    if len(found) > 1:
        names = ", ".join(sorted(run.project for run in found))
        raise CommandError(f"Several projects have a run '{run_id}': add --project ({names}).", returncode=2)
    return found[0]


def as_row(run: Run) -> dict[str, Any]:
    """A run as commands show it; tokens."""
    limit, origin = run.limit()
    reserved = run.reserved()
    return {
        "project": run.project,
        "run": run.run_id,
        "limit": limit,
        "set_by": origin if limit is not None else None,
        "used": run.used_tokens,
        "reserved": reserved,
        "left_behind": run.left_behind(),
        "left": None if limit is None else limit - run.used_tokens - reserved,
        "refused_calls": run.refused_calls,
        "last_seen": f"{run.last_seen_at:%Y-%m-%dT%H:%M:%SZ}",
    }
