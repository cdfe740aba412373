"""The command `python -m iwrouting.sandbox`."""

from __future__ import annotations

import argparse
import asyncio
import errno
import json
import os
import signal
import sys
from datetime import date
from pathlib import Path

from iwrouting.sandbox import KEY
from iwrouting.sandbox.faults import BadPlan
from iwrouting.sandbox.log import Log
from iwrouting.sandbox.plan import Plan
from iwrouting.sandbox.server import Connection
from iwrouting.sandbox.state import Sandbox

PARENT_CHECK_S = 0.2

EXAMPLES = """
examples:
  python -m iwrouting.sandbox --port 8900
  python -m iwrouting.sandbox --port 0 --log sandbox.jsonl        a free port; one JSON object a request
  python -m iwrouting.sandbox --port 8900 --as-of 2026-11-22      models shut down by then answer 404
  python -m iwrouting.sandbox --port 8900 --plan faults.json      break answers by plan

  curl http://127.0.0.1:8900/v1/models -H 'authorization: Bearer sk-sandbox'
  curl -X PUT http://127.0.0.1:8900/_sandbox/plan -d '{"rules": [{"fault": "rate_limit", "times": 2}]}'
"""


def day(text: str) -> date:
    """A date as YYYY-MM-DD."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is no date; write it as YYYY-MM-DD") from None


def port_number(text: str) -> int:
    """A TCP port; 0 stands for a free one."""
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is no port; give a number from 0 to 65535")
    return int(text)


def arguments(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m iwrouting.sandbox",
        description=f"A provider that runs here and can be broken on purpose. Its key is {KEY}. See docs/sandbox.md.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=port_number, required=True, help="port to listen on; 0 picks a free one")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--log", type=Path, metavar="FILE", help="append one JSON object a received request to FILE")
    parser.add_argument("--as-of", type=day, metavar="DATE", help="retire the models shut down by DATE (YYYY-MM-DD)")
    parser.add_argument("--plan", type=Path, metavar="FILE", help="start with the faults of this JSON file")
    parser.add_argument("--parent-pid", type=int, metavar="PID", help="stop as soon as this process is gone")
    return parser.parse_args(argv)


def prepared(options: argparse.Namespace) -> Sandbox:
    """The sandbox of a command line. ValueError with one clear line: an unusable plan or log."""
    try:
        log = Log(options.log)
    except OSError as error:
        raise ValueError(f"can't write the log {options.log}: {error.strerror}") from None
    return Sandbox(log=log, plan=plan_from(options.plan), as_of=options.as_of)


def plan_from(path: Path | None) -> Plan:
    """The plan in a file; none: no faults."""
    if path is None:
        return Plan()
    try:
        return Plan(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ValueError(f"can't read the plan {path}: {error.strerror}") from None
    except BadPlan as error:
        raise ValueError(f"the plan {path} is wrong: {error}") from None
    except ValueError:
        raise ValueError(f"the plan {path} is not JSON") from None


async def serve(sandbox: Sandbox, options: argparse.Namespace) -> None:
    """Listens, says so in one line, and goes on until a signal or the parent's end."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    server = await loop.create_server(lambda: Connection(sandbox), options.host, options.port, backlog=1024)
    port = server.sockets[0].getsockname()[1]
    host = f"[{options.host}]" if ":" in options.host else options.host
    print(f"sandbox: listening on http://{host}:{port}/v1 (key {KEY})", flush=True)
    if options.parent_pid:
        watch(options.parent_pid, os.getppid() == options.parent_pid, stop)
    await stop.wait()
    for connection in tuple(sandbox.connections):
        connection.stop()


def watch(pid: int, child: bool, stop: asyncio.Event) -> None:
    """Sets `stop` once the process `pid` is gone; a `child` sees it by its new parent, as a dead one may linger."""
    if alive(pid) and (not child or os.getppid() == pid):
        asyncio.get_running_loop().call_later(PARENT_CHECK_S, watch, pid, child, stop)
    else:
        stop.set()


def alive(pid: int) -> bool:
    """Whether a process exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def listen_problem(error: OSError, options: argparse.Namespace) -> str:
    """Why the address can't be had, and what to do."""
    where = f"port {options.port} on {options.host}"
    if error.errno == errno.EADDRINUSE:
        return f"{where} is already in use; choose another with --port (0 picks a free one)"
    return f"can't listen on {where}: {os.strerror(error.errno) if error.errno else error}"


def main(argv: list[str] | None = None) -> int:
    """Runs the sandbox; 0 after a stop, 1 with one line on stderr when it can't start."""
    options = arguments(argv)
    try:
        asyncio.run(serve(prepared(options), options))
    except OSError as error:
        print(f"sandbox: {listen_problem(error, options)}", file=sys.stderr)
        return 1
    except ValueError as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
