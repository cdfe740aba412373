"""Walks the fault points of the code (iwrouting/conf/points.py): each raises, delays and kills, once in all."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from iwrouting.conf.points import POINTS
from tests.faults.storm.arena import DEAD_S, Arena
from tests.faults.storm.databases import Row
from tests.faults.storm.load import Load
from tests.faults.storm.weather import refused, table_locked, worker_killed
from tests.live.processes import ROOT

ACTIONS = ("raise", "delay:0.1", "kill")
SHORTER = {"SQLite": ("kill",)}
"""Where one does: what a raise and a delay come to is the same on both databases."""

IN_COMMANDS = ("seal.", "retention.", "partitions.", "alerts.", "usage.")
"""Where commands pass; workers pass all others."""

OF_SWEEPS = tuple(point for point in POINTS if point.startswith(("adopt.", "sweep.")))
"""What is passed where a process has left something behind."""

BETWEEN_S = 0.05
"""Between calls: what is walked begins again sooner where they leave it some of the processor."""

PATIENCE_S = 200.0
MOST_KILLS = 3
COMMANDS = """
import json, os, sys, django
from django.core.management import call_command, load_command_class
django.setup()
from iwrouting.alerts import look
from iwrouting.conf import points, settings
for name in ("audit_seal", "maintain", "partitions"):
    load_command_class("iwrouting", name)
conf = settings().model_copy(update={"alert_every_s": 0.0, "alert_disk_mb": 100_000_000})
for line in sys.stdin:
    asked = json.loads(line)
    child = os.fork()
    if not child:
        os.dup2(2, 1)
        points.arm(points.read_plan(settings().fault_points))
        try:
            look(conf, again_s=0) if asked == ["look"] else call_command(*asked)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Commands of manage.py, or rounds of the alerts, with the fault points armed as workers arm them.

Each in a process of its own, forked from one that has imported all that they need. No disk has so much space free as
is asked for, so each round has something to tell.
"""


def firings(points: Iterable[str], name: str) -> set[str]:
    """What must have happened at these points on the database of that name, as the files are called that say so."""
    return {f"{point}={action}" for point in points for action in SHORTER.get(name, ACTIONS)}


def plan(told: Path, points: Iterable[str], name: str) -> str:
    """The value of IW_FAULT_POINTS."""
    return ",".join([f"told={told}", *sorted(firings(points, name))])


def happened(told: Path) -> set[str]:
    """What has happened so far."""
    return {path.name for path in told.iterdir()}


def points_of_workers() -> list[str]:
    """The points that a worker passes."""
    return [point for point in POINTS if not point.startswith(IN_COMMANDS)]


def points_of_commands(name: str) -> list[str]:
    """The points that commands pass, on the database of that name."""
    found = [point for point in POINTS if point.startswith(IN_COMMANDS)]
    return [point for point in found if name == "PostgreSQL" or not point.startswith("partitions.")]


def walk_workers(made: Arena, load: Load, told: Path) -> set[str]:
    """Calls, and short outages of the database, until every point of a worker has been walked; what has not."""
    wanted = firings(points_of_workers(), made.database.name)
    of_sweeps = firings(OF_SWEEPS, made.database.name)
    until = time.monotonic() + PATIENCE_S
    dice = random.Random(load.seed)  # noqa: S311 - a load, no secret
    away = table_locked if made.database.name == "SQLite" else refused
    killed = 0
    while (left := wanted - happened(told)) and time.monotonic() < until:
        kills = sum(each.endswith("=kill") for each in wanted - left)
        if kills - killed > MOST_KILLS:
            # The parent waits longer and longer before it starts a worker again that dies again and again.
            killed = kills
            made.kill()
            made.start()
        _calls(load, dice, 0.6)
        with away(made):
            _calls(load, dice, 1.2)
            if left <= of_sweeps:
                with worker_killed(made):
                    killed -= 1
        # A sweep closes nothing before it has been in contact with the database for a while.
        _calls(load, dice, 3 * DEAD_S if left <= of_sweeps else 1.2)
    return left


def _calls(load: Load, dice: random.Random, seconds: float) -> None:
    """Calls for so long, a few at a time."""
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(4) as pool:
        while time.monotonic() < until:
            list(pool.map(load.one, [random.Random(dice.random()) for _ in range(4)]))  # noqa: S311 - a load
            time.sleep(BETWEEN_S)


@contextmanager
def commands(made: Arena, **settings: str) -> Iterator[Callable[..., int]]:
    """What runs a command with fault points, and gives its exit code: below 0 where it was killed."""
    env = {**made.env, **settings, "DATABASE_URL": made.database.direct_url}
    env["DJANGO_SETTINGS_MODULE"] = "config.settings"
    with (
        (made.folder / "commands.log").open("ab") as words,
        subprocess.Popen(
            [sys.executable, "-c", COMMANDS],
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=words,
        ) as runner,
    ):
        assert runner.stdin is not None
        assert runner.stdout is not None
        asked, answers = runner.stdin, runner.stdout

        def run(*arguments: str) -> int:
            asked.write(json.dumps(arguments).encode() + b"\n")
            asked.flush()
            return int(answers.readline())

        try:
            yield run
        finally:
            runner.kill()


def walk_commands(made: Arena, told: Path) -> set[str]:
    """Seal, empty the default partition, and remove what is old, again and again; what has not been walked."""
    points = points_of_commands(made.database.name)
    settings = {"IW_FAULT_POINTS": plan(told, points, made.database.name), "IW_AUDIT_RETENTION_DAYS": "60"}
    wanted = firings(points, made.database.name)
    until = time.monotonic() + PATIENCE_S
    with commands(made, **settings) as run:
        for month in range(1, 61):
            left = wanted - happened(told)
            if not left or time.monotonic() > until:
                break
            _walk_on(made, run, left, month)
    return wanted - happened(told)


def _walk_on(made: Arena, run: Callable[..., int], left: set[str], month: int) -> None:
    if any(each.startswith("seal.") for each in left):
        run("audit_seal")
    elif any(each.startswith("alerts.") for each in left):
        run("look")
    else:
        add_old_calls(made, month)
        if made.database.name == "PostgreSQL":
            run("partitions", "drain", "--yes")
        run("maintain", "--yes")


TABLES = ("iwrouting_decision", "iwrouting_attempt", "iwrouting_outcome")


def add_old_calls(made: Arena, month: int) -> None:
    """Copies of calls of a month of which there is no partition, counted from 2020 on, by a writer long gone."""
    old = f"{2020 + month // 12}-{month % 12 + 1:02}-05 10:00:00"
    new_id = "gen_random_uuid()" if made.database.name == "PostgreSQL" else "lower(hex(randomblob(16)))"
    zone = "+00" if made.database.name == "PostgreSQL" else ""
    given = {"id": new_id, "decision_id": new_id, "decision_at": f"'{old}{zone}'", "writer_id": "''",
             "writer_seq": "0", "chain_hash": "''"}  # fmt: skip
    for table in TABLES:
        columns = list(made.database.query(f"SELECT * FROM {table} LIMIT 1")[0])  # noqa: S608 - names of our own
        values = ", ".join(given.get(column, f'"{column}"') for column in columns)
        into = f"{table} (" + ", ".join(f'"{column}"' for column in columns) + ")"
        made.database.query(f"INSERT INTO {into} SELECT {values} FROM {table} LIMIT 3")  # noqa: S608 - the same


def old_rows(made: Arena) -> list[Row]:
    """Such calls that are left."""
    return made.database.query("SELECT id FROM iwrouting_decision WHERE decision_at < '2026-01-01'")
