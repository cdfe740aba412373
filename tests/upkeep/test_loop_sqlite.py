"""`manage.py maintain --loop` as a process: rounds until SIGTERM."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from tests.live.processes import ROOT


def test_loop__sigterm__ends_it_well(own: str) -> None:
    env = {**os.environ, "DATABASE_URL": f"sqlite:///{own}"}
    command = [sys.executable, "manage.py", "maintain", "--yes", "--loop", "1", "--format", "table"]
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        seen = 0
        for line in run.stdout:
            seen += line.startswith("retention ")
            if seen == 2:
                run.send_signal(signal.SIGTERM)
                break
        _, words = run.communicate(timeout=20)
    assert run.returncode == 0
    assert words.endswith("Stopped.\n")
