"""A process that edits the configuration, and one that judges what was answered meanwhile.

    python -m tests.live.edits.editor edit COUNT PROJECT SEED      two rows in one change, and commands, at once
    python -m tests.live.edits.editor judge < answers.json        each answer against history

Both work on DATABASE_URL and write one JSON object to stdout.
"""

from __future__ import annotations

import io
import json
import random
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import django

LEFT, RIGHT, GONE = "edit_left", "edit_right", "edit_gone"
"""Two aliases that only ever change together (the second is a rung of the first), and the head of those deleted."""

TURN = threading.Lock()
"""A command that plans is refused where another change came between: those of this process wait for it."""
MOST_TRIES = 50


def edit(count: int, project: str, seed: int) -> dict[str, Any]:
    """So many edits, a quarter of them commands; the names of the aliases that were deleted."""
    commands = count // 4
    chance = [random.Random(seed), random.Random(seed + 1)]  # noqa: S311 - no secret
    with ThreadPoolExecutor(2) as pool:
        pairs = pool.submit(_pairs, count - commands, chance[0])
        pool.submit(_commands, commands, project, chance[1]).result()
        return {"deleted": pairs.result()}


def _pairs(count: int, chance: random.Random) -> list[str]:
    from iwrouting.models import Alias, change
    from iwrouting.types import Via

    deleted: list[str] = []
    living: list[str] = []
    for number in range(count):
        with TURN, change(author="editor", via=Via.CLI, reason="Two rows in one change"):
            # Left and right bear one number: an answer with two is a mix.
            for name in (LEFT, RIGHT):
                row = Alias.objects.get(name=name)
                row.default_model = f"{name}-{number}"
                row.save()
            what = chance.random()
            if what < 0.15:
                living.append(f"{GONE}_{number}")
                Alias(name=living[-1], kind="role", default_model="gpt-6-luna").save()
            elif what < 0.3 and living:
                deleted.append(living.pop(chance.randrange(len(living))))
                Alias.objects.get(name=deleted[-1]).delete()
    return deleted


def _commands(count: int, project: str, chance: random.Random) -> None:
    given = (LEFT, "--project", project, "--reason", "A command meanwhile", "--yes", "--acknowledge", "all")
    is_there = False
    for number in range(count):
        if is_there and chance.random() < 0.3:
            _command("delete", *given)
            is_there = False
        else:
            _command("set", *given, "--model", f"over-{number}", "--expires", "never")
            is_there = True


def _command(*arguments: str) -> None:
    """Run it, again where another change came between its plan and its commit."""
    from django.core.management import CommandError, call_command

    for tries in range(MOST_TRIES):
        with TURN:
            try:
                call_command("routing_override", *arguments, stdout=io.StringIO(), stderr=io.StringIO())
                return
            except CommandError as error:
                if "Plan again" not in str(error) or tries == MOST_TRIES - 1:
                    raise


def judge(answers: list[list[Any]]) -> dict[str, Any]:
    """Each answer, `[revision, project, name, core]`, against the resolver's; when each revision was committed."""
    from iwrouting.models import Change

    wrong = list(_wrong(answers))
    changes = Change.objects.filter(revision__isnull=False).order_by("revision")
    return {"wrong": wrong, "changes": [[row.revision, row.at.timestamp(), row.via] for row in changes]}


def _wrong(answers: list[list[Any]]) -> Iterator[list[Any]]:
    from iwrouting.resolver import endpoint_for, resolve
    from iwrouting.snapshot.contents import configuration_at

    now, known = datetime.now(UTC), None
    for revision, project, name, core in sorted(answers, key=lambda each: int(each[0])):
        if known is None or known.revision != revision:
            known = configuration_at(revision)
        found = resolve(known, name, project=project, now=now, endpoint=endpoint_for(known, name))
        right = {
            "model": found.model,
            "source": found.source,
            "ladder": [step.as_dict() for step in found.ladder],
            "chain": [rung.as_dict() for rung in found.chain],
        }
        if json.loads(json.dumps(right)) != core:
            yield [revision, name, core, right]


def main() -> None:
    """Do as told."""
    django.setup()
    if sys.argv[1] == "edit":
        found = edit(int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
    else:
        found = judge(json.load(sys.stdin))
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
