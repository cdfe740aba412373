"""The command line of tests/run.py: prepare, run the steps, sum up, clear away."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.harness import counts, environment, postgres, processes, programs, steps

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Run:
    """One run: where it works, with what, and what came of each step."""

    work: Path
    found: programs.Programs
    extra: Sequence[str]
    codes: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def report(self, step: str) -> Path:
        """Where a step's JUnit XML is."""
        return self.work / f"{step}.xml"


def main(arguments: Sequence[str]) -> int:
    """Run what the arguments ask for; the exit code is 0 only if every step succeeded."""
    asked, extra = _arguments(arguments)
    try:
        with processes.terminable(), _work_folder() as work:
            run = Run(work, _programs(asked), extra)
            _run_steps(run, asked)
            return _sum_up(run)
    except processes.HarnessError as error:
        print(error, file=sys.stderr)
        return 1


def _arguments(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    at = arguments.index("--") if "--" in arguments else len(arguments)
    parser = argparse.ArgumentParser(prog="tests/run.py", usage="%(prog)s [--only STEP,...] [-- PYTEST ARGUMENTS]")
    parser.add_argument("--only", action="append", default=[], help=f"of {', '.join(steps.GROUPS)}; default: all")
    only = parser.parse_args(arguments[:at]).only
    try:
        return steps.chosen(only), list(arguments[at + 1 :])
    except KeyError as unknown:
        parser.error(f"there is no step {unknown}; there are {', '.join(steps.GROUPS)}")


@contextmanager
def _work_folder() -> Iterator[Path]:
    work = Path(tempfile.mkdtemp(prefix="iw-test-"))
    # The database's own account must reach its folder in here; it still can't list this one.
    work.chmod(0o711)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _programs(asked: Sequence[str]) -> programs.Programs:
    return programs.provide(
        postgres="postgres" in asked,
        chromium=any(step in steps.TESTS for step in asked),
        prometheus="prometheus" in asked,
    )


def _run_steps(run: Run, asked: Sequence[str]) -> None:
    env = environment.for_tests(run.work, run.found.chromium)
    for step in asked:
        started = time.monotonic()
        print(f"== {step}", flush=True)
        run.codes[step] = _run_step(run, step, env)
        run.seconds[step] = time.monotonic() - started


def _run_step(run: Run, step: str, env: dict[str, str]) -> int:
    with ExitStack() as stack:
        env = env | {"DATABASE_URL": f"sqlite:///{run.work}/iwrouting.sqlite3"}
        if step == "postgres" and run.found.postgres_bin:
            url = stack.enter_context(postgres.server(run.found.postgres_bin, run.work))
            env = env | {"DATABASE_URL": url, "PG_BIN": str(run.found.postgres_bin)}
        if step == "prometheus":
            env = env | {"IW_TEST_PROMETHEUS": str(run.found.prometheus)}
        return processes.run(steps.command(step, run.report(step), run.extra), ROOT, env)


def _sum_up(run: Run) -> int:
    print("== summary")
    for step, code in run.codes.items():
        print(f"{step:<10}{run.seconds[step]:6.1f} s  {'ok' if code == 0 else f'failed (exit code {code})'}")
    tests = [step for step in run.codes if step in steps.TESTS + steps.ASKED_FOR]
    if tests:
        print(sum((counts.read(run.report(step)) for step in tests), counts.Counts()), flush=True)
    return int(any(run.codes.values()))
