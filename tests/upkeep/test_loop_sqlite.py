"""`manage.py maintain --loop` as a process: rounds until SIGTERM. And what the command refuses at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import pytest
from django.core.management import CommandError, call_command

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


@pytest.mark.usefixtures("own")
def test_run__not_confirmed_without_a_terminal__is_refused() -> None:
    with pytest.raises(CommandError, match="Add --yes to run") as raised:
        call_command("maintain")
    assert raised.value.returncode == 2


@pytest.mark.parametrize("options", [{"loop": 0.5}, {"loop": 60, "dry_run": True}])
def test_loop__makes_no_sense__is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(CommandError, match="--loop takes 1 second or more") as raised:
        call_command("maintain", yes=True, **options)
    assert raised.value.returncode == 2
