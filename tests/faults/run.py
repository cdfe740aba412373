"""`make faults`: storms on both databases, then every cut of every recorded stream, fuzzing, random chains,
and a walk through the history of the configuration.

    python -m tests.faults.run [--minutes 5] [--seed 1] [--only storms|streams|history]

DATABASE_URL names another database for the streams than a SQLite file of this run's own. The exit code is that of the
tests.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.harness import environment, postgres, programs
from tests.harness.samples import EXAMPLES

ROOT = Path(__file__).resolve().parents[2]
ALL, MINUTES, SEED = "FAULTS_ALL", "FAULTS_MINUTES", "FAULTS_SEED"
"""What the tests look at: every offset instead of a sample; how long a campaign runs; its first seed."""

STORMS = "FAULTS_STORMS"
"""The databases on which storms rage (tests/faults/storm); unset: that of DATABASE_URL."""

STEPS, STEPS_A_MINUTE = "WALK_STEPS", 2_000
"""How long the walk through the configuration's history is (tests/planning/walk.py)."""

WORLDS, WORLDS_A_MINUTE = "WHAT_IF_WORLDS", 100
"""How many random worlds the what-if is held to its definition in (tests/planning/whatif/test_property.py)."""

EDITS, EDITS_A_MINUTE = "EDITS", 200
"""How many edits from all ways at once reach the workers (tests/live/test_edits.py): at least a thousand."""

FUZZ, FUZZ_A_MINUTE = "FAULTS_FUZZ", 5
"""How many times the sample of `make test` is fuzzed, of which one takes some ten seconds (tests/fuzz/campaign.py)."""

EXAMPLES_A_MINUTE = 10
"""How many times the sample of `make test` the properties are held to, of which one takes some five seconds."""

PROPERTIES = (
    "tests/autoroute/test_properties.py",
    "tests/pure/matrix/test_owner.py",
    "tests/pure/matrix/test_property.py",
    "tests/pure/test_breakers_property.py",
    "tests/pure/test_params.py",
    "tests/pure/test_resolver_property.py",
    "tests/pure/test_sse.py",
    "tests/pure/test_sse_scanner.py",
    "tests/pure/test_tokens.py",
    "tests/sandbox/test_fuzz.py",
    "tests/snapshot/test_disk.py",
    "tests/translate/test_properties.py",
    "tests/translate/test_reverse.py",
    "tests/translate/test_reverse_stream.py",
    "tests/upstream/test_tool_deltas.py",
)
"""The tests whose number of examples is a `sample` (tests/harness/samples.py)."""

TESTS = {
    "storms": ("tests/faults/test_storm.py",),
    "streams": ("tests/faults/test_cuts.py", "tests/fuzz", "tests/faults/test_campaign.py"),
    "history": ("tests/planning/test_walk.py",),
    "what-if": ("tests/planning/whatif/test_property.py",),
    "edits": ("tests/live/test_edits.py",),
    "properties": PROPERTIES,
    "usage": ("tests/rollup/test_property.py", "tests/usage"),
}
ON_SERVER = ("edits", "usage")
"""Parts that run on PostgreSQL; usage on SQLite too."""

SAYS = {
    "storms": "{minutes:g} minutes of storms from seed {seed}, seven tenths of them on PostgreSQL, the rest on SQLite",
    "streams": "all cuts (about four minutes), fuzzing, then {minutes:g} minutes of random chains from seed {seed}",
    "history": "{steps} random edits, restarts and calls from seed {seed}, each decision resolved again as of then",
    "edits": "{edits} edits by admin, API, commands and other processes at once, every worker asked all the while",
    "properties": "many more examples than `make test` draws of the resolver, the splitter, the translation and others",
    "usage": "many more stories than `make test` of rows that come late, and questions about any range in any zone",
    "what-if": "{minutes:g} minutes of random worlds from seed {seed}, each what-if against its definition",
}


def main(arguments: Sequence[str]) -> int:
    """Run them; 0 only if each part found nothing."""
    parser = argparse.ArgumentParser(prog="tests.faults.run")
    parser.add_argument("--minutes", type=float, default=5.0, help="of storms, and of random chains after all cuts")
    parser.add_argument("--seed", type=int, help="the first seed; any, where none is named")
    parser.add_argument("--only", choices=tuple(TESTS), help="one part of it")
    asked = parser.parse_args(arguments)
    seed = random.randrange(10**6) if asked.seed is None else asked.seed  # noqa: S311 - a seed, no secret
    parts = [asked.only] if asked.only else list(TESTS)
    found = programs.provide(postgres=bool({"storms", *ON_SERVER} & set(parts)), chromium=False)
    with tempfile.TemporaryDirectory(prefix="iw-faults-") as folder:
        work = Path(folder)
        work.chmod(0o711)
        env = environment.for_tests(work, None) | given(work, asked.minutes, seed)
        if found.postgres_bin is not None:
            env["PG_BIN"] = str(found.postgres_bin)
        return max([run_on_server(part, seed, asked.minutes, env, work) for part in parts])


def given(work: Path, minutes: float, seed: int) -> dict[str, str]:
    """What the tests are told."""
    return {
        "DATABASE_URL": os.environ.get("DATABASE_URL") or f"sqlite:///{work}/iwrouting.sqlite3",
        "IW_LOG_LEVEL": "warning",
        ALL: "1",
        STORMS: "postgresql,sqlite",
        MINUTES: str(minutes),
        SEED: str(seed),
        STEPS: str(steps(minutes)),
        EDITS: str(edits(minutes)),
        WORLDS: str(max(1, round(minutes * WORLDS_A_MINUTE))),
        FUZZ: str(max(1, round(minutes * FUZZ_A_MINUTE))),
        EXAMPLES: str(max(1, round(minutes * EXAMPLES_A_MINUTE))),
    }


def steps(minutes: float) -> int:
    """Of the walk."""
    return max(1, round(minutes * STEPS_A_MINUTE))


def edits(minutes: float) -> int:
    """From all ways at once."""
    return max(1_000, round(minutes * EDITS_A_MINUTE))


def run_on_server(part: str, seed: int, minutes: float, env: Mapping[str, str], work: Path) -> int:
    """Run one part; those ON_SERVER on a PostgreSQL of their own, where no database is named: four workers need one."""
    if part not in ON_SERVER or os.environ.get("DATABASE_URL"):
        return run(part, seed, minutes, env)
    on_file = run(part, seed, minutes, env) if part == "usage" else 0
    with postgres.server(Path(env["PG_BIN"]), work) as url:
        return max(on_file, run(part, seed, minutes, {**env, "DATABASE_URL": url}))


def run(part: str, seed: int, minutes: float, env: Mapping[str, str]) -> int:
    """Run one part; its exit code."""
    print(
        f"faults: {SAYS[part].format(minutes=minutes, seed=seed, steps=steps(minutes), edits=edits(minutes))}",
        flush=True,
    )
    return subprocess.run(command(part, seed), cwd=ROOT, env=dict(env), check=False).returncode


def command(part: str, seed: int) -> list[str]:
    """pytest, with what the tests print."""
    plain = ["-m", "pytest", "-p", "tests.harness.offline", "-q", "-s", "-p", "no:cacheprovider"]
    return [sys.executable, *plain, *TESTS[part], f"--hypothesis-seed={seed}"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
