"""`python -m tests.faults.storm.stage`: tables, matrix, projects and keys of a storm, in the database of DATABASE_URL.

Prints the keys as JSON: `plain` of one project, `wide` of all, `budget` of one whose runs have a budget.
"""

from __future__ import annotations

import json

import django
from django.core.management import call_command

BUDGET_TOKENS = 200_000
OTHERS = ("north", "south")


def main() -> None:
    """Make them."""
    django.setup()
    call_command("migrate", verbosity=0)
    call_command("matrix_load")
    from iwrouting.models import change
    from iwrouting.types import Via

    with change(author="storm", via=Via.CLI, reason="The rows of a storm"):
        print("keys: " + json.dumps(_keys()))


def _keys() -> dict[str, str]:
    from iwrouting.models import ApiKey, Project, new_key

    for slug in OTHERS:
        Project(slug=slug, name=slug).save()
    found = {}
    for name, project, key in (
        ("plain", {}, {}),
        ("wide", {}, {"projects": ["*"]}),
        ("budget", {"max_run_tokens": BUDGET_TOKENS}, {}),
    ):
        row = Project(slug=name, name=name, **project)
        row.save()
        made = new_key()
        ApiKey(key_id=made.key_id, sha256=made.sha256, name=name, project=row, **key).save()
        found[name] = made.text
    return found


if __name__ == "__main__":
    main()
