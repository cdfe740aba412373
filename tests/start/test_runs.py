"""`manage.py run_show` and `run_raise`: what a run has left, and a higher limit that is recorded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from iwrouting.models import Project, Run, RunRaise
from tests.admin import cast

pytestmark = pytest.mark.django_db
REASON = "Larger import"


@pytest.fixture
def run() -> Run:
    Project.objects.create(slug="atlas", max_run_tokens=1_000)
    return cast.run()


def shown(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found["version"] == 1
    return found


def test_run_raise__as_nobody__is_refused(run: Run) -> None:
    with pytest.raises(CommandError, match="--as nobody: there is no such user"):
        call_command("run_raise", "nightly-42", by=500, reason=REASON, yes=True, user="nobody")
    assert not RunRaise.objects.exists()


def test_run_raise__by_and_to__is_recorded_and_shown(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    User.objects.create_user("olga")
    call_command("run_raise", "nightly-42", by=500, reason=REASON, yes=True, user="olga", format="json")
    assert shown(capsys) == {
        **{"version": 1, "project": "atlas", "run": "nightly-42", "limit": 1_500, "set_by": "raised by an operator"},
        **{"used": 900, "reserved": 0, "left_behind": 0, "left": 600, "refused_calls": 0},
        "last_seen": f"{run.last_seen_at:%Y-%m-%dT%H:%M:%SZ}",
    }
    call_command("run_raise", "nightly-42", project="atlas", to=9_000, reason=REASON, yes=True, format="table")
    assert "Raised the limit of nightly-42 from 1500 to 9000 tokens." in capsys.readouterr().err
    assert Run.objects.get().limit_tokens == 9_000
    made = list(RunRaise.objects.order_by("at").values_list("by", "via", "before_tokens", "after_tokens", "reason"))
    assert made[0] == ("olga", "CLI", 1_000, 1_500, REASON)
    assert made[1][1:] == ("CLI", 1_500, 9_000, REASON)
    call_command("run_show", "nightly-42", format="json")
    found = shown(capsys)
    assert [(each["before"], each["after"]) for each in found["raises"]] == [(1_500, 9_000), (1_000, 1_500)]
    call_command("run_show", "nightly-42", format="table")
    assert REASON in capsys.readouterr().out


def test_run_raise__dry_run__shows_and_changes_nothing(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("run_raise", "nightly-42", by=500, reason=REASON, dry_run=True, format="json")
    assert shown(capsys)["limit"] == 1_500
    assert not RunRaise.objects.exists()
    assert Run.objects.get().limit_tokens is None


@pytest.mark.parametrize(
    ("given", "fault", "code"),
    [
        ({"to": 1_000}, "must be more than the limit now, 1000", 1),
        ({"by": -5}, "995 tokens: must be more than the limit now", 1),
        ({"by": 5, "reason": "why"}, "Say in 5 to 300 characters why", 1),
        ({"by": 5, "yes": False}, "Add --yes", 2),
        ({"by": 5, "project": "borea"}, "No run 'nightly-42' of project 'borea'", 1),
    ],
)
def test_run_raise__mistakes__are_named_and_nothing_changes(
    run: Run, given: dict[str, Any], fault: str, code: int
) -> None:
    with pytest.raises(CommandError, match=fault) as error:
        call_command("run_raise", "nightly-42", **{"reason": REASON, "yes": True, "format": "json", **given})
    assert error.value.returncode == code
    assert not RunRaise.objects.exists()
    assert Run.objects.get().limit_tokens is None


def test_run_show__same_id_in_two_projects__asks_which(run: Run) -> None:
    cast.run(project="borea")
    with pytest.raises(CommandError, match=r"add --project \(atlas, borea\)") as error:
        call_command("run_show", "nightly-42", format="json")
    assert error.value.returncode == 2
