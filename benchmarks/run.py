"""`make bench`: calls with their durable record, against the bare upstream and the naive way, as ratios in one run.

Every round interleaves the targets, so that a slow minute of the machine hits all of them. One worker each.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.load import Load, run_load

ROOT = Path(__file__).parent.parent
PATH = "/v1/chat/completions"
MESSAGES = (
    b'"messages":[{"role":"system","content":"You are a helpful assistant."},'
    b'{"role":"user","content":"Say hello to everybody in this town, in a friendly way, please."}]'
)
BODY = b'{"model":"deep",' + MESSAGES + b"}"


def main() -> int:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(prog="benchmarks.run", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3, help="Length of one round of one target (default: 3).")
    parser.add_argument("--rounds", type=int, default=3, help="How many rounds; the median counts (default: 3).")
    parser.add_argument("--connections", default="1,16,64", help="Concurrent connections (default: 1,16,64).")
    options = parser.parse_args()
    with ExitStack() as stack:
        targets = _start(stack)
        for connections in (int(part) for part in options.connections.split(",")):
            _table(targets, connections, options.rounds, options.seconds)
    return 0


def _start(stack: ExitStack) -> dict[str, tuple[int, str, int]]:
    """Start everything; by name: port, key and process id."""
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    upstream, ours, naive = (_free_port() for _ in range(3))
    environment = {
        **os.environ,
        "IW_ENV": "development",
        "IW_UPSTREAM_BASE_URL": f"http://127.0.0.1:{upstream}/v1",
        "IW_UPSTREAM_API_KEY": "sk-sandbox",
        "DATABASE_URL": os.environ.get("DATABASE_URL") or f"sqlite:///{folder}/bench.sqlite3",
    }
    manage = [sys.executable, "manage.py"]
    for command in (["migrate", "-v0"], ["matrix_load"]):
        subprocess.run([*manage, *command], cwd=ROOT, env=environment, check=True, stderr=subprocess.DEVNULL)
    make_key = [*manage, "keys_create", "--project", "bench", "--name", "bench"]
    made = subprocess.run(make_key, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    key = made.stdout.strip()
    commands = {
        "upstream alone": ([sys.executable, "-m", "benchmarks.upstream", str(upstream)], upstream),
        "iwrouting, durable": ([*manage, "serve", "--port", str(ours), "--workers", "1"], ours),
        "naive Django, durable": ([sys.executable, "-m", "uvicorn", "benchmarks.naive:app", "--no-access-log",
                                   "--log-level", "error", "--port", str(naive)], naive),
    }  # fmt: skip
    return {
        name: (port, key, stack.enter_context(_running(command, port, environment)))
        for name, (command, port) in commands.items()
    }


@contextmanager
def _running(command: list[str], port: int, environment: dict[str, str]) -> Iterator[int]:
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def _table(targets: dict[str, tuple[int, str, int]], connections: int, rounds: int, seconds: float) -> None:
    loads: dict[str, list[Load]] = {name: [] for name in targets}
    cpu: dict[str, list[float]] = {name: [] for name in targets}
    for _ in range(rounds):
        for name, (port, key, process) in targets.items():
            before = _cpu_s(process)
            load = asyncio.run(run_load(port, PATH, key, BODY, connections=connections, seconds=seconds))
            loads[name].append(load)
            cpu[name].append((_cpu_s(process) - before) / max(1.0, load.requests_per_s * seconds) * 1e6)
    print(f"\n{connections} connections: median of {rounds} rounds of {seconds:g} s")
    print(f"{'target':24}{'req/s':>9}{'p50 ms':>9}{'p99 ms':>9}{'CPU us/req':>12}{'x naive':>9}{'failed':>8}")
    base = _median(loads["naive Django, durable"], "requests_per_s")
    for name, found in loads.items():
        speed = _median(found, "requests_per_s")
        print(
            f"{name:24}{speed:9.0f}{_median(found, 'p50_ms'):9.2f}{_median(found, 'p99_ms'):9.2f}"
            f"{statistics.median(cpu[name]):12.0f}{speed / base:9.1f}{sum(load.failures for load in found):8}"
        )


def _median(loads: list[Load], field: str) -> float:
    return float(statistics.median(getattr(load, field) for load in loads))


def _cpu_s(process: int) -> float:
    """CPU seconds of a process and its children (Linux)."""
    ticks = 0
    for pid in [process, *_children(process)]:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _children(process: int) -> list[int]:
    text = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(part) for part in text.split()]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main())
